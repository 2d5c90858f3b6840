"""Finished jobs that run their best configurations again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from results.errors import IllegalMove, JobNotFound
from results.records import JobRecord, Lease, NewTrial
from results.states import JobState, Purpose, TrialState
from results.store import Store
from search_spaces import Confirm
from tests.results.store.samples import SPACE, SPEC, UNKNOWN_IDS, accept, claim, report

CONFIRM = Confirm(top=2, seeds=3)


def succeeded(store: Store, trials: int = 2, *, ended_by: str = "") -> JobRecord:
    """Return a job of which two trials have succeeded."""
    job = store.create_job(
        replace(SPEC, trials=trials, space=replace(SPACE, trials=trials)),
        fingerprint="fingerprint",
        trials=[NewTrial(number, {"learning_rate": 0.1}, 42) for number in range(2)],
    )
    lease = claim(store)
    for number in (0, 1):
        finish(store, lease, number, 0.5 + number / 4)
    if ended_by:
        store.plan_trials(lease, 2, ended_by=ended_by)
    store.finish_job(lease, JobState.SUCCEEDED)
    return store.job(job.id)


def finish(store: Store, lease: Lease, number: int, value: float) -> None:
    store.start_trial(lease, number, node=None)
    store.write_reports(lease, [report(number, 1, value)])
    store.finish_trial(lease, number, TrialState.SUCCEEDED)


def test_a_job_is_queued_again_with_its_confirmation(store: Store) -> None:
    job, after = succeeded(store), store.last_event()
    found = store.confirm_job(job.id, CONFIRM, fingerprint="another")
    assert (found.state, found.fingerprint, found.finished_at) == (JobState.QUEUED, "another", None)
    assert found.spec == replace(job.spec, space=replace(job.spec.space, confirm=CONFIRM))
    # Two configurations and the default, three seeds each.
    assert (found.progress.trials, found.progress.finished) == (11, 2)
    assert found.best == job.best
    assert [(e.trial, e.state, e.detail) for e in store.events(after=after)] == [
        (None, "queued", "confirmed")
    ]


def test_the_best_stays_that_of_the_search(store: Store) -> None:
    job = succeeded(store)
    store.confirm_job(job.id, CONFIRM, fingerprint="another")
    lease = claim(store)
    again = NewTrial(2, {"learning_rate": 0.1}, 43, Purpose.CONFIRM, configuration=1)
    store.add_trial(lease, again)
    finish(store, lease, 2, 0.99)
    store.plan_trials(lease, 3)
    store.finish_job(lease, JobState.SUCCEEDED)
    assert store.job(job.id).best == job.best
    # More seeds go on from what has run.
    more = store.confirm_job(job.id, Confirm(top=2, seeds=4), fingerprint="a third")
    assert (more.progress.trials, more.progress.finished) == (15, 3)


def confirmed(store: Store) -> JobRecord:
    """Return a job that has run :data:`CONFIRM`."""
    job = succeeded(store)
    store.confirm_job(job.id, CONFIRM, fingerprint="another")
    lease = claim(store)
    for number in range(2, 11):
        store.add_trial(lease, NewTrial(number, {}, number, Purpose.CONFIRM, number % 2))
        finish(store, lease, number, 0.5)
    store.finish_job(lease, JobState.SUCCEEDED)
    return store.job(job.id)


def test_a_smaller_top_with_more_seeds_has_room_for_its_trials(store: Store) -> None:
    job = confirmed(store)
    smaller = store.confirm_job(job.id, Confirm(top=1, seeds=4), fingerprint="a third").progress
    assert (smaller.trials, smaller.finished) == (11 + 8, 11)


@pytest.mark.parametrize("more", [Confirm(top=3, seeds=2), Confirm(top=1, seeds=4)])
def test_a_confirmation_with_a_larger_top_or_more_seeds_runs(store: Store, more: Confirm) -> None:
    job = confirmed(store)
    assert store.confirm_job(job.id, more, fingerprint="a third").state is JobState.QUEUED


@pytest.mark.parametrize(
    "less", [Confirm(top=2, seeds=2), Confirm(top=1, seeds=3), Confirm(top=1, seeds=2)]
)
def test_a_confirmation_that_asks_for_nothing_more_is_refused(store: Store, less: Confirm) -> None:
    job = confirmed(store)
    with pytest.raises(IllegalMove, match="has run a larger confirmation") as refused:
        store.confirm_job(job.id, less, fingerprint="a third")
    assert refused.value.hint == "ask for more seeds than 3, or for a larger top than 2"
    assert store.job(job.id) == job


def test_a_search_that_a_budget_has_ended_stays_so(store: Store) -> None:
    job = succeeded(store, 9, ended_by="it has trained for 60 s")
    found = store.confirm_job(job.id, CONFIRM, fingerprint="another")
    assert (found.progress.trials, found.ended_by) == (11, "it has trained for 60 s")
    store.finish_job(claim(store), JobState.SUCCEEDED)
    extended = store.extend_job(job.id, trials=12, epochs=None, fingerprint="a third").job
    assert (extended.progress.trials, extended.ended_by) == (21, "")


def test_the_same_request_again_changes_nothing(store: Store) -> None:
    job = succeeded(store)
    first = store.confirm_job(job.id, CONFIRM, fingerprint="another")
    after = store.last_event()
    assert store.confirm_job(job.id, CONFIRM, fingerprint="another") == first
    assert store.last_event() == after
    with pytest.raises(IllegalMove, match="is queued") as refused:
        store.confirm_job(job.id, Confirm(top=1, seeds=9), fingerprint="another")
    assert "wait" in refused.value.hint
    store.finish_job(claim(store), JobState.SUCCEEDED)
    with pytest.raises(IllegalMove, match="has run this confirmation"):
        store.confirm_job(job.id, CONFIRM, fingerprint="another")


def test_only_a_search_that_has_found_something_is_confirmed(store: Store) -> None:
    empty = accept(store, 1)
    store.finish_job(claim(store), JobState.SUCCEEDED)
    with pytest.raises(IllegalMove, match="without a winner") as refused:
        store.confirm_job(empty.id, CONFIRM, fingerprint="another")
    assert refused.value.hint.startswith(f"GET /api/v1/jobs/{empty.id}/best says why")
    failed = accept(store, 2)
    lease = claim(store)
    finish(store, lease, 0, 0.5)
    store.finish_job(lease, JobState.FAILED)
    with pytest.raises(IllegalMove, match="not all of its trials have run"):
        store.confirm_job(failed.id, CONFIRM, fingerprint="another")
    cancelled = accept(store, 2)
    lease = claim(store)
    finish(store, lease, 0, 0.5)
    store.request_cancel(cancelled.id)
    store.finish_job(lease, JobState.CANCELLED)
    with pytest.raises(IllegalMove, match="is cancelled: not all") as refused:
        store.confirm_job(cancelled.id, CONFIRM, fingerprint="another")
    assert refused.value.hint.startswith("extend it to its own 2 trials")
    for job_id in UNKNOWN_IDS:
        with pytest.raises(JobNotFound):
            store.confirm_job(job_id, CONFIRM, fingerprint="another")
