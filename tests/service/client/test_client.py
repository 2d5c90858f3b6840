"""The client against a transport that answers by itself: routes, errors, retries."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from service.client.client import Client
from service.client.connection import Clock, segment
from service.client.errors import (
    BadToken,
    BadUrl,
    ClientError,
    Conflict,
    Invalid,
    NotFound,
    ProblemError,
    ServerBusy,
    ServerFault,
    ServerUnreachable,
    Unauthorized,
    UnexpectedAnswer,
    problem_of,
)

URL = "http://server.test"


class FakeTime:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def clock(self) -> Clock:
        return Clock(now=lambda: self.seconds, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


Handler = Callable[[httpx2.Request], httpx2.Response]


def client_of(handler: Handler, time: FakeTime | None = None, **options: Any) -> Client:
    transport = httpx2.MockTransport(handler)
    return Client(URL, transport=transport, clock=(time or FakeTime()).clock(), **options)


class Script:
    """Answers with each of ``answers`` in turn (an exception is raised), and keeps the requests."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def ok(content: Any = None) -> httpx2.Response:
    return httpx2.Response(200, json=content if content is not None else {})


def busy(**headers: str) -> httpx2.Response:
    return httpx2.Response(503, json={"title": "Busy", "detail": "no room"}, headers=headers)


ROUTES: list[tuple[Callable[[Client], object], str, str]] = [
    (lambda c: c.jobs(state="queued", limit=3), "GET", "/api/v1/jobs?state=queued&limit=3"),
    (lambda c: c.jobs(fingerprint="f", cursor="x"), "GET", "/api/v1/jobs?fingerprint=f&cursor=x"),
    (lambda c: c.job("j"), "GET", "/api/v1/jobs/j"),
    (lambda c: c.cancel("j"), "POST", "/api/v1/jobs/j/cancel"),
    (lambda c: c.pause("j"), "POST", "/api/v1/jobs/j/pause"),
    (lambda c: c.resume("j"), "POST", "/api/v1/jobs/j/resume"),
    (lambda c: c.retry_failed("j"), "POST", "/api/v1/jobs/j/retry-failed"),
    (lambda c: c.delete("j"), "DELETE", "/api/v1/jobs/j"),
    (lambda c: c.log("j", tail=5), "GET", "/api/v1/jobs/j/log?tail=5"),
    (lambda c: c.plan({}), "POST", "/api/v1/jobs?dry_run=true"),
    (lambda c: c.trials_csv("j"), "GET", "/api/v1/jobs/j/trials?format=csv"),
    (lambda c: c.trial("j", 7), "GET", "/api/v1/jobs/j/trials/7"),
    (lambda c: c.curve("j", 7), "GET", "/api/v1/jobs/j/trials/7/curve"),
    (lambda c: c.curve_csv("j", 7), "GET", "/api/v1/jobs/j/trials/7/curve?format=csv"),
    (lambda c: c.curves_csv("j"), "GET", "/api/v1/jobs/j/curves?format=csv"),
    (lambda c: c.best("j"), "GET", "/api/v1/jobs/j/best"),
    (lambda c: c.best_text("j", "curl"), "GET", "/api/v1/jobs/j/best?format=curl"),
    (lambda c: c.report("j", "pdf"), "GET", "/api/v1/jobs/j/report?format=pdf"),
    (lambda c: c.report_json("j"), "GET", "/api/v1/jobs/j/report?format=json"),
    (lambda c: c.plot("j", "rmse", "svg"), "GET", "/api/v1/jobs/j/plots/rmse.svg"),
    (lambda c: c.search_spaces(), "GET", "/api/v1/search_spaces"),
    (lambda c: c.search_space("q3_mlp"), "GET", "/api/v1/search_spaces/q3_mlp"),
    (lambda c: c.trainable("numpy_mlp"), "GET", "/api/v1/trainables/numpy_mlp"),
    (lambda c: c.cluster(), "GET", "/api/v1/cluster"),
    (lambda c: c.healthy(), "GET", "/healthz"),
    (lambda c: c.readiness(), "GET", "/readyz"),
    (lambda c: c.version(), "GET", "/version"),
    (lambda c: c.server_metrics(), "GET", "/metrics"),
]


