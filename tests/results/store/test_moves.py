"""Jobs that are cancelled, paused, resumed and retried, and every verb in every state."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from results.errors import (
    IllegalMove,
    LeaseLost,
)
from results.records import DriverProcess, Failure, Lease, LeasedJob
from results.states import JOB_MOVES, FailureKind, JobState, TrialState
from results.store import Store
from tests.results.store.samples import (
    accept,
    claim,
    claim_expired,
    remove_all_jobs,
    report,
)

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
    assert store.renew_lease(lease, 60).state is JobState.PAUSING
    store.release_job(lease)
    assert store.job(job.id).state is JobState.PAUSED
    assert {trial.state for trial in store.trials(job.id)} == {TrialState.QUEUED}
    assert store.request_cancel(job.id).state is JobState.CANCELLED
    for verb in (store.request_pause, store.resume_job):
        with pytest.raises(IllegalMove, match="cancelled") as refused:
            verb(job.id)
        assert refused.value.hint


def test_trials_that_wait_at_a_rung_wait_through_a_pause_and_end_with_their_job(
    store: Store,
) -> None:
    job = accept(store, 3)
    lease = claim(store)
    for number in range(3):
        store.start_trial(lease, number, node=None)
    store.pause_trial(lease, 0)
    store.finish_trial(lease, 2, TrialState.STOPPED)
    store.request_pause(job.id)
    store.release_job(lease)
    assert [trial.state.value for trial in store.trials(job.id)] == ["paused", "queued", "stopped"]
    store.resume_job(job.id)
    store.finish_job(claim(store), JobState.FAILED, FAILURE)
    ended = [trial.state.value for trial in store.trials(job.id)]
    assert ended == ["cancelled", "cancelled", "stopped"]
    # What a failed job never finished runs again; what was stopped stays so.
    progress = store.retry_failed(job.id).progress
    assert [trial.state.value for trial in store.trials(job.id)] == ["queued", "queued", "stopped"]
    assert (progress.finished, progress.stopped, progress.paused) == (1, 1, 0)
    store.request_cancel(job.id)
    assert store.job(job.id).progress.finished == 3


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
    assert "extend" in refused.value.hint


def test_cancel_from_each_state(store: Store) -> None:
    queued = accept(store)
    cancelled = store.request_cancel(queued.id)
    assert cancelled.state is JobState.CANCELLED
    assert cancelled.finished_at is not None
    assert {trial.state for trial in store.trials(queued.id)} == {TrialState.CANCELLED}
    assert store.request_cancel(queued.id) == cancelled

    running = accept(store)
    lease = claim(store)
    cancelling = store.request_cancel(running.id)
    assert (cancelling.state, cancelling.finished_at) == (JobState.CANCELLING, None)
    assert store.request_cancel(running.id) == cancelling
    store.finish_job(lease, JobState.CANCELLED)
    assert store.request_cancel(running.id).state is JobState.CANCELLED

    for state in (JobState.SUCCEEDED, JobState.FAILED):
        done = accept(store)
        store.finish_job(claim(store), state)
        with pytest.raises(IllegalMove, match=f"has {state}"):
            store.request_cancel(done.id)


Verb = Callable[[Store, Lease], object]

VERBS: dict[str, Verb] = {
    "cancel": lambda store, lease: store.request_cancel(lease.job_id),
    "pause": lambda store, lease: store.request_pause(lease.job_id),
    "resume": lambda store, lease: store.resume_job(lease.job_id),
    "retry": lambda store, lease: store.retry_failed(lease.job_id),
    "extend": lambda store, lease: store.extend_job(
        lease.job_id, trials=9, epochs=9, fingerprint="another"
    ),
    "weigh": lambda store, lease: store.set_priority(lease.job_id, 2),
    "claim": lambda store, _lease: store.claim_job("other", 60),
    "renew": lambda store, lease: store.renew_lease(lease, 60),
    "release": lambda store, lease: store.release_job(lease),
    "lose": lambda store, lease: store.release_job(lease, lost=True),
    "succeed": lambda store, lease: store.finish_job(lease, JobState.SUCCEEDED),
    "fail": lambda store, lease: store.finish_job(lease, JobState.FAILED),
    "end": lambda store, lease: store.finish_job(lease, JobState.CANCELLED),
}

#: What brings a job into a state, after it was claimed if need be.
LAST_VERB = {
    JobState.PAUSED: "pause",
    JobState.PAUSING: "pause",
    JobState.CANCELLED: "cancel",
    JobState.CANCELLING: "cancel",
    JobState.SUCCEEDED: "succeed",
    JobState.FAILED: "fail",
}


def job_in(store: Store, state: JobState) -> Lease:
    """Bring the only job into ``state``, with a failed trial if it was claimed.

    Its lease has expired, so that it may be taken over too; one never claimed has a made-up one.
    """
    remove_all_jobs(store)
    job = accept(store)
    lease = Lease(job.id, "me", 1)
    if state not in (JobState.QUEUED, JobState.PAUSED, JobState.CANCELLED):
        lease = claim_expired(store)
        store.start_trial(lease, 0, node=None)
        store.finish_trial(lease, 0, TrialState.FAILED)
    if state in LAST_VERB:
        VERBS[LAST_VERB[state]](store, lease)
    assert store.job(job.id).state is state
    return lease


@pytest.mark.parametrize("state", JobState)
def test_the_moves_that_happen_are_those_of_the_table_and_a_refused_one_changes_nothing(
    store: Store, state: JobState
) -> None:
    reached = set()
    for name, verb in VERBS.items():
        lease = job_in(store, state)
        before = store.job(lease.job_id), store.trials(lease.job_id)
        try:
            verb(store, lease)
        except (IllegalMove, LeaseLost):
            assert (store.job(lease.job_id), store.trials(lease.job_id)) == before, name
        reached.add(store.job(lease.job_id).state)
    assert reached - {state} == JOB_MOVES[state]
