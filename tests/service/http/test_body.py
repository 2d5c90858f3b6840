"""The strict reader of bodies at its limits: the last that it takes, the first that it refuses."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from fastapi import Request

from service.http.body import MAX_DEPTH, MAX_STRING, read_json
from service.http.problems import ProblemError


def read(raw: bytes, max_bytes: int = 1_000_000) -> Any:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": raw, "more_body": False}

    headers = [(b"content-type", b"application/json")]
    request = Request({"type": "http", "headers": headers}, receive)
    return asyncio.run(read_json(request, max_bytes=max_bytes))


def refusal(raw: bytes, max_bytes: int = 1_000_000) -> ProblemError:
    with pytest.raises(ProblemError) as refused:
        read(raw, max_bytes)
    return refused.value


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
    (error,) = refusal(json.dumps({"seed": 2 * number}).encode()).errors
    assert (error.pointer, error.code) == ("/seed", "number_range")


def test_the_first_integer_beyond_64_bits_is_refused() -> None:
    assert [e.code for e in refusal(str(2**63).encode()).errors] == ["number_range"]


def test_the_longest_text_is_read() -> None:
    longest = {"name": "x" * MAX_STRING}
    assert read(json.dumps(longest).encode()) == longest
    (error,) = refusal(json.dumps({"name": "x" * (MAX_STRING + 1)}).encode()).errors
    assert (error.pointer, error.code) == ("/name", "too_long")


@pytest.mark.parametrize("code", [0, 0xD800, 0xDBFF, 0xDC00, 0xDFFF], ids=hex)
def test_characters_that_no_database_keeps_are_refused_in_keys_and_values(code: int) -> None:
    character = chr(code)
    for body, place in (
        ({"tags": {"a": character}}, "/tags/a"),
        ({"tags": {character: 1}}, "/tags"),
    ):
        (error,) = refusal(json.dumps(body).encode()).errors
        assert (error.pointer, error.code) == (place, "bad_character")


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert read(rb'{"name": "\ud83d\ude00"}') == {"name": "\U0001f600"}
