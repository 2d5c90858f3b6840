"""Streams that follow the same job share each reading and each text; none of them is old."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any

import pytest
from fastapi.sse import ServerSentEvent
from fastapi.testclient import TestClient

from results.records import Event, Lease, TrialRecord
from results.store import Store
from service.http.feeds import EventFeed, Feed, JobFeed
from service.http.live import Look
from service.http.readings import EventReadings, JobReadings, Readings
from tests.service.http.samples import submit
from tests.service.http.test_feeds import Busy, job_readings, look_at, named, report, rows
from tests.service.stand_ins import claim

STREAMS = 50


class Counting(Store):
    """Counts what is read of trials and of events."""

    reads = 0

    def trials(self, job_id: str) -> tuple[TrialRecord, ...]:
        self.reads += 1
        return super().trials(job_id)

    def moving_trials(self, job_id: str, numbers: Collection[int]) -> tuple[TrialRecord, ...]:
        self.reads += 1
        return super().moving_trials(job_id, numbers)

    def events(self, **keywords: Any) -> tuple[Event, ...]:
        self.reads += "job_id" not in keywords
        return super().events(**keywords)


@pytest.fixture
def counting(store: Store) -> Iterator[Counting]:
    counting = Counting(store.url)
    yield counting
    counting.close()


def after(look: Look, feeds: Sequence[Feed]) -> list[list[ServerSentEvent]]:
    """Return what each feed sends after a look, all of them at the same time."""

    async def gather() -> list[list[ServerSentEvent]]:
        turns = [feed.shared.in_turn(partial(feed.changes, look)) for feed in feeds]
        return await asyncio.gather(*turns)

    return asyncio.run(gather())


def followed(client: TestClient, store: Store) -> tuple[JobReadings, Lease, int]:
    """Submit a job and start its first trial; return its readings, its lease and the attempt."""
    readings = job_readings(store, submit(client)["id"])
    lease = claim(store)
    return readings, lease, store.start_trial(lease, 0, node="here")


def ids(sent: Sequence[ServerSentEvent]) -> list[tuple[str | None, int]]:
    return [(event.event, int(event.id)) for event in sent if event.id is not None]


def test_fifty_streams_read_and_write_once(
    client: TestClient, store: Store, counting: Counting
) -> None:
    job_id = submit(client)["id"]
    readings = job_readings(counting, job_id)
    feeds = [JobFeed(readings, None) for _ in range(STREAMS)]
    lease = claim(store)
    for step in range(3):
        before, known = counting.reads, store.last_event()
        if step:
            store.start_trial(lease, step, node="here")
        sent = after(look_at(store), feeds)
        assert counting.reads == before + 1
        assert all([*map(id, one)] == [*map(id, sent[0])] for one in sent)
        if step:
            assert ids(sent[0]) == named(rows(store, job_id, known))
    assert not any(feed.concerns(look_at(store)) for feed in feeds)


def test_fifty_streams_of_all_jobs_read_once(
    client: TestClient, store: Store, counting: Counting
) -> None:
    readings = EventReadings(counting)
    feeds = [EventFeed(readings, None) for _ in range(STREAMS)]
    after(look_at(store), feeds)
    before = counting.reads
    submit(client)
    sent = after(look_at(store), feeds)
    assert counting.reads == before + 1
    assert [ids(one) for one in sent] == [[("change", e.id) for e in rows(store)]] * STREAMS


def test_streams_that_lack_different_changes_are_each_sent_theirs(
    client: TestClient, store: Store
) -> None:
    readings, lease, attempt = followed(client, store)
    job_id = readings.job_id
    level = [JobFeed(readings, None) for _ in range(2)]
    after(look_at(store), level)
    known = store.last_event()
    store.start_trial(lease, 1, node="here")
    report(store, lease, 0, attempt, 1)
    all_rows = rows(store, job_id)
    feeds = [level[0], *[JobFeed(readings, row.id) for row in all_rows], level[1]]
    lacked = [known, *[row.id for row in all_rows], known]
    sent = after(look_at(store), feeds)
    for one, last in zip(sent, lacked, strict=True):
        assert ids(one) == named(rows(store, job_id, last))
        # The progress of trial 0 comes once, alone or with the change that is lacked.
        trials = [json.loads(e.raw_data or "") for e in one if e.event == "trial"]
        assert [trial["epochs"] for trial in trials if trial["number"] == 0] == [1]
    later = after(look_at(store), [feed for feed in feeds if feed.concerns(look_at(store))])
    assert not any(later)


def test_a_reading_from_before_a_look_is_not_used_after_it(
    client: TestClient, store: Store
) -> None:
    readings, lease, attempt = followed(client, store)
    first, second = (JobFeed(readings, None) for _ in range(2))
    for feed in (first, second):
        feed.changes(look_at(store))
    report(store, lease, 0, attempt, 1)
    old = look_at(store)
    assert [event.event for event in first.changes(old)] == ["trial", "job"]
    report(store, lease, 0, attempt, 2)
    # What was read for the old look is still kept, under the same id of the last event.
    trial, job = second.changes(look_at(store))
    assert ('"epochs":2' in str(trial.raw_data), job.event) == (True, "job")
    trial, job = first.changes(look_at(store))
    assert ('"epochs":2' in str(trial.raw_data), job.event) == (True, "job")


def until_level(look: Look, feeds: Sequence[Feed]) -> list[list[ServerSentEvent]]:
    """Return what each feed sends until it has all that is there, as parallel streams do."""

    async def stream(feed: Feed) -> list[ServerSentEvent]:
        sent = []
        for _ in range(10):
            sent += await feed.shared.in_turn(partial(feed.changes, look))
            if not feed.has_more:
                return sent
        raise AssertionError("a feed asks for the same again and again")

    async def gather() -> list[list[ServerSentEvent]]:
        return await asyncio.gather(*map(stream, feeds))

    return asyncio.run(gather())


def test_a_change_amid_a_reading_of_progress_reaches_all_streams(
    client: TestClient, store: Store
) -> None:
    job_id, lease = submit(client)["id"], claim(store)
    busy = Busy(store.url)
    readings = job_readings(busy, job_id)
    feeds = [JobFeed(readings, None) for _ in range(3)]
    attempt = store.start_trial(lease, 0, node="here")
    until_level(look_at(store), feeds)
    report(store, lease, 0, attempt, 1)
    known, busy.lease = store.last_event(), lease
    # Nothing but progress is there when the first one reads; then a trial starts.
    for sent in until_level(look_at(store), feeds):
        assert ids(sent) == named(rows(store, job_id, known))
        epochs = [json.loads(e.raw_data or "").get("epochs") for e in sent if e.event == "trial"]
        assert sorted(epochs) == [0, 1]
    busy.close()


def test_a_look_from_before_the_last_change_sends_nothing_twice(
    client: TestClient, store: Store
) -> None:
    readings, lease, attempt = followed(client, store)
    feeds = [JobFeed(readings, None) for _ in range(2)]
    until_level(look_at(store), feeds)
    report(store, lease, 0, attempt, 1)
    old = look_at(store)
    store.start_trial(lease, 1, node="here")
    until_level(look_at(store), feeds)
    assert not any(ids(sent) for sent in until_level(old, feeds))
    assert not any(until_level(look_at(store), feeds))


def test_nothing_is_kept_when_nobody_waits(client: TestClient, store: Store) -> None:
    readings = Readings(store, "")
    shared = readings.of_job(submit(client)["id"])
    feeds = [JobFeed(shared, None) for _ in range(3)]
    sent = after(look_at(store), feeds)
    assert sent[0][0] is sent[2][0]
    assert after(look_at(store), [JobFeed(shared, None)])[0][0] is not sent[0][0]
    assert shared._kept == {}
    assert readings.of_job(shared.job_id) is shared
    del shared, feeds
    gc.collect()
    assert not readings._jobs


def test_slow_readings_of_a_job_pause_for_all_its_streams_alike(
    client: TestClient, store: Store
) -> None:
    now = 0.0

    class Slow(Store):
        def moving_trials(self, job_id: str, numbers: Collection[int]) -> tuple[TrialRecord, ...]:
            nonlocal now
            now += 1.0
            return super().moving_trials(job_id, numbers)

    slow = Slow(store.url)
    job_id = submit(client)["id"]
    readings = JobReadings(slow, job_id, clock=lambda: now)
    lease = claim(store)
    feeds = [JobFeed(readings, None) for _ in range(3)]
    after(look_at(store), feeds)
    store.start_trial(lease, 0, node="here")
    first = after(look_at(store), feeds)
    store.start_trial(lease, 1, node="here")
    now = 4.9
    assert after(look_at(store), feeds) == [[], [], []]
    # A client that has just come does not wait.
    assert after(look_at(store), [JobFeed(readings, int(first[0][0].id or 0))])[0]
    now = 7.0
    sent = after(look_at(store), feeds)
    assert [len(ids(one)) for one in sent] == [1, 1, 1]
    slow.close()
