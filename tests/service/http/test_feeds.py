"""A feed sends each change once, with its id and in order, and progress in between without one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Sequence
from typing import Any

import pytest
from fastapi.testclient import TestClient

from results.errors import JobNotFound
from results.records import EpochReport, Event, Lease, TrialRecord
from results.states import JobState, TrialState
from results.store import Store
from service.http import feeds, readings
from service.http.feeds import EventFeed, Feed, JobFeed
from service.http.live import Live, Look
from service.http.readings import EventReadings, JobReadings
from tests.service.http.samples import metrics_at, run, submit
from tests.service.stand_ins import claim


class Seen:
    """What a client of a feed is sent: looks until there is nothing more, as a stream does."""

    def __init__(self, store: Store, feed: Feed) -> None:
        self._store, self.feed = store, feed

    def new(self) -> list[tuple[str, int | None, Any]]:
        """Return the kind, the id and the object of each new event."""
        sent = []
        look = look_at(self._store)
        while self.feed.concerns(look):
            sent += self.feed.changes(look)
            if not self.feed.has_more:
                break
        return [
            (str(e.event), None if e.id is None else int(e.id), json.loads(e.raw_data or ""))
            for e in sent
        ]

    def short(self) -> list[tuple[str, int | None]]:
        return [(kind, number) for kind, number, _ in self.new()]


def look_at(store: Store) -> Look:
    look = asyncio.run(Live(store, 8).now())
    assert look is not None
    return look


def job_readings(store: Store, job_id: str) -> JobReadings:
    """Readings that never pause: their clock stands still."""
    return JobReadings(store, job_id, clock=lambda: 0.0)


def follow(store: Store, job_id: str, after: int | None = None) -> Seen:
    return Seen(store, JobFeed(job_readings(store, job_id), after))


def rows(store: Store, job_id: str | None = None, after: int = 0) -> tuple[Event, ...]:
    return store.events(after=after, job_id=job_id, limit=10_000)


def named(events: Sequence[Event]) -> list[tuple[str, int | None]]:
    return [("job" if e.trial is None else "trial", e.id) for e in events]


def report(store: Store, lease: Lease, number: int, attempt: int, *epochs: int) -> None:
    store.write_reports(
        lease, [EpochReport(number, attempt, e, metrics_at(e, 0.5), float(e)) for e in epochs]
    )


def test_a_job_is_sent_whole_then_each_change_once(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    last = store.last_event()
    seen = follow(store, job_id)
    assert seen.short() == [("trial", None)] * 3 + [("job", last)]
    assert seen.new() == []
    lease = claim(store)
    attempt = store.start_trial(lease, 1, node="here")
    changes = rows(store, job_id, last)
    sent = seen.new()
    assert [(kind, number) for kind, number, _ in sent] == named(changes)
    for (_, _, data), row in zip(sent, changes, strict=True):
        assert data["change"]["state"] == data["state"] == row.state
        assert (data["change"]["id"], data["change"]["trial"]) == (row.id, row.trial)
    report(store, lease, 1, attempt, 1, 2)
    (kind, number, trial), (last_kind, last_number, job) = seen.new()
    assert (kind, number, last_kind, last_number) == ("trial", None, "job", None)
    assert (trial["number"], trial["epochs"], job["progress"]["epochs_done"]) == (1, 2, 2)
    assert "change" not in trial
    assert seen.new() == []
    assert not seen.feed.has_ended


def test_the_end_of_a_job_is_the_last_event(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    seen = follow(store, job_id)
    first = store.last_event()
    assert len(seen.new()) == 4
    run(store, job_id)
    sent = seen.new()
    assert [(k, n) for k, n, _ in sent] == named(rows(store, job_id, first))
    assert sent[-1][2]["change"]["state"] == sent[-1][2]["state"] == "succeeded"
    # Several changes of one trial between two looks are each sent, with the trial as it is now.
    states = [(d["change"]["state"], d["state"]) for k, _, d in sent if k == "trial"]
    assert states.count(("running", "succeeded")) == 3
    assert seen.feed.has_ended


def test_whoever_comes_back_is_sent_what_came_after_the_last_id(
    client: TestClient, store: Store
) -> None:
    job_id = submit(client)["id"]
    run(store, job_id)
    everything = rows(store, job_id)
    for number in range(len(everything)):
        after = everything[number].id
        seen = follow(store, job_id, after)
        sent = seen.new()
        with_id = [(kind, own) for kind, own, _ in sent if own is not None]
        assert with_id == named(everything[number + 1 :])
        assert (sent[-1][0], sent[-1][2]["state"]) == ("job", "succeeded")
        assert seen.feed.has_ended


def test_whoever_comes_back_from_before_the_job_is_sent_its_trials_too(
    client: TestClient, store: Store
) -> None:
    submit(client)
    before = store.last_event()
    job_id = submit(client)["id"]
    claim(store)
    store.start_trial(claim(store), 1, node="here")
    sent = follow(store, job_id, before).new()
    assert [number for kind, number, _ in sent if number is not None] == [
        row.id for row in rows(store, job_id)
    ]
    trials = [data["number"] for kind, _, data in sent if kind == "trial"]
    assert sorted(trials) == [0, 1, 2]


def test_progress_that_was_missed_is_sent_again(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    lease = claim(store)
    attempts = [store.start_trial(lease, number, node="here") for number in (0, 2)]
    report(store, lease, 0, attempts[0], 1, 2)
    sent = follow(store, job_id, store.last_event()).new()
    assert [(k, n, d.get("number"), d.get("epochs")) for k, n, d in sent] == [
        ("trial", None, 0, 2), ("trial", None, 2, 0), ("job", None, None, None),
    ]  # fmt: skip


def test_more_changes_than_are_read_at_once_are_all_sent(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "MOST_ROWS", 2)
    monkeypatch.setattr(feeds, "MOST_ROWS", 2)
    job_id = submit(client)["id"]
    run(store, job_id)
    everything = rows(store, job_id)
    assert len(everything) > 6
    one = follow(store, job_id, everything[0].id)
    assert one.short() == named(everything[1:])
    assert one.feed.has_ended
    assert Seen(store, EventFeed(EventReadings(store), 0)).short() == [
        ("change", e.id) for e in everything
    ]


class Busy(Store):
    """A store in which trial 1 starts just after a feed has read the job's events."""

    lease: Lease | None = None

    def moving_trials(self, job_id: str, numbers: Collection[int]) -> tuple[TrialRecord, ...]:
        if self.lease is not None:
            lease, self.lease = self.lease, None
            self.start_trial(lease, 1, node="here")
        return super().moving_trials(job_id, numbers)


def test_a_change_while_a_feed_reads_comes_once_with_its_id(
    client: TestClient, store: Store
) -> None:
    job_id = submit(client)["id"]
    busy = Busy(store.url)
    seen = follow(busy, job_id)
    seen.new()
    lease, first = claim(store), store.last_event()
    busy.start_trial(lease, 0, node="here")
    busy.lease = lease
    changes = seen.new()
    numbers = [number for kind, number, data in changes if data.get("number") == 1]
    started = [e.id for e in rows(store, job_id, first) if e.trial == 1]
    assert numbers == started
    assert len([e for e in changes if e[1] is not None]) == len(rows(store, job_id, first)) + 1
    busy.close()


def test_a_job_that_ends_while_a_feed_reads_is_not_left_too_early(
    client: TestClient, store: Store
) -> None:
    job_id = submit(client)["id"]

    class Ending(Store):
        def events(self, **keywords: Any) -> tuple[Event, ...]:
            found = super().events(**keywords)
            if store.job(job_id).state is JobState.QUEUED:
                store.request_cancel(job_id)
            return found

    ending = Ending(store.url)
    after = store.last_event()
    seen = Seen(ending, JobFeed(job_readings(ending, job_id), after))
    assert [n for _, n in seen.short() if n is not None] == [
        e.id for e in rows(store, job_id, after)
    ]
    assert seen.feed.has_ended
    ending.close()