@pytest.mark.parametrize(("call", "method", "target"), ROUTES, ids=[r[2] for r in ROUTES])
def test_method_asks_its_route(call: Callable[[Client], object], method: str, target: str) -> None:
    script = Script(ok())
    with client_of(script) as client:
        call(client)
    request = script.requests[0]
    assert (request.method, request.url.raw_path.decode()) == (method, target)


@pytest.mark.parametrize("name", ["trials", "curves", "plots"])
def test_lists_of_a_job_are_read_page_by_page(name: str) -> None:
    script = Script(
        ok({"items": [{"n": 1}], "next_cursor": "a b"}),
        ok({"items": [{"n": 2}], "next_cursor": None}),
    )
    with client_of(script) as client:
        assert getattr(client, name)("j") == [{"n": 1}, {"n": 2}]
    assert [request.url.query for request in script.requests] == [b"", b"cursor=a+b"]


@pytest.mark.parametrize("name", ["trainables", "datasets"])
def test_catalogs_are_lists(name: str) -> None:
    with client_of(Script(ok({"items": [{"name": "x"}], "next_cursor": None}))) as client:
        assert getattr(client, name)() == [{"name": "x"}]


def test_submission_carries_its_body_and_a_new_key_each_time() -> None:
    script = Script(ok(), ok(), ok())
    with client_of(script) as client:
        client.submit({"search_space": "q3_mlp"})
        client.submit({"search_space": "q3_mlp"})
        client.submit({"search_space": "q3_mlp"}, idempotency_key="mine")
    keys = [request.headers["Idempotency-Key"] for request in script.requests]
    assert json.loads(script.requests[0].content) == {"search_space": "q3_mlp"}
    assert len(keys[0]) == 36
    assert keys[0] != keys[1]
    assert keys[2] == "mine"


def test_token_is_sent_and_only_where_there_is_one() -> None:
    script = Script(ok(), ok())
    with client_of(script, token="secret") as client:
        client.version()
    with client_of(script) as client:
        client.version()
    assert script.requests[0].headers["Authorization"] == "Bearer secret"
    assert "Authorization" not in script.requests[1].headers


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Invalid),
        (401, Unauthorized),
        (403, Unauthorized),
        (404, NotFound),
        (405, Invalid),
        (409, Conflict),
        (413, Invalid),
        (415, Invalid),
        (422, Invalid),
        (429, ServerBusy),
        (500, ServerFault),
        (503, ServerBusy),
    ],
)
def test_status_decides_the_error(status: int, kind: type[ProblemError]) -> None:
    body = {
        "title": "Bad",
        "detail": "it is bad",
        "errors": [{"pointer": "/parameters/a~1b", "detail": "wrong", "code": "c", "hint": "h"}],
        "hint": "mend it",
    }
    answers = [httpx2.Response(status, json=body) for _ in range(4)]
    with client_of(Script(*answers)) as client, pytest.raises(kind) as caught:
        client.job("j")
    error = caught.value
    assert type(error) is kind
    assert (str(error), error.status, error.title, error.hint) == (
        "it is bad",
        status,
        "Bad",
        "mend it",
    )
    assert error.problems[0].field == "parameters.a/b"
    assert (error.problems[0].detail, error.problems[0].hint) == ("wrong", "h")


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(200, text="<html>hello</html>"),
        httpx2.Response(404, text="not here"),
        httpx2.Response(404, json=["not", "a", "problem"]),
        httpx2.Response(302, headers={"Location": "http://elsewhere.test/"}),
    ],
)
def test_another_program_at_that_address_is_told(answer: httpx2.Response) -> None:
    with client_of(Script(answer)) as client, pytest.raises(UnexpectedAnswer, match=URL):
        client.job("j")


