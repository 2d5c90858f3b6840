"""The rest of a body is read before the answer, within limits of bytes and time."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from results.store import Store
from service.http.drain import DrainMiddleware
from service.settings import Settings
from tests.service.http.serving import served

BIG = b'{"name": "' + b"x" * 6_000_000 + b'"}'
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def url(settings: Settings, store: Store) -> Iterator[str]:
    with served(settings, store) as url:
        yield url


def post(url: str, content: bytes, headers: dict[str, str]) -> tuple[int, Any]:
    """Post as Python's urllib does: everything is sent before the answer is read."""
    request = urllib.request.Request(url, content, headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    with refused.value as answer:
        return answer.status, json.loads(answer.read())


def test_a_client_that_sends_everything_first_sees_each_early_answer(url: str) -> None:
    for path, headers, status in (
        ("/api/v1/jobs", JSON, 413),
        ("/api/v1/jobs", {"Content-Type": "text/plain"}, 415),
        ("/api/v1/nothing", JSON, 404),
        ("/healthz", JSON, 405),
        ("/api/v1/jobs", JSON | {"Sec-Fetch-Site": "cross-site"}, 403),
        ("/api/v1/jobs", JSON | {"Host": "evil.example"}, 421),
    ):
        assert post(f"{url}{path}", BIG, headers)[0] == status, path
    status, problem = post(f"{url}/api/v1/jobs", BIG, JSON)
    assert "ARGBEST_MAX_BODY_BYTES" in problem["hint"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl is installed")
@pytest.mark.parametrize("expect", ["Expect: 100-continue", "Expect:"])
def test_curl_sees_the_answer(url: str, expect: str) -> None:
    done = subprocess.run(
        ["curl", "-sS", "-o", "-", "-w", "\n%{http_code}", "-H", expect,
         "-H", "Content-Type: application/json", "--data-binary", "@-", f"{url}/api/v1/jobs"],
        input=BIG, capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    body, _, status = done.stdout.decode().rpartition("\n")
    assert (status, json.loads(body)["status"]) == ("413", 413)


def test_a_client_that_never_stops_is_answered_and_closed(url: str) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as client:
        head = "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        client.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode())
        chunk = b"100000\r\n" + b"x" * 2**20 + b"\r\n"
        assert 60 < megabytes_sent(client, chunk) < 100


def megabytes_sent(client: socket.socket, chunk: bytes) -> int:
    """Send until the server closes the connection."""
    for sent in range(1000):
        try:
            client.sendall(chunk)
        except OSError:
            return sent
    raise AssertionError("the server reads without end")


class Sender:
    """A client's body in pieces, and the answer that it gets."""

    def __init__(self, *pieces: bytes, waits_at_end: bool = False) -> None:
        self.pieces, self.waits_at_end = list(pieces), waits_at_end
        self.answer: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        if not self.pieces and self.waits_at_end:
            await asyncio.Event().wait()
        body = self.pieces.pop(0)
        more = bool(self.pieces) or self.waits_at_end
        return {"type": "http.request", "body": body, "more_body": more}

    async def send(self, message: Any) -> None:
        self.answer.append(message)

    @property
    def is_closed(self) -> bool:
        return (b"connection", b"close") in self.answer[0]["headers"]


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    """Answer without reading."""
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def read_and_accept(scope: Any, receive: Any, send: Any) -> None:
    while (await receive())["more_body"]:
        pass
    await refuse(scope, receive, send)


def ask(app: Any, sender: Sender, *headers: tuple[bytes, bytes], **limits: Any) -> None:
    scope = {"type": "http", "headers": [(b"content-length", b"1000"), *headers]}
    asyncio.run(DrainMiddleware(app, **limits)(scope, sender.receive, sender.send))  # type: ignore[arg-type]


def test_a_body_is_read_up_to_the_limit_of_bytes() -> None:
    within, beyond = (Sender(*[b"x" * 100] * number) for number in (10, 12))
    for sender in (within, beyond):
        ask(refuse, sender, most_bytes=1000)
    assert (within.pieces, within.is_closed) == ([], False)
    assert (len(beyond.pieces), beyond.is_closed) == (1, True)


def test_a_body_that_stalls_is_given_up() -> None:
    stalled = Sender(b"x", waits_at_end=True)
    ask(refuse, stalled, most_seconds=0.01)
    assert (stalled.pieces, stalled.is_closed) == ([], True)


def test_a_client_that_waits_for_leave_is_answered_at_once() -> None:
    waiting = Sender(b"x")
    ask(refuse, waiting, (b"expect", b"100-continue"))
    assert (waiting.pieces, waiting.is_closed) == ([b"x"], True)


def test_a_body_that_was_read_is_left_alone() -> None:
    sender = Sender(b"x", b"y")
    ask(read_and_accept, sender)
    assert (sender.pieces, sender.is_closed) == ([], False)
