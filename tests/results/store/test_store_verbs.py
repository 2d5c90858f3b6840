"""Jobs that are paused, resumed and retried, and what is counted of their leases."""

from __future__ import annotations

import pytest

from results.errors import IllegalMove, LeaseLost
from results.records import DriverProcess, Failure, LeasedJob
from results.states import FailureKind, JobState, TrialState
from results.store import Store
from tests.results.store.samples import accept, claim, claim_expired, report

FAILURE = Failure(FailureKind.USER_ERROR, "it broke")


def test_pause_and_resume_from_each_state(store: Store) -> None:
    job = accept(store)
    assert store.request_pause(job.id).state is JobState.PAUSED
    assert store.request_pause(job.id).state is JobState.PAUSED
    assert store.claim_job("controller", 60) is None
    assert store.resume_job(job.id).state is JobState.QUEUED
    assert store.resume_job(job.id).state is JobState.QUEUED
    lease = claim(store)
    store.start_trial(lease, 0, node=None)
    assert store.request_pause(job.id).state is JobState.PAUSING
    assert store.renew_lease(lease, 60) is JobState.PAUSING
    store.release_job(lease)
    assert store.job(job.id).state is JobState.PAUSED
    assert {trial.state for trial in store.trials(job.id)} == {TrialState.QUEUED}
    assert store.request_cancel(job.id).state is JobState.CANCELLED
    for verb in (store.request_pause, store.resume_job):
        with pytest.raises(IllegalMove, match="cancelled") as refused:
            verb(job.id)
        assert refused.value.hint


def test_a_pausing_job_goes_on_is_cancelled_or_ends(store: Store) -> None:
    job = accept(store)
    lease = claim(store)
    store.request_pause(job.id)
    assert store.resume_job(job.id).state is JobState.RUNNING
    store.request_pause(job.id)
    assert store.request_cancel(job.id).state is JobState.CANCELLING
    with pytest.raises(IllegalMove, match="cancelling"):
        store.request_pause(job.id)
    store.finish_job(lease, JobState.CANCELLED)

    other = accept(store)
    lease = claim(store)
    store.request_pause(other.id)
    store.finish_job(lease, JobState.SUCCEEDED)
    assert store.job(other.id).state is JobState.SUCCEEDED


def test_retry_runs_what_failed_and_keeps_the_rest(store: Store) -> None:
    job = accept(store, 2)
    lease = claim(store)
    for number, state in enumerate((TrialState.SUCCEEDED, TrialState.FAILED)):
        store.start_trial(lease, number, node=None)
        store.write_reports(lease, [report(number, 1, 0.5)])
        store.finish_trial(lease, number, state, FAILURE if state is TrialState.FAILED else None)
    with pytest.raises(IllegalMove, match="running"):
        store.retry_failed(job.id)
    store.finish_job(lease, JobState.SUCCEEDED)
    good = store.trial(job.id, 0)
    again = store.retry_failed(job.id)
    assert (again.state, again.finished_at, again.claims) == (JobState.QUEUED, None, 0)
    assert store.retry_failed(job.id) == again
    failed = store.trial(job.id, 1)
    assert (failed.state, failed.error, failed.attempt) == (TrialState.QUEUED, None, 1)
    lease = claim(store)
    assert store.start_trial(lease, 1, node=None) == 2
    store.finish_trial(lease, 1, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    assert store.trial(job.id, 0) == good
    with pytest.raises(IllegalMove, match="no failed trial"):
        store.retry_failed(job.id)


def test_retry_of_a_failed_job_runs_what_it_never_finished(store: Store) -> None:
    job = accept(store, 2)
    lease = claim(store)
    store.set_driver(lease, DriverProcess("here", 7, 1.0))
    store.finish_job(lease, JobState.FAILED, FAILURE)
    again = store.retry_failed(job.id)
    assert (again.state, again.error) == (JobState.QUEUED, None)
    assert {trial.state for trial in store.trials(job.id)} == {TrialState.QUEUED}
    lease = claim(store)
    # The dead driver must not be taken for the new one.
    assert store.leased_jobs()[job.id] == LeasedJob(JobState.RUNNING, lease, None, expired=False)
    store.request_cancel(job.id)
    store.finish_job(lease, JobState.CANCELLED)
    with pytest.raises(IllegalMove, match="cancelled") as refused:
        store.retry_failed(job.id)
    assert "submit" in refused.value.hint


def test_take_overs_and_refused_writes_are_counted(store: Store) -> None:
    before = store.lease_counts()
    job = accept(store)
    stale = claim_expired(store)
    current = claim(store)
    assert store.job(job.id).claims == 2
    for _ in range(2):
        with pytest.raises(LeaseLost):
            store.start_trial(stale, 0, node=None)
    store.finish_job(current, JobState.FAILED)
    with pytest.raises(LeaseLost):  # over, but nobody has taken it: not counted
        store.renew_lease(current, 60)
    after = store.lease_counts()
    assert after.take_overs == before.take_overs + 1
    assert after.refused_writes == before.refused_writes + 2
    store.delete_job(job.id)
    assert store.lease_counts() == after


def test_durations_are_counted_once_and_outlive_their_job(store: Store) -> None:
    before = store.durations()
    job = accept(store, 2)
    with store._database.write() as connection:
        connection.exec_driver_sql("UPDATE jobs SET created_at = created_at - 100")
    store.release_job(claim(store))
    lease = claim(store)  # neither this claim nor the next one is the job's first start
    store.release_job(lease, lost=True)
    lease = claim(store)
    for number in range(2):
        store.start_trial(lease, number, node=None)
        store.write_reports(lease, [report(number, epoch, 0.5) for epoch in (1, 2)])
        for _ in range(2):
            store.finish_trial(lease, number, TrialState.SUCCEEDED)
    with store._database.write() as connection:
        connection.exec_driver_sql("UPDATE jobs SET started_at = started_at - 50")
    store.finish_job(lease, JobState.SUCCEEDED)
    store.delete_job(job.id)
    after = store.durations()
    for name, number, seconds in (("job_wait", 1, 100), ("job_run", 1, 50), ("trial", 2, 4)):
        old, new = getattr(before, name), getattr(after, name)
        assert new[0] - old[0] == number, name
        assert new[1] - old[1] == pytest.approx(seconds, abs=10), name
    assert after.trial[1] - before.trial[1] == pytest.approx(4.0)


def test_only_tries_that_were_lost_count(store: Store) -> None:
    job = accept(store)
    before = store.lease_counts().take_overs
    for lost, claims in ((False, 0), (True, 1), (False, 1), (True, 2)):
        store.release_job(claim(store), lost=lost)
        assert store.job(job.id).claims == claims
    assert store.lease_counts().take_overs == before + 2
    store.request_pause(job.id)
    assert store.resume_job(job.id).claims == 0


@pytest.mark.parametrize("ask", ["request_pause", "request_cancel"])
def test_taking_over_a_job_that_is_to_end_counts_too(store: Store, ask: str) -> None:
    before = store.lease_counts().take_overs
    job = accept(store)
    claim_expired(store)
    state = getattr(store, ask)(job.id).state
    claim(store)
    assert store.job(job.id).state is state
    assert store.lease_counts().take_overs == before + 1