def test_gateway_page_without_a_problem_is_a_fault() -> None:
    answers = [httpx2.Response(502, text="<html>bad gateway</html>") for _ in range(4)]
    with client_of(Script(*answers)) as client, pytest.raises(ServerFault, match="HTTP 502"):
        client.job("j")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "server",
        "ftp://server",
        "http://",
        "http://127.0.0.1:x",
        "file:///x",
        "http://" + 99 * "a",
    ],
)
def test_bad_url_is_refused_when_the_client_is_made(url: str) -> None:
    with pytest.raises(BadUrl):
        Client(url)


@pytest.mark.parametrize("token", ["secret\n", "s\u00e9cret"])
def test_token_that_no_header_can_carry_is_refused_and_not_repeated(token: str) -> None:
    with pytest.raises(BadToken) as caught:
        Client(URL, token=token)
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize("job_id", ["", ".", ".."])
def test_id_that_would_change_the_path_is_refused(job_id: str) -> None:
    with pytest.raises(ValueError, match="id"):
        segment(job_id)


def test_hostile_id_stays_one_segment() -> None:
    script = Script(ok())
    with client_of(script) as client:
        client.job("../../healthz?x=1#y")
    path = script.requests[0].url.raw_path.decode()
    assert path == "/api/v1/jobs/..%2F..%2Fhealthz%3Fx%3D1%23y"


# --- retries --------------------------------------------------------------------------------


def test_busy_server_is_asked_again_with_the_same_key() -> None:
    time = FakeTime()
    script = Script(busy(), busy(**{"Retry-After": "3"}), ok({"id": "j"}))
    with client_of(script, time) as client:
        assert client.submit({})["id"] == "j"
    keys = {request.headers["Idempotency-Key"] for request in script.requests}
    assert len(keys) == 1
    assert time.slept == [0.2, 3.0]


def test_retries_end() -> None:
    time = FakeTime()
    with client_of(Script(*[busy() for _ in range(4)]), time) as client, pytest.raises(ServerBusy):
        client.job("j")
    assert time.slept == [0.2, 0.4, 0.8]


def test_long_retry_after_is_left_to_the_caller() -> None:
    time = FakeTime()
    script = Script(busy(**{"Retry-After": "120"}))
    with client_of(script, time) as client, pytest.raises(ServerBusy) as caught:
        client.job("j")
    assert caught.value.retry_after == 120
    assert time.slept == []


def test_deletion_is_sent_once_where_it_may_have_been_done() -> None:
    script = Script(busy())
    with client_of(script) as client, pytest.raises(ServerBusy):
        client.delete("j")
    assert len(script.requests) == 1


def test_deletion_is_sent_again_where_it_never_left() -> None:
    script = Script(httpx2.ConnectError("refused"), httpx2.Response(204))
    with client_of(script) as client:
        client.delete("j")
    assert len(script.requests) == 2


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (httpx2.ConnectError("refused"), 4),
        (httpx2.ConnectTimeout("slow"), 4),
        (httpx2.ReadTimeout("slow"), 1),
        (httpx2.RemoteProtocolError("closed"), 1),
    ],
)
def test_transport_errors_become_unreachable(error: Exception, attempts: int) -> None:
    script = Script(*[error] * 4)
    with client_of(script) as client, pytest.raises(ServerUnreachable, match=URL):
        client.job("j")
    assert len(script.requests) == attempts


def test_not_ready_is_an_answer_and_no_error() -> None:
    answer = {"status": "not ready", "parts": {"ray": "gone"}}
    script = Script(httpx2.Response(503, json=answer))
    with client_of(script) as client:
        assert client.readiness() == answer


def test_retry_after_may_be_a_date() -> None:
    past = problem_of(503, {}, "Wed, 21 Oct 2015 07:28:00 GMT")
    assert past.retry_after == 0
    assert problem_of(503, {}, "soon").retry_after is None


def test_every_error_is_a_client_error() -> None:
    for kind in (BadUrl, ServerUnreachable, UnexpectedAnswer, ProblemError):
        assert issubclass(kind, ClientError)
