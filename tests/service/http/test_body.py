"""The strict reader of bodies at its limits: the last it takes, the first it refuses."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from search_spaces import Problem
from service.errors import InvalidRequest
from service.http.body import MAX_DEPTH, MAX_STRING, read_json
from service.http.problems import HttpProblem


def read(raw: bytes, max_bytes: int = 1_000_000) -> Any:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": raw, "more_body": False}

    headers = [(b"content-type", b"application/json")]
    request = Request({"type": "http", "headers": headers}, receive)
    return asyncio.run(read_json(request, max_bytes=max_bytes))


def refusal(raw: bytes, max_bytes: int = 1_000_000) -> HttpProblem:
    with pytest.raises(HttpProblem) as refused:
        read(raw, max_bytes)
    return refused.value


def problems(raw: bytes) -> tuple[Problem, ...]:
    with pytest.raises(InvalidRequest) as refused:
        read(raw)
    return refused.value.problems


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_the_deepest_body_is_read() -> None:
    assert json.dumps(read(nested(MAX_DEPTH))) == nested(MAX_DEPTH).decode()
    deeper = refusal(nested(MAX_DEPTH + 1))
    assert (deeper.status, "nested deeper" in deeper.detail) == (400, True)


@pytest.mark.parametrize("text", ['"[[', "\\", '\\"', "[" * 2 * MAX_DEPTH])
def test_brackets_in_a_text_are_not_nested(text: str) -> None:
    brackets = "[" * 2 * MAX_DEPTH
    assert read(json.dumps([text, text + brackets]).encode()) == [text, text + brackets]
    behind = json.dumps([text])[:-1].encode() + b"," + nested(MAX_DEPTH) + b"]"
    assert refusal(behind).status == 400


def test_the_largest_body_is_read() -> None:
    raw = b'{"seed": 42}'
    assert read(raw, len(raw)) == {"seed": 42}
    assert refusal(raw, len(raw) - 1).status == 413


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63)])
def test_the_largest_integers_are_read(number: int) -> None:
    assert read(json.dumps({"seed": number}).encode()) == {"seed": number}
    (error,) = problems(json.dumps({"seed": 2 * number}).encode())
    assert (error.pointer, error.code) == ("/seed", "number_range")


def test_the_first_integer_beyond_64_bits_is_refused() -> None:
    assert [e.code for e in problems(str(2**63).encode())] == ["number_range"]


def test_the_longest_text_is_read() -> None:
    longest = {"name": "x" * MAX_STRING}
    assert read(json.dumps(longest).encode()) == longest
    (error,) = problems(json.dumps({"name": "x" * (MAX_STRING + 1)}).encode())
    assert (error.pointer, error.code) == ("/name", "too_long")


@pytest.mark.parametrize("code", [0, 0xD800, 0xDBFF, 0xDC00, 0xDFFF], ids=hex)
def test_characters_that_no_database_keeps_are_refused_in_keys_and_values(code: int) -> None:
    character = chr(code)
    for body, place in (
        ({"tags": {"a": character}}, "/tags/a"),
        ({"tags": {character: 1}}, "/tags"),
    ):
        (error,) = problems(json.dumps(body).encode())
        assert (error.pointer, error.code) == (place, "bad_character")


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert read(rb'{"name": "\ud83d\ude00"}') == {"name": "\U0001f600"}


BAD_BYTES: dict[str, tuple[bytes, int, str]] = {
    "broken JSON": (b'{"search_space": ', 400, "line 1"),
    "empty body": (b"", 400, "JSON"),
    "NaN": (b'{"search_space": "q4_feedforward", "seed": NaN}', 400, "NaN"),
    "Infinity": (b'{"search_space": "q4_feedforward", "time_limit_s": Infinity}', 400, "Infinity"),
    "1e999": (b'{"search_space": "q4_feedforward", "time_limit_s": 1e999}', 422, "time_limit_s"),
    "a key twice": (b'{"seed": 1, "seed": 2, "search_space": "q4_depth"}', 400, "twice"),
    "60,000 keys, the last one twice": (
        b"{" + b",".join(b'"%d":1' % key for key in (*range(60_000), 59_999)) + b"}",
        400,
        "59999",
    ),
    "not UTF-8": (b'{"search_space": "\xff"}', 400, "UTF-8"),
    "a number of 5,000 digits": (b'{"seed": ' + b"9" * 5000 + b"}", 400, "5000 digits is too long"),
    "900 levels": (b"[" * 900 + b"]" * 900, 400, "deep"),
    "5 MB": (b'{"name": "' + b"x" * 5_000_000 + b'"}', 413, "1000000"),
}


@pytest.mark.parametrize("case", BAD_BYTES)
def test_bad_bytes(client: TestClient, case: str) -> None:
    body, status, word = BAD_BYTES[case]
    headers = {"content-type": "application/json"}
    answer = client.post("/api/v1/jobs", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert word in answer.text
    assert answer.json()["hint"]


def test_another_media_type_is_a_415(client: TestClient) -> None:
    answer = client.post("/api/v1/jobs", content=b"a=1", headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    assert "application/json" in answer.json()["hint"]


def test_a_client_that_leaves_in_mid_body_is_no_defect(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    messages = iter(
        [
            {"type": "http.request", "body": b'{"search_space"', "more_body": True},
            {"type": "http.disconnect"},
        ]
    )
    sent = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/jobs", "query_string": b"",
        "headers": [(b"host", b"testserver"), (b"content-type", b"application/json")],
        "server": ("testserver", 80), "scheme": "http", "http_version": "1.1",
    }  # fmt: skip
    with caplog.at_level(logging.INFO, logger="service"):
        asyncio.run(client.app(scope, receive, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 499
    assert "the client left" in caplog.text
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []
