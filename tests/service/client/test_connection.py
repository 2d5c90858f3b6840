"""One connection: its address and token, bad answers, retries, outages."""

from __future__ import annotations

import httpx2
import pytest

from service.client.client import Client
from service.client.connection import Patience, segment
from service.client.errors import (
    BadToken,
    BadUrl,
    ServerBusy,
    ServerFault,
    ServerUnreachable,
    Unauthorized,
    UnexpectedAnswer,
)
from tests.service.client.fakes import URL, FakeTime, Script, busy, client_of, job, ok
from tests.service.fake_api import VERSIONS


def test_token_is_sent_and_only_where_there_is_one() -> None:
    script = Script(ok(VERSIONS), ok(VERSIONS))
    with client_of(script, token="secret") as client:
        client.version()
    with client_of(script) as client:
        client.version()
    assert script.requests[0].headers["Authorization"] == "Bearer secret"
    assert "Authorization" not in script.requests[1].headers


def refused() -> httpx2.Response:
    return httpx2.Response(401, json={"title": "Unauthorized", "detail": "unknown token"})


@pytest.mark.parametrize(
    ("given", "answers", "sent"),
    [
        (["a"], [ok(VERSIONS)], ["a"]),
        (["a", "b"], [refused(), ok(VERSIONS)], ["a", "b"]),  # the service has started again
        (["a", "a"], [refused()], ["a"]),
        (["a", None], [refused()], ["a"]),
        ([None, None, "b"], [refused(), ok(VERSIONS)], [None, "b"]),
        ([None, "b"], [ok(VERSIONS)], ["b"]),  # by the time of the first request
    ],
)
def test_a_function_is_asked_for_the_token_again_once_it_is_refused(
    given: list[str | None], answers: list[httpx2.Response], sent: list[str | None]
) -> None:
    script, tokens = Script(*answers), iter(given)
    headers: list[str | None] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        headers.append(request.headers.get("Authorization"))  # a repeated request is the same one
        return script(request)

    with client_of(answer, token=lambda: next(tokens)) as client:
        if answers[-1].is_success:
            assert client.version().argbest == VERSIONS["argbest"]
        else:
            with pytest.raises(Unauthorized, match="unknown token"):
                client.version()
    assert headers == [None if token is None else f"Bearer {token}" for token in sent]


def test_a_token_that_no_header_can_hold_is_refused_also_when_it_comes_later() -> None:
    tokens = iter(["a", "\xe9"])
    with (
        client_of(Script(refused()), token=lambda: next(tokens)) as client,
        pytest.raises(BadToken, match="printable ASCII"),
    ):
        client.version()


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(200, text="<html>hello</html>"),
        httpx2.Response(200, json=["not", "a", "job"]),
        httpx2.Response(404, text="not here"),
        httpx2.Response(404, json=["not", "a", "problem"]),
        httpx2.Response(302, headers={"Location": "http://elsewhere.test/"}),
    ],
)
def test_another_program_at_that_address_is_named(answer: httpx2.Response) -> None:
    with client_of(Script(answer)) as client, pytest.raises(UnexpectedAnswer, match=URL):
        client.job("j")


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(200, text="<html>hello</html>"),
        httpx2.Response(200, json=["not", "an", "object"]),
    ],
)
def test_curve_that_is_no_object_is_unexpected(answer: httpx2.Response) -> None:
    with client_of(Script(answer)) as client, pytest.raises(UnexpectedAnswer, match=URL):
        client.curve("j", 0)


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


# --- retries --------------------------------------------------------------------------------


def test_busy_server_is_asked_again_with_the_same_key() -> None:
    time = FakeTime()
    script = Script(busy(), busy(**{"Retry-After": "3"}), ok(job()))
    with client_of(script, time) as client:
        assert client.submit({}).id == "j"
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


def test_patience_ends_after_its_time_and_begins_anew_with_an_answer() -> None:
    time = FakeTime()
    patience, error = Patience(time.clock(), seconds=10), ServerUnreachable("gone")
    patience.bear(error)
    time.pass_by(9)
    patience.reset()
    patience.bear(error)
    assert time.slept == [0.2, 0.2]
    time.pass_by(10)
    with pytest.raises(ServerUnreachable):
        patience.bear(error)
