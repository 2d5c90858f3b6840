"""Priorities, the cluster's capacity, and the slots of running jobs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from results import shares
from results.errors import IllegalMove, JobNotFound
from results.records import Held, JobRecord, Lease, NewTrial
from results.states import JobState, TrialState
from results.store import Store, open_store
from results.store.batch import PlanTrials
from tests.results.store.samples import (
    SPACE,
    SPEC,
    UNKNOWN_IDS,
    accept,
    change,
    claim,
    remove_all_jobs,
)


def run(store: Store, trials: int = 20, *, priority: int = 1, most: int | None = None) -> str:
    """Return the id of a running job of so many trials of one CPU."""
    job_id = queue(store, trials, priority=priority, most=most)
    assert claim(store).job_id == job_id
    return job_id


def queue(store: Store, trials: int = 20, *, priority: int = 1, most: int | None = None) -> str:
    """Return the id of a queued job of so many trials of one CPU."""
    space = replace(SPACE, trials=trials)
    return store.create_job(
        replace(SPEC, trials=trials, space=space, max_concurrent_trials=most),
        fingerprint="fingerprint",
        trials=[NewTrial(n, {"learning_rate": 0.1}, 42) for n in range(trials)],
        priority=priority,
    ).id


def slots(store: Store, *job_ids: str) -> list[int | None]:
    return [store.job(job_id).slots for job_id in job_ids]


def pass_time(store: Store, seconds: float) -> None:
    """Let so much time pass for all that has or waits for slots."""
    change(store, f"UPDATE jobs SET slots_since = slots_since - {seconds}")


def since(store: Store, job_id: str) -> float | None:
    with store._database.read() as connection:
        query = f"SELECT slots_since FROM jobs WHERE id = '{job_id}'"
        found: float | None = connection.exec_driver_sql(query).scalar_one()
        return found


def test_a_queued_job_has_a_slot_once_a_turn_ends_or_a_job_does(store: Store) -> None:
    store.note_capacity(2, 0)
    assert store.next_has_slot(), "nobody waits"
    first = run(store)
    store.share_slots()
    queued = accept(store).id
    assert store.next_has_slot(), "the job that runs gives back one of its two"
    assert claim(store).job_id == queued
    store.share_slots()
    last = accept(store).id
    for job_id in (first, queued):
        change(store, f"UPDATE jobs SET running = 1 WHERE id = '{job_id}'")
    assert not store.next_has_slot()
    pass_time(store, shares.TURN_SECONDS)
    assert store.next_has_slot(), "it cuts a turn short"
    pass_time(store, -shares.TURN_SECONDS)
    assert not store.next_has_slot()
    store.note_capacity(3, 0)
    assert store.next_has_slot()
    assert claim(store).job_id == last
    assert store.next_has_slot()


def test_one_job_goes_first_while_the_cluster_is_not_known(store: Store) -> None:
    run(store)
    accept(store)
    assert not store.next_has_slot()
    remove_all_jobs(store)
    accept(store)
    assert store.next_has_slot()


def test_running_jobs_share_what_the_cluster_has(store: Store) -> None:
    store.note_capacity(8, 0)
    first = run(store)
    assert slots(store, first) == [None]
    store.share_slots()
    assert slots(store, first) == [8]
    second, third = run(store), run(store, priority=2)
    waits = accept(store)
    store.share_slots()
    assert slots(store, first, second, third, waits.id) == [2, 2, 4, None]
    assert store.request_pause(third).slots == 4
    store.share_slots()
    # It runs no trial now, and starts none: its one slot costs nothing.
    assert slots(store, first, second, third) == [4, 4, 1]


def test_a_share_ends_with_the_run_and_is_read_with_the_lease(store: Store) -> None:
    store.note_capacity(3, 0)
    job = accept(store, 5)
    lease = claim(store)
    assert store.renew_lease(lease, 60) == Held(JobState.RUNNING, 1)
    store.share_slots()
    assert store.renew_lease(lease, 60) == Held(JobState.RUNNING, 3)
    store.release_job(lease)
    assert (slots(store, job.id), since(store, job.id)) == ([None], None)
    store.share_slots()
    assert slots(store, job.id) == [None]


def test_the_last_trials_need_fewer_slots(store: Store) -> None:
    store.note_capacity(4, 0)
    job = accept(store, 3)
    lease = claim(store)
    store.share_slots()
    assert slots(store, job.id) == [3]
    for number in (0, 1):
        store.start_trial(lease, number, node=None)
    store.request_pause(job.id)
    store.share_slots()
    assert slots(store, job.id) == [2]
    store.finish_trial(lease, 0, TrialState.SUCCEEDED)
    store.share_slots()
    assert slots(store, job.id) == [1]


def test_trials_of_a_later_round_need_no_slot_yet(store: Store) -> None:
    store.note_capacity(8, 0)
    job_id, other = run(store, 20), run(store, 20)
    lease = Lease(job_id, "controller", 1)
    found = []
    for at_once in (3, 1, 6, None):
        store.write(lease, [PlanTrials(20, at_once=at_once)])
        store.share_slots()
        found.append(slots(store, job_id, other))
    assert found == [[3, 5], [1, 7], [4, 4], [4, 4]]
    store.write(lease, [PlanTrials(20, at_once=1)])
    for number in range(20):
        store.start_trial(lease, number, node=None)
        store.finish_trial(lease, number, TrialState.FAILED)
    store.finish_job(lease, JobState.FAILED)
    store.retry_failed(job_id)
    claim(store)
    store.share_slots()
    assert slots(store, job_id, other) == [4, 4], "what a former run came to is forgotten"


def test_paused_trials_need_one_slot_together(store: Store) -> None:
    store.note_capacity(8, 0)
    job_id = run(store, 6)
    lease = Lease(job_id, "controller", 1)
    for number in range(5):
        store.start_trial(lease, number, node=None)
        store.pause_trial(lease, number)
    store.share_slots()
    assert slots(store, job_id) == [2]
    store.start_trial(lease, 5, node=None)
    store.finish_trial(lease, 5, TrialState.STOPPED)
    store.share_slots()
    assert slots(store, job_id) == [1]
    # While promoted trials run, another one may follow.
    store.start_trial(lease, 0, node=None)
    store.share_slots()
    assert slots(store, job_id) == [2]


def test_a_job_keeps_to_its_own_limit(store: Store) -> None:
    store.note_capacity(8, 0)
    limited, other = run(store, most=2), run(store)
    store.share_slots()
    assert slots(store, limited, other) == [2, 6]


def test_without_a_known_capacity_everybody_has_one(store: Store) -> None:
    jobs = [run(store), run(store)]
    store.share_slots()
    assert slots(store, *jobs) == [1, 1]


def test_the_capacity_may_change(store: Store) -> None:
    job = run(store)
    for cpu in (2, 2, 0.0, 5):
        store.note_capacity(cpu, 0.0)
        store.share_slots()
        assert slots(store, job) == [cpu or 1]
    for amounts in ((-1, 0), (float("nan"), 0), (1, float("inf")), (True, 0)):
        with pytest.raises(ValueError, match=r"cpu|gpu"):
            store.note_capacity(*amounts)


#: A turn that is long beside the time that a test takes.
LONG_TURN = 1_000.0


def test_jobs_take_turns_by_the_databases_clock(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "TURN_SECONDS", turn := LONG_TURN)
    store.note_capacity(1, 0)
    first = run(store, priority=10)
    store.share_slots()
    second = run(store, priority=20)
    store.share_slots()
    assert slots(store, first, second) == [1, 0]
    began = since(store, second)
    store.share_slots()
    assert since(store, second) == began
    pass_time(store, turn)
    store.share_slots()
    assert slots(store, first, second) == [0, 1]
    pass_time(store, 1.5 * turn)
    store.share_slots()
    assert slots(store, first, second) == [0, 1]
    pass_time(store, 0.5 * turn)
    store.share_slots()
    assert slots(store, first, second) == [1, 0]


def test_what_does_not_change_is_not_written(store: Store) -> None:
    store.note_capacity(4, 0)
    jobs = [run(store), run(store)]
    store.share_slots()
    change(store, _REFUSE_WRITES[store._database.is_sqlite])
    try:
        store.share_slots()
        store.note_capacity(4, 0)
    finally:
        change(store, _ALLOW_WRITES[store._database.is_sqlite])
    assert slots(store, *jobs) == [2, 2]


_REFUSE_WRITES = {
    True: "CREATE TRIGGER refuse BEFORE UPDATE ON jobs BEGIN SELECT RAISE(ABORT, 'no'); END",
    False: "ALTER TABLE jobs ADD CONSTRAINT refuse CHECK (false) NOT VALID",
}
_ALLOW_WRITES = {True: "DROP TRIGGER refuse", False: "ALTER TABLE jobs DROP CONSTRAINT refuse"}


def test_a_job_that_cannot_be_read_keeps_its_slots(store: Store) -> None:
    store.note_capacity(6, 0)
    unreadable, other = run(store), run(store)
    store.share_slots()
    change(store, f"UPDATE jobs SET spec = '{{}}' WHERE id = '{unreadable}'")
    store.share_slots()
    assert slots(store, other) == [6]
    leased = store.leased_jobs()[unreadable].lease
    assert store.renew_lease(leased, 60) == Held(JobState.RUNNING, 3)


def test_several_controllers_agree(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Share from several connections at once, while the jobs come and go."""
    monkeypatch.setattr(shares, "TURN_SECONDS", LONG_TURN)
    remove_all_jobs(store)
    store.note_capacity(2, 0)
    jobs = [run(store, priority=10) for _ in range(5)]
    stores = [open_store(store.url) for _ in range(4)]
    barrier = Barrier(len(stores))

    def share_often(each: Store) -> None:
        barrier.wait()
        for _ in range(10):
            each.share_slots()

    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(share_often, stores))
        assert slots(store, *jobs) == [1, 1, 0, 0, 0]
        pass_time(store, 2 * LONG_TURN)
        list(pool.map(share_often, stores))
        assert slots(store, *jobs) == [0, 0, 1, 1, 0]
        for job_id in jobs[2:4]:
            store.request_cancel(job_id)
        list(pool.map(share_often, stores))
    assert slots(store, *jobs) == [1, 0, None, None, 1]
    for each in stores:
        each.close()


