"""What is counted of leases, durations and ends of trials."""

from __future__ import annotations

import pytest

from results.errors import LeaseLost
from results.records import Failure, TrialOutcome
from results.states import FailureKind, JobState, TrialState
from results.store import Store
from tests.results.store.samples import accept, change, claim, claim_expired, report, started


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
    change(store, "UPDATE jobs SET created_at = created_at - 100")
    store.release_job(claim(store))
    lease = claim(store)  # neither this claim nor the next one is the job's first start
    store.release_job(lease, lost=True)
    lease = claim(store)
    for number in range(2):
        store.start_trial(lease, number, node=None)
        store.write_reports(lease, [report(number, epoch, 0.5) for epoch in (1, 2)])
        for _ in range(2):
            store.finish_trial(lease, number, TrialState.SUCCEEDED)
    change(store, "UPDATE jobs SET started_at = started_at - 50")
    store.finish_job(lease, JobState.SUCCEEDED)
    store.delete_job(job.id)
    after = store.durations()
    for name, number, seconds in (("job_wait", 1, 100), ("job_run", 1, 50), ("trial", 2, 4)):
        old, new = getattr(before, name), getattr(after, name)
        assert new[0] - old[0] == number, name
        assert new[1] - old[1] == pytest.approx(seconds, abs=10), name
    assert after.trial[1] - before.trial[1] == pytest.approx(4.0)


@pytest.mark.parametrize("ask", ["request_pause", "request_cancel"])
def test_taking_over_a_job_that_is_to_end_counts_too(store: Store, ask: str) -> None:
    before = store.lease_counts().take_overs
    job = accept(store)
    claim_expired(store)
    state = getattr(store, ask)(job.id).state
    claim(store)
    assert store.job(job.id).state is state
    assert store.lease_counts().take_overs == before + 1


def test_ends_of_trials_are_counted_by_state_and_kind(store: Store) -> None:
    change(store, "DELETE FROM counters")
    assert store.trial_outcomes() == ()
    lease = started(store, 4)
    store.finish_trial(lease, 0, TrialState.SUCCEEDED)
    diverged = Failure(FailureKind.DIVERGED, "nan")
    for _ in range(2):  # the second end of a trial changes nothing
        store.finish_trial(lease, 1, TrialState.FAILED, diverged)
    store.finish_trial(lease, 2, TrialState.FAILED)
    store.finish_job(lease, JobState.SUCCEEDED)
    once = (
        TrialOutcome(TrialState.SUCCEEDED, None, 1),
        TrialOutcome(TrialState.FAILED, None, 1),
        TrialOutcome(TrialState.FAILED, FailureKind.DIVERGED, 1),
        TrialOutcome(TrialState.CANCELLED, None, 1),
    )
    assert store.trial_outcomes() == once
    store.retry_failed(lease.job_id)
    assert store.trial_outcomes() == once
    store.request_cancel(lease.job_id)
    store.delete_job(lease.job_id)
    assert store.trial_outcomes() == (*once[:3], TrialOutcome(TrialState.CANCELLED, None, 4))