def test_all_jobs_are_followed_from_now_on_or_from_an_id(client: TestClient, store: Store) -> None:
    first = submit(client)["id"]
    last = store.last_event()
    seen = Seen(store, EventFeed(EventReadings(store), None))
    assert seen.new() == [("start", last, {"last": last})]
    second = submit(client)["id"]
    store.request_cancel(first)
    changes = rows(store, after=last)
    sent = seen.new()
    assert [(k, n) for k, n, _ in sent] == [("change", e.id) for e in changes]
    assert {data["job_id"] for _, _, data in sent} == {first, second}
    assert sent[-1][2] == {
        "id": changes[-1].id, "job_id": first, "trial": None, "state": "cancelled",
        "at": changes[-1].at.isoformat().replace("+00:00", "Z"), "attempt": None,
        "detail": changes[-1].detail,
    }  # fmt: skip
    assert Seen(store, EventFeed(EventReadings(store), changes[0].id)).short() == [
        ("change", e.id) for e in changes[1:]
    ]
    assert len(Seen(store, EventFeed(EventReadings(store), 0)).new()) == len(rows(store))


def test_an_id_after_which_events_are_gone_is_told_and_everything_follows(
    client: TestClient, store: Store
) -> None:
    former = submit(client)["id"]
    store.request_cancel(former)
    old = rows(store)[0].id
    store.prune_events(0)
    job_id = submit(client)["id"]
    oldest = rows(store)[0].id
    all_jobs = Seen(store, EventFeed(EventReadings(store), old)).new()
    assert all_jobs[0] == ("gone", None, {"after": old, "oldest": oldest})
    assert [n for _, n, _ in all_jobs[1:]] == [e.id for e in rows(store)]
    one = follow(store, job_id, old).new()
    assert one[0] == ("gone", None, {"after": old, "oldest": oldest})
    assert [kind for kind, _, _ in one[1:]] == ["trial"] * 3 + ["job"]
    # The change before the oldest one that is kept is the last that may be known.
    assert follow(store, job_id, oldest - 1).short()[0][0] != "gone"


def test_an_id_of_another_database_is_gone(client: TestClient, store: Store) -> None:
    assert Seen(store, EventFeed(EventReadings(store), 7)).new() == [
        ("gone", None, {"after": 7, "oldest": None})
    ]
    job_id = submit(client)["id"]
    only = store.last_event()
    kind, _, data = Seen(store, EventFeed(EventReadings(store), 10**6)).new()[0]
    assert (kind, data) == ("gone", {"after": 10**6, "oldest": only})
    assert follow(store, job_id, 10**6).short()[0] == ("gone", None)


def test_a_reason_to_wait_that_others_cause_is_sent(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    lease = claim(store)
    assert lease.job_id == job_id
    queued = submit(client)["id"]
    seen = Seen(store, JobFeed(job_readings(store, queued), None))
    assert str(seen.new()[-1][2]["waiting"]).startswith("for a controller")
    look = look_at(store)
    full = Look(look.last, look.running, type(look.fleet)(look.fleet.shares, max_jobs=1))
    assert seen.feed.concerns(full)
    (event,) = seen.feed.changes(full)
    assert (event.event, event.id) == ("job", None)
    assert json.loads(event.raw_data or "")["waiting"].startswith("behind 1 running job:")
    assert not seen.feed.concerns(full)


def test_an_idle_feed_reads_nothing(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    lease = claim(store)
    store.start_trial(lease, 0, node="here")
    for feed in (JobFeed(job_readings(store, job_id), None), EventFeed(EventReadings(store), None)):
        seen = Seen(store, feed)
        assert seen.new()
        assert not seen.feed.concerns(look_at(store))


def test_a_deleted_job_ends_its_feed_with_an_error(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    seen = follow(store, job_id)
    seen.new()
    store.request_cancel(job_id)
    store.delete_job(job_id)
    with pytest.raises(JobNotFound):
        seen.new()


def test_a_finished_trial_that_ran_before_is_not_sent_again(
    client: TestClient, store: Store
) -> None:
    job_id = submit(client)["id"]
    lease = claim(store)
    store.start_trial(lease, 0, node="here")
    store.finish_trial(lease, 0, TrialState.FAILED)
    sent = follow(store, job_id, store.last_event()).new()
    assert [kind for kind, _, _ in sent] == ["job"]
