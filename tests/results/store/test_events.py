"""Events: in the transaction of their change, in the order of commits, none lost or doubled."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from results.states import JobState, TrialState
from results.store import Store, events, open_store
from results.store.tables import EVENTS
from tests.results.store.samples import accept, claim, report

WRITERS, ROUNDS = 4, 15


def states(store: Store, job_id: str) -> list[tuple[int | None, str, str]]:
    return [(e.trial, e.state, e.detail) for e in store.events(job_id=job_id)]


def test_failures_are_counted_since_a_trial_last_ended(store: Store) -> None:
    job = accept(store, 3)
    lease = claim(store)
    for number, details in enumerate(
        (
            ["user_error", "goes on after epoch 1", "worker_lost", "out_of_memory"],
            [],
            ["user_error"],
        )
    ):
        for detail in details:
            store.start_trial(lease, number, node=None)
            store.requeue_trial(lease, number, detail=detail)
    store.start_trial(lease, 1, node=None)
    assert store.failures(job.id) == {0: 2, 2: 1}
    store.release_job(lease, lost=True)
    lease = claim(store)
    assert store.failures(job.id) == {0: 2, 2: 1}
    for number in range(3):
        store.start_trial(lease, number, node=None)
        store.finish_trial(lease, number, TrialState.FAILED)
    assert store.failures(job.id) == {}
    store.finish_job(lease, JobState.FAILED)
    store.retry_failed(job.id)
    lease = claim(store)
    store.start_trial(lease, 2, node=None)
    store.requeue_trial(lease, 2, detail="user_error")
    assert store.failures(job.id) == {2: 1}


def test_each_change_of_a_job_is_an_event(store: Store) -> None:
    job = accept(store, 1)
    lease = claim(store)
    store.start_trial(lease, 0, node=None)
    store.release_job(lease, lost=True)
    store.request_pause(job.id)
    store.request_pause(job.id)
    store.resume_job(job.id)
    claim(store)
    store.request_cancel(job.id)
    assert states(store, job.id) == [
        (None, "queued", ""),
        (None, "running", ""),
        (0, "running", ""),
        (0, "queued", "driver lost"),
        (None, "queued", "driver lost"),
        (None, "paused", ""),
        (None, "queued", ""),
        (None, "running", ""),
        (None, "cancelling", ""),
    ]


def test_trials_that_end_with_their_job_have_events_and_a_deleted_job_keeps_its_own(
    store: Store,
) -> None:
    job = accept(store, 2)
    store.request_cancel(job.id)
    store.delete_job(job.id)
    assert states(store, job.id)[1:] == [
        (0, "cancelled", ""),
        (1, "cancelled", ""),
        (None, "cancelled", ""),
        (None, "deleted", ""),
    ]


def test_a_refused_write_leaves_no_event(store: Store) -> None:
    job = accept(store, 1)
    before = store.last_event()
    with pytest.raises(ValueError, match="state must be one"):
        store.finish_job(claim(store), JobState.RUNNING)
    assert [event.state for event in store.events(after=before)] == ["running"]
    assert store.job(job.id).state is JobState.RUNNING


def test_events_are_read_a_page_at_a_time_of_one_job_or_of_all(store: Store) -> None:
    first, second = accept(store), accept(store)
    store.request_cancel(first.id)
    every = store.events()
    assert [event.id for event in every] == sorted(event.id for event in every)
    assert {event.job_id for event in every} == {first.id, second.id}
    assert all(event.at.tzinfo is not None for event in every)
    page = store.events(limit=2)
    assert page + store.events(after=page[-1].id) == every
    assert {event.job_id for event in store.events(job_id=second.id)} == {second.id}
    assert store.last_event() == every[-1].id


def test_old_events_are_pruned_but_never_the_newest(store: Store) -> None:
    accept(store)
    accept(store)
    assert store.prune_events(1.0) == 0
    newest, before = store.last_event(), len(store.events())
    assert store.prune_events(0.0) == before - 1 > 0
    assert [event.id for event in store.events()] == [newest]
    accept(store)
    assert store.last_event() == newest + 1


def test_events_go_in_order_however_a_clock_has_dated_them(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader would miss an event that goes before an older one, and not be told."""
    monkeypatch.setattr(events, "_PRUNED_AT_ONCE", 2)
    for _ in range(6):
        accept(store)
    kept = [event.id for event in store.events()]
    with store._database.write() as connection:  # the clock was set back for one of them
        wrong = sa.update(EVENTS).where(EVENTS.c.id == kept[3])
        connection.execute(wrong.values(at=EVENTS.c.at - 2 * 86_400))
    assert store.prune_events(1.0) == 4
    assert [event.id for event in store.events()] == kept[4:]


def test_a_reader_misses_nothing_and_sees_nothing_twice_while_others_write(store: Store) -> None:
    """Ids that were drawn before others but are committed after them would be missed."""
    start, done = threading.Barrier(WRITERS + 1), threading.Event()
    jobs: list[str] = []

    def write() -> None:
        own = open_store(store.url)
        start.wait()
        for _ in range(ROUNDS):
            job = accept(own, 1)
            jobs.append(job.id)
            own.request_pause(job.id)
            own.resume_job(job.id)
        own.close()

    threads = [threading.Thread(target=write) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    seen: list[tuple[int, str, str]] = []

    def read() -> None:
        while True:
            is_last = done.is_set()
            after = seen[-1][0] if seen else 0
            found = store.events(after=after, limit=7)
            seen.extend((event.id, event.job_id, event.state) for event in found)
            if is_last and not found:
                return

    reader = threading.Thread(target=read)
    start.wait()
    reader.start()
    for thread in threads:
        thread.join()
    done.set()
    reader.join()
    assert len(seen) == len({number for number, *_ in seen}) == 3 * WRITERS * ROUNDS
    assert seen == [(event.id, event.job_id, event.state) for event in store.events(limit=10_000)]
    for job_id in jobs:
        assert [state for _, of, state in seen if of == job_id] == ["queued", "paused", "queued"]


def test_reports_are_no_events(store: Store) -> None:
    accept(store, 1)
    lease = claim(store)
    store.start_trial(lease, 0, node=None)
    before = store.last_event()
    store.write_reports(lease, [report(0, 1, 0.5)])
    assert store.last_event() == before
