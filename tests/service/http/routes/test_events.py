"""The streams of events: what they begin with, how they resume, when they end."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from fastapi.testclient import TestClient

from results.store import Store
from service.http.live import Live
from service.http.readings import Readings
from service.http.routes.events import all_events, events
from tests.service.http.samples import run, submit
from tests.service.stand_ins import away, claim


def parts(text: str) -> list[dict[str, str]]:
    """Return the fields of each event of a stream."""
    blocks = [block.splitlines() for block in text.strip().split("\n\n")]
    return [dict(line.split(": ", 1) for line in block if line[0] != ":") for block in blocks]


def test_a_stream_shows_everything_and_ends_with_the_job(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]
    run(store, job_id)
    answer = client.get(f"/api/v1/jobs/{job_id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    sent = parts(answer.text)
    assert [event["event"] for event in sent] == ["trial", "trial", "trial", "job"]
    assert json.loads(sent[-1]["data"])["state"] == "succeeded"
    assert [event.get("id") for event in sent] == [None] * 3 + [str(store.last_event())]


@pytest.mark.parametrize("how", ["header", "query", "both"])
def test_a_stream_goes_on_after_the_given_id(client: TestClient, store: Store, how: str) -> None:
    job_id = submit(client)["id"]
    run(store, job_id)
    changes = store.events(job_id=job_id, limit=1000)
    after = str(changes[3].id)
    headers = {"Last-Event-ID": after} if how != "query" else {}
    # A browser's EventSource repeats its address with the header: the header counts.
    params = {"query": {"after": after}, "both": {"after": "0"}}.get(how, {})
    answer = client.get(f"/api/v1/jobs/{job_id}/events", headers=headers, params=params)
    assert [e["id"] for e in parts(answer.text) if "id" in e] == [str(e.id) for e in changes[4:]]


@pytest.mark.parametrize("path", ["/api/v1/events", "/api/v1/jobs/{job_id}/events"])
@pytest.mark.parametrize("bad", ["-1", "soon", "1.5", str(2**63), ""])
def test_an_id_that_is_none_is_a_422(client: TestClient, path: str, bad: str) -> None:
    target = path.format(job_id=submit(client)["id"])
    for pointer, request in {
        "/header/Last-Event-ID": {"headers": {"Last-Event-ID": bad}},
        "/query/after": {"params": {"after": bad}},
    }.items():
        kept: dict[str, Any] = request
        answer = client.get(target, **kept)
        assert answer.status_code == 422, (pointer, answer.text)
        (error,) = answer.json()["errors"]
        assert error["pointer"].lower() == pointer.lower()
        assert error["hint"]


def test_a_stream_of_an_unknown_job_is_a_404(client: TestClient) -> None:
    assert client.get("/api/v1/jobs/0123456789abcdef/events").status_code == 404


def test_a_stream_ends_when_the_job_is_deleted(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]

    async def follow() -> list[str | None]:
        stream = events(job_id, Readings(store, ""), Live(store, 8, poll_seconds=0.01))
        first = [await anext(stream) for _ in range(4)]
        store.request_cancel(job_id)
        store.delete_job(job_id)
        return [event.event for event in [*first, *[event async for event in stream]]]

    assert asyncio.run(follow()) == ["trial", "trial", "trial", "job"]


def test_a_stream_ends_when_another_version_has_changed_the_job(
    client: TestClient, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = submit(client)["id"]
    caplog.set_level("INFO")

    async def follow() -> list[str | None]:
        stream = events(job_id, Readings(store, ""), Live(store, 8, poll_seconds=0.01))
        first = [await anext(stream) for _ in range(4)]
        store.start_trial(claim(store), 0, node="here")
        with closing(sqlite3.connect(str(store.url).removeprefix("sqlite:///"))) as database:
            database.execute("UPDATE trials SET state = 'dreaming' WHERE number = 0")
            database.commit()
        return [event.event for event in [*first, *[event async for event in stream]]]

    assert asyncio.run(follow()) == ["trial", "trial", "trial", "job"]
    assert (
        f"a stream of job {job_id} ends: this version of argbest has no TrialState" in caplog.text
    )


def test_streams_end_while_the_database_is_away(client: TestClient, store: Store) -> None:
    job_id = submit(client)["id"]

    async def follow() -> list[object]:
        live = Live(store, 8, poll_seconds=0.01)
        readings = Readings(store, "")
        one, every = events(job_id, readings, live), all_events(readings, live)
        first = [*[await anext(one) for _ in range(4)], await anext(every)]
        with away(store):
            return [*first, *[event async for event in one], *[event async for event in every]]

    assert len(asyncio.run(follow())) == 5


def test_all_jobs_are_followed_by_one_stream(client: TestClient, store: Store) -> None:
    async def follow() -> list[tuple[str | None, str | None]]:
        stream = all_events(Readings(store, ""), Live(store, 8, poll_seconds=0.01))
        sent = [await anext(stream)]
        first, second = submit(client)["id"], submit(client)["id"]
        store.request_cancel(first)
        store.request_cancel(second)
        wanted = len(store.events(limit=1000))
        sent += [await anext(stream) for _ in range(wanted)]
        return [(event.event, event.id) for event in sent]

    sent = asyncio.run(follow())
    changes = [("change", str(event.id)) for event in store.events(limit=1000)]
    assert sent == [("start", "0"), *changes]
