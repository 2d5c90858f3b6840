"""What the store promises whoever runs a job: one holder at a time, and nothing from another."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from results.errors import IllegalMove, LeaseLost
from results.records import DriverProcess, Failure, Lease, LeasedJob, NewTrial
from results.states import FailureKind, JobState, TrialState
from results.store import Store
from tests.results.store.samples import (
    UNKNOWN_IDS,
    accept,
    change,
    claim,
    claim_expired,
    expire,
    report,
)

Write = Callable[[Store, Lease], object]

WRITES: dict[str, Write] = {
    "renew_lease": lambda store, lease: store.renew_lease(lease, 60),
    "set_driver": lambda store, lease: store.set_driver(lease, DriverProcess("h", 1, 1.0)),
    "release_job": lambda store, lease: store.release_job(lease),
    "add_trial": lambda store, lease: store.add_trial(lease, NewTrial(9, {}, 1)),
    "start_trial": lambda store, lease: store.start_trial(lease, 0, node="n"),
    "requeue_trial": lambda store, lease: store.requeue_trial(lease, 0),
    "write_reports": lambda store, lease: store.write_reports(lease, [report(0, 2, 0.9)]),
    "write_no_reports": lambda store, lease: store.write_reports(lease, []),
    "finish_trial": lambda store, lease: store.finish_trial(lease, 0, TrialState.FAILED),
    "finish_job": lambda store, lease: store.finish_job(lease, JobState.FAILED),
}


def running_job(store: Store) -> tuple[str, Lease]:
    """A job whose trial 0 runs and has reported once, under a lease that has expired."""
    job = accept(store)
    lease = claim_expired(store)
    store.start_trial(lease, 0, node="first")
    store.write_reports(lease, [report(0, 1, 0.5)])
    return job.id, lease


def test_queued_jobs_are_claimed_oldest_first(store: Store) -> None:
    jobs = [accept(store).id for _ in range(3)]
    leases = [claim(store) for _ in range(3)]
    assert [lease.job_id for lease in leases] == jobs
    assert {(lease.owner, lease.token) for lease in leases} == {("controller", 1)}
    assert store.claim_job("controller", 60) is None
    claimed = store.job(jobs[0])
    assert claimed.state is JobState.RUNNING
    assert claimed.started_at is not None
    assert claimed.started_at >= claimed.created_at
    assert claimed.lease_token == 1


def test_an_expired_job_is_taken_over(store: Store) -> None:
    job_id, old = running_job(store)
    store.start_trial(old, 1, node="first")
    store.finish_trial(old, 1, TrialState.SUCCEEDED)
    finished = store.trial(job_id, 1)
    started_at = store.job(job_id).started_at
    new = store.claim_job("other", 60)
    assert new == Lease(job_id, "other", old.token + 1)
    assert store.job(job_id).state is JobState.RUNNING
    assert store.job(job_id).started_at == started_at
    interrupted = store.trial(job_id, 0)
    assert (interrupted.state, interrupted.attempt) == (TrialState.QUEUED, 1)
    assert store.trial(job_id, 1) == finished
    assert store.start_trial(new, 0, node="second") == 2
    again = store.trial(job_id, 0)
    assert (again.node, again.epochs, again.metrics, again.seconds) == ("second", 0, {}, 0.0)


@pytest.mark.parametrize("name", WRITES)
def test_the_former_holder_can_write_nothing(store: Store, name: str) -> None:
    job_id, old = running_job(store)
    claim(store)
    before = store.job(job_id), store.trials(job_id), [*store.curves(job_id)], store.leased_jobs()
    with pytest.raises(LeaseLost, match=f"lease {old.token}"):
        WRITES[name](store, old)
    assert (
        store.job(job_id),
        store.trials(job_id),
        [*store.curves(job_id)],
        store.leased_jobs(),
    ) == before


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("end", ["finished", "released", "deleted"])
def test_a_lease_ends_with_its_work(store: Store, name: str, end: str) -> None:
    job_id, lease = running_job(store)
    if end == "released":
        store.release_job(lease)
    else:
        store.finish_job(lease, JobState.SUCCEEDED)
    if end == "deleted":
        store.delete_job(job_id)
    with pytest.raises(LeaseLost):
        WRITES[name](store, lease)


@pytest.mark.parametrize("name", WRITES)
def test_a_lease_that_expired_is_good_until_it_is_taken(store: Store, name: str) -> None:
    WRITES[name](store, running_job(store)[1])


def test_a_renewed_lease_is_not_taken_over(store: Store) -> None:
    accept(store)
    lease = claim_expired(store)
    assert store.renew_lease(lease, 60).state is JobState.RUNNING
    assert store.claim_job("other", 60) is None
    change(store, "UPDATE jobs SET lease_expires_at = lease_expires_at - 50")
    assert store.claim_job("other", 60) is None
    change(store, "UPDATE jobs SET lease_expires_at = lease_expires_at - 11")
    taken = store.claim_job("other", 60)
    assert taken is not None
    assert taken.token == lease.token + 1


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), True])
def test_a_lease_lasts_a_positive_time(store: Store, seconds: float) -> None:
    accept(store)
    with pytest.raises(ValueError, match="lease_seconds"):
        store.claim_job("me", seconds)
    lease = claim(store)
    with pytest.raises(ValueError, match="lease_seconds"):
        store.renew_lease(lease, seconds)


def test_a_cancel_whose_holder_died_is_taken_over_and_finished(store: Store) -> None:
    job_id, old = running_job(store)
    store.request_cancel(job_id)
    assert store.renew_lease(old, 60).state is JobState.CANCELLING
    expire(store, old)
    new = claim(store)
    assert (new.job_id, new.token) == (job_id, old.token + 1)
    assert store.renew_lease(new, 60).state is JobState.CANCELLING
    with pytest.raises(IllegalMove, match="cancelling"):
        store.release_job(new)
    for state in (JobState.SUCCEEDED, JobState.FAILED):
        with pytest.raises(IllegalMove, match=f"cancelling: it cannot become {state}"):
            store.finish_job(new, state)
    store.finish_job(new, JobState.CANCELLED)
    assert store.job(job_id).state is JobState.CANCELLED
    assert store.claim_job("me", 60) is None


def test_a_released_job_is_queued_again_with_its_trials(store: Store) -> None:
    job_id, lease = running_job(store)
    store.set_driver(lease, DriverProcess("host", 7, 1.5))
    store.release_job(lease)
    assert store.job(job_id).state is JobState.QUEUED
    assert store.trial(job_id, 0).state is TrialState.QUEUED
    assert store.leased_jobs() == {}
    assert claim(store).token == lease.token + 1
    assert store.leased_jobs()[job_id].driver is None


def test_leased_jobs_are_those_running_and_cancelling(store: Store) -> None:
    running, cancelling, finished, _queued = (accept(store).id for _ in range(4))
    leases = {job_id: claim(store) for job_id in (running, cancelling, finished)}
    driver = DriverProcess("host", 4_000_000, 1_795_455_555.123456)
    for lease in leases.values():
        store.set_driver(lease, driver)
    store.request_cancel(cancelling)
    store.finish_job(leases[finished], JobState.SUCCEEDED)
    assert store.leased_jobs() == {
        running: LeasedJob(JobState.RUNNING, leases[running], driver, expired=False),
        cancelling: LeasedJob(JobState.CANCELLING, leases[cancelling], driver, expired=False),
    }


def test_a_lease_that_has_run_out_is_seen_until_somebody_claims_the_job(store: Store) -> None:
    job_id = accept(store).id
    old = claim_expired(store)
    assert store.leased_jobs()[job_id].expired
    store.renew_lease(old, 60)
    assert not store.leased_jobs()[job_id].expired


def test_whoever_takes_a_job_over_finds_its_former_driver(store: Store) -> None:
    accept(store)
    old, driver = claim_expired(store), DriverProcess("host", 7, 1.5)
    store.set_driver(old, driver)
    new = claim(store)
    assert store.leased_jobs()[new.job_id] == LeasedJob(
        JobState.RUNNING, new, driver, expired=False
    )


def test_a_finished_job_cancels_what_is_left_of_it(store: Store) -> None:
    job = accept(store, 3)
    lease = claim(store)
    store.finish_trial(lease, 0, TrialState.SUCCEEDED)
    store.start_trial(lease, 1, node=None)
    failure = Failure(FailureKind.TIME_LIMIT, "it took too long", "Traceback ...")
    store.finish_job(lease, JobState.FAILED, failure)
    done = store.job(job.id)
    assert (done.state, done.error) == (JobState.FAILED, failure)
    assert done.finished_at is not None
    trials = store.trials(job.id)
    expected = [TrialState.SUCCEEDED, TrialState.CANCELLED, TrialState.CANCELLED]
    assert [trial.state for trial in trials] == expected
    assert all(trial.finished_at is not None for trial in trials)
    assert done.progress.running == 0


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING, JobState.CANCELLING])
def test_a_job_finishes_in_a_finished_state(store: Store, state: JobState) -> None:
    accept(store)
    lease = claim(store)
    with pytest.raises(ValueError, match="state"):
        store.finish_job(lease, state)


def test_a_running_job_is_not_cancelled_unasked(store: Store) -> None:
    accept(store)
    lease = claim(store)
    with pytest.raises(IllegalMove, match="cannot become cancelled"):
        store.finish_job(lease, JobState.CANCELLED)


def test_only_tries_that_were_lost_count(store: Store) -> None:
    job = accept(store)
    before = store.lease_counts().take_overs
    for lost, claims in ((False, 0), (True, 1), (False, 1), (True, 2)):
        store.release_job(claim(store), lost=lost)
        assert store.job(job.id).claims == claims
    assert store.lease_counts().take_overs == before + 2
    store.request_pause(job.id)
    assert store.resume_job(job.id).claims == 0


def test_a_lease_on_an_unknown_job_is_lost(store: Store) -> None:
    for job_id in UNKNOWN_IDS:
        with pytest.raises(LeaseLost):
            store.renew_lease(Lease(job_id, "me", 1), 30)
