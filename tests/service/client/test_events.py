"""Following a job: server-sent events, reconnects, deadlines, outages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from service.client.client import Client
from service.client.connection import Clock
from service.client.errors import NotFound, ServerUnreachable, UnexpectedAnswer, WaitTimeout
from service.client.events import Message, messages
from service.client.types import JobEvent, TrialEvent


class FakeTime:
    """A clock that moves when somebody sleeps, or when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def clock(self) -> Clock:
        return Clock(now=lambda: self.seconds, sleep=self.pass_by)

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds


def job(state: str) -> Any:
    return {"id": "j", "state": state}


def trial(number: int) -> Any:
    return {"number": number}


def event(kind: str, data: dict[str, Any], event_id: str = "") -> str:
    line = f"id: {event_id}\n" if event_id else ""
    return f"{line}event: {kind}\ndata: {json.dumps(data)}\n\n"


class Server:
    """Answers ``GET /jobs/j`` with ``state`` and the n-th stream with ``streams[n]``."""

    def __init__(self, *streams: Callable[[], Iterator[bytes]] | Exception) -> None:
        self.streams = list(streams)
        self.state = "running"
        self.last_ids: list[str | None] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if not request.url.path.endswith("/events"):
            return httpx2.Response(200, json=job(self.state))
        self.last_ids.append(request.headers.get("Last-Event-ID"))
        stream = self.streams.pop(0)
        if isinstance(stream, Exception):
            raise stream
        headers = {"Content-Type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, content=stream())

    def client(self, time: FakeTime | None = None) -> Client:
        clock = (time or FakeTime()).clock()
        return Client("http://server.test", transport=httpx2.MockTransport(self), clock=clock)


def stream(*texts: str) -> Callable[[], Iterator[bytes]]:
    return lambda: iter([text.encode() for text in texts])


def breaking(*texts: str) -> Callable[[], Iterator[bytes]]:
    def parts() -> Iterator[bytes]:
        yield from (text.encode() for text in texts)
        raise httpx2.ReadError("broken off")

    return parts


def test_messages_of_a_stream() -> None:
    lines = [
        ": keep-alive",
        "",
        "id: 7",
        "event:job",
        "data: a",
        "data:b",
        "",
        "event: x",
        "",
        "data: c",
        "",
    ]
    found = [message for message in messages(lines) if message is not None]
    assert found == [Message("job", "a\nb", "7"), Message("", "c", "7")]


def test_each_keep_alive_lets_the_reader_look_at_the_clock() -> None:
    assert list(messages([": keep-alive", ""])) == [None, None]


def test_events_begin_with_the_job_and_end_when_it_has_finished() -> None:
    server = Server(stream(event("trial", {"number": 0}) + event("job", job("succeeded"))))
    with server.client() as client:
        found = list(client.events("j"))
    assert found == [
        JobEvent(job("running")),
        TrialEvent(trial(0)),
        JobEvent(job("succeeded")),
    ]


def test_finished_job_needs_no_stream() -> None:
    server = Server()
    server.state = "failed"
    with server.client() as client:
        assert list(client.events("j")) == [JobEvent(job("failed"))]


def test_events_split_anywhere_arrive_whole() -> None:
    text = event("trial", {"number": 0}) + event("job", job("succeeded"))
    server = Server(stream(*text))
    with server.client() as client:
        assert [found.kind for found in client.events("j")] == ["job", "trial", "job"]


def test_broken_stream_is_opened_again_where_it_ended() -> None:
    server = Server(
        breaking(event("trial", {"number": 0}, "1")),
        httpx2.ConnectError("refused"),
        stream(event("trial", {"number": 1}, "2") + event("job", job("cancelled"))),
    )
    time = FakeTime()
    with server.client(time) as client:
        found = list(client.events("j"))
    assert [one.data.get("number") for one in found if one.kind == "trial"] == [0, 1]
    assert server.last_ids == [None, "1", "1"]
    assert time.seconds > 0


def test_last_event_that_got_lost_is_made_up_for() -> None:
    server = Server(stream(event("trial", {"number": 0})))
    with server.client() as client:
        followed = client.events("j")
        next(followed)
        server.state = "succeeded"
        assert list(followed)[-1] == JobEvent(job("succeeded"))


def test_kinds_of_a_newer_server_are_passed_over() -> None:
    server = Server(stream(event("weather", {}) + event("job", job("succeeded"))))
    with server.client() as client:
        assert len(list(client.events("j"))) == 2


def test_damaged_event_is_an_unexpected_answer() -> None:
    server = Server(stream("event: job\ndata: {\n\n"))
    with server.client() as client, pytest.raises(UnexpectedAnswer, match="not JSON"):
        list(client.events("j"))


def test_unknown_job_is_told_at_once() -> None:
    transport = httpx2.MockTransport(lambda _: httpx2.Response(404, json={"detail": "no job"}))
    with Client("http://server.test", transport=transport) as client, pytest.raises(NotFound):
        list(client.events("j"))


def test_wait_returns_the_finished_job() -> None:
    server = Server(stream(event("job", job("succeeded"))))
    with server.client() as client:
        assert client.wait("j") == job("succeeded")


def test_wait_gives_up_in_time_although_keep_alives_come() -> None:
    time = FakeTime()

    def forever() -> Iterator[bytes]:
        while True:
            time.pass_by(15)
            yield b": keep-alive\n\n"

    server = Server(forever)
    with server.client(time) as client, pytest.raises(WaitTimeout, match="goes on"):
        client.wait("j", timeout=100)
    assert 100 <= time.seconds <= 115


def test_wait_gives_up_in_time_although_streams_end_early() -> None:
    time = FakeTime()
    server = Server(*[stream() for _ in range(20)])
    with server.client(time) as client, pytest.raises(WaitTimeout):
        client.wait("j", timeout=10)
    assert 10 <= time.seconds < 12


def test_outage_of_a_minute_is_borne_and_a_longer_one_is_not() -> None:
    time = FakeTime()
    server = Server(*[httpx2.ConnectError("refused")] * 40)
    with server.client(time) as client, pytest.raises(ServerUnreachable):
        client.wait("j")
    assert 60 <= time.seconds < 80
