"""Every verb in every state of a job: the moves that happen are those of the table, no more."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from results.errors import IllegalMove, LeaseLost
from results.records import Lease
from results.states import JOB_MOVES, JobState, TrialState
from results.store import Store
from tests.results.store.samples import accept, claim_expired, remove_all_jobs

Verb = Callable[[Store, Lease], object]

VERBS: dict[str, Verb] = {
    "cancel": lambda store, lease: store.request_cancel(lease.job_id),
    "pause": lambda store, lease: store.request_pause(lease.job_id),
    "resume": lambda store, lease: store.resume_job(lease.job_id),
    "retry": lambda store, lease: store.retry_failed(lease.job_id),
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
def test_the_moves_that_happen_are_those_of_the_table(store: Store, state: JobState) -> None:
    reached = set()
    for verb in VERBS.values():
        lease = job_in(store, state)
        with suppress(IllegalMove, LeaseLost):
            verb(store, lease)
        reached.add(store.job(lease.job_id).state)
    assert reached - {state} == JOB_MOVES[state]


@pytest.mark.parametrize("state", JobState)
def test_a_refused_verb_leaves_the_job_as_it_is(store: Store, state: JobState) -> None:
    for name, verb in VERBS.items():
        lease = job_in(store, state)
        before = store.job(lease.job_id), store.trials(lease.job_id)
        try:
            verb(store, lease)
        except (IllegalMove, LeaseLost):
            assert (store.job(lease.job_id), store.trials(lease.job_id)) == before, name
