"""Following a job: server-sent events, reconnects, deadlines, outages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from service.client.client import Client
from service.client.errors import NotFound, ServerUnreachable, UnexpectedAnswer, WaitTimeout
from service.client.events import ChangeEvent, GoneEvent, JobEvent, StartEvent, TrialEvent
from service.schemas import ChangeView, GoneView, JobView, StartView, TrialView
from tests.service.client.fakes import URL, FakeTime, change, client_of, job, trial


def job_event(state: str, number: int | None = None) -> JobEvent:
    return JobEvent(JobView.model_validate(job(state)), number)


def trial_event(number: int, event_id: int | None = None) -> TrialEvent:
    return TrialEvent(TrialView.model_validate(trial(number)), event_id)


def change_event(number: int) -> ChangeEvent:
    return ChangeEvent(ChangeView.model_validate(change(number)), number)


def event(kind: str, data: dict[str, Any], number: int | None = None) -> str:
    id_line = "" if number is None else f"id: {number}\n"
    return f"event: {kind}\ndata: {json.dumps(data)}\n{id_line}\n"


class Server:
    """Answers ``GET /jobs/j`` with ``state`` and the n-th stream with ``streams[n]``."""

    def __init__(self, *streams: Callable[[], Iterator[bytes]] | Exception) -> None:
        self.streams = list(streams)
        self.state = "running"
        #: The `Last-Event-ID` of each stream that was asked for.
        self.asked: list[str | None] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if not request.url.path.endswith("/events"):
            return httpx2.Response(200, json=job(self.state))
        self.asked.append(request.headers.get("Last-Event-ID"))
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


def test_a_stream_that_broke_goes_on_after_the_last_id() -> None:
    server = Server(
        breaking(event("trial", trial(0), 4) + event("job", job("running"), 7)),
        httpx2.ConnectError("refused"),
        # Progress has no id: the last one stays.
        breaking(event("trial", trial(1))),
        stream(event("trial", trial(2), 9) + event("job", job("succeeded"), 10)),
    )
    with server.client() as client:
        found = list(client.events("j"))
    assert server.asked == [None, "7", "7", "7"]
    assert found == [
        job_event("running"),
        trial_event(0, 4), job_event("running", 7), trial_event(1), trial_event(2, 9),
        job_event("succeeded", 10),
    ]  # fmt: skip


def test_a_stream_that_ended_before_its_job_goes_on() -> None:
    time = FakeTime()
    server = Server(stream(event("trial", trial(0), 3)), stream(event("job", job("failed"), 4)))
    with server.client(time) as client:
        assert list(client.events("j"))[-1] == job_event("failed", 4)
    assert (server.asked, time.slept) == ([None, "3"], [1.0])


def test_changes_after_an_id_are_asked_for_also_of_a_finished_job() -> None:
    server = Server(stream(event("job", job("succeeded"), 12)))
    server.state = "succeeded"
    with server.client() as client:
        found = list(client.events("j", after=11))
    assert (server.asked, found[1:]) == (["11"], [job_event("succeeded", 12)])


def test_events_of_all_jobs_resume_and_end_in_time() -> None:
    time = FakeTime()

    def late() -> Iterator[bytes]:
        yield event("change", change(8), 8).encode()
        time.pass_by(60)
        yield b": keep-alive\n\n"

    server = Server(
        breaking(event("start", {"last": 0}, 0) + event("change", change(1), 1)),
        stream(event("gone", {"after": 1, "oldest": 7}), event("change", change(7), 7)),
        late,
    )
    with server.client(time) as client:
        found = list(client.events(timeout=60))
    assert server.asked == [None, "1", "7"]
    assert found == [
        StartEvent(StartView(last=0), 0), change_event(1),
        GoneEvent(GoneView(after=1, oldest=7)), change_event(7), change_event(8),
    ]  # fmt: skip


def test_an_id_that_is_no_number_is_an_unexpected_answer() -> None:
    server = Server(stream(f"event: job\ndata: {json.dumps(job())}\nid: x\n\n"))
    with server.client() as client, pytest.raises(UnexpectedAnswer, match="unreadable id"):
        list(client.events("j"))


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


def test_wait_needs_no_more_of_a_stream_than_that_the_job_has_finished() -> None:
    server = Server(breaking(event("job", job("succeeded"), 3)))
    with server.client() as client:
        assert client.wait("j") == job_event("succeeded").data
    assert server.asked == [None]


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