def test_the_priority_of_an_unfinished_job_changes_its_share(store: Store) -> None:
    store.note_capacity(8, 0)
    first, second = run(store), run(store)
    assert store.set_priority(second, 3) == replace(store.job(second), priority=3)
    store.share_slots()
    assert slots(store, first, second) == [2, 6]
    assert store.set_priority(second, 1).priority == 1
    store.share_slots()
    assert slots(store, first, second) == [4, 4]


def _finished(store: Store, state: JobState) -> JobRecord:
    job = accept(store)
    store.finish_job(claim(store), state)
    return store.job(job.id)


def test_a_priority_is_an_event_once(store: Store) -> None:
    job = accept(store)
    after = store.last_event()
    store.set_priority(job.id, 100)
    store.set_priority(job.id, 100)
    (event,) = store.events(after=after)
    assert (event.trial, event.state, event.detail) == (None, "queued", "priority 100")
    store.request_pause(job.id)
    assert store.set_priority(job.id, 1).state is JobState.PAUSED


@pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.FAILED])
def test_a_finished_job_has_no_priority_to_change(store: Store, state: JobState) -> None:
    job = _finished(store, state)
    with pytest.raises(IllegalMove, match=f"has {state}") as refused:
        store.set_priority(job.id, 2)
    assert refused.value.hint
    assert store.job(job.id) == job


@pytest.mark.parametrize("priority", [0, 101, 1.5, True, "2"])
def test_priorities_are_whole_numbers_from_1_to_100(store: Store, priority: int) -> None:
    job = accept(store)
    with pytest.raises(ValueError, match="from 1 to 100"):
        store.set_priority(job.id, priority)


@pytest.mark.parametrize("job_id", UNKNOWN_IDS)
def test_a_priority_of_an_unknown_job(store: Store, job_id: str) -> None:
    with pytest.raises(JobNotFound):
        store.set_priority(job_id, 2)
