"""Following a job: server-sent events, reconnects, deadlines, outages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from service.client.client import Client
from service.client.errors import NotFound, ServerUnreachable, UnexpectedAnswer, WaitTimeout
from service.client.events import JobEvent, TrialEvent
from service.schemas import JobView, TrialView
from tests.service.client.fakes import URL, FakeTime, client_of, job, trial


def job_event(state: str) -> JobEvent:
    return JobEvent(JobView.model_validate(job(state)))


def trial_event(number: int) -> TrialEvent:
    return TrialEvent(TrialView.model_validate(trial(number)))


def event(kind: str, data: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"


class Server:
    """Answers ``GET /jobs/j`` with ``state`` and the n-th stream with ``streams[n]``."""

    def __init__(self, *streams: Callable[[], Iterator[bytes]] | Exception) -> None:
        self.streams = list(streams)
        self.state = "running"

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if not request.url.path.endswith("/events"):
            return httpx2.Response(200, json=job(self.state))
        stream = self.streams.pop(0)
        if isinstance(stream, Exception):
            raise stream
        headers = {"Content-Type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, content=stream())

    def client(self, time: FakeTime | None = None) -> Client:
        return client_of(self, time)


def stream(*texts: str) -> Callable[[], Iterator[bytes]]:
    return lambda: iter([text.encode() for text in texts])


def breaking(*texts: str) -> Callable[[], Iterator[bytes]]:
    def parts() -> Iterator[bytes]:
        yield from (text.encode() for text in texts)
        raise httpx2.ReadError("broken off")

    return parts


def test_events_begin_with_the_job_and_end_when_it_has_finished() -> None:
    server = Server(stream(event("trial", trial(0)) + event("job", job("succeeded"))))
    with server.client() as client:
        found = list(client.events("j"))
    assert found == [
        job_event("running"),
        trial_event(0),
        job_event("succeeded"),
    ]


def test_finished_job_needs_no_stream() -> None:
    server = Server()
    server.state = "failed"
    with server.client() as client:
        assert list(client.events("j")) == [job_event("failed")]


def test_events_split_anywhere_arrive_whole() -> None:
    text = event("trial", trial(0)) + event("job", job("succeeded"))
    server = Server(stream(*text))
    with server.client() as client:
        assert [found.kind for found in client.events("j")] == ["job", "trial", "job"]


def test_broken_stream_is_opened_again() -> None:
    server = Server(
        breaking(event("trial", trial(0))),
        httpx2.ConnectError("refused"),
        stream(event("trial", trial(1)) + event("job", job("cancelled"))),
    )
    time = FakeTime()
    with server.client(time) as client:
        found = list(client.events("j"))
    assert [one.data.number for one in found if one.kind == "trial"] == [0, 1]
    assert time.seconds > 0


def test_last_event_that_got_lost_is_made_up_for() -> None:
    server = Server(stream(event("trial", trial(0))))
    with server.client() as client:
        followed = client.events("j")
        next(followed)
        server.state = "succeeded"
        assert list(followed)[-1] == job_event("succeeded")


def test_kinds_of_a_newer_server_are_passed_over() -> None:
    server = Server(stream(event("weather", {}) + event("job", job("succeeded"))))
    with server.client() as client:
        assert len(list(client.events("j"))) == 2


@pytest.mark.parametrize(("data", "message"), [("{", "Invalid JSON"), ("{}", "id: Field required")])
def test_damaged_event_is_an_unexpected_answer(data: str, message: str) -> None:
    server = Server(stream(f"event: job\ndata: {data}\n\n"))
    with server.client() as client, pytest.raises(UnexpectedAnswer, match=message):
        list(client.events("j"))


def test_stream_of_another_content_is_an_unexpected_answer() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        is_stream = request.url.path.endswith("/events")
        return httpx2.Response(200, text="<p>") if is_stream else httpx2.Response(200, json=job())

    with client_of(answer) as client, pytest.raises(UnexpectedAnswer, match="text/event-stream"):
        list(client.events("j"))


def test_event_of_a_megabyte_arrives() -> None:
    large = {**job("succeeded"), "spec": {"text": 2**20 * "x"}}
    server = Server(stream(event("job", large)))
    with server.client() as client:
        assert client.wait("j").spec == large["spec"]


def test_unknown_job_is_an_error_at_once() -> None:
    transport = httpx2.MockTransport(lambda _: httpx2.Response(404, json={"detail": "no job"}))
    with Client(URL, transport=transport) as client, pytest.raises(NotFound):
        list(client.events("j"))


def test_wait_returns_the_finished_job() -> None:
    server = Server(stream(event("job", job("succeeded"))))
    with server.client() as client:
        assert client.wait("j") == job_event("succeeded").data


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
