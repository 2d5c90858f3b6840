"""Reads a JSON or YAML request body strictly, before any model sees it.

Python's parser takes NaN, Infinity, duplicate keys, lone surrogates and any depth; a database
or a client further on does not. Each is refused here with the place and the rule.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, NoReturn

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from search_spaces import Problem, pointer_to
from search_spaces.errors import YamlError
from search_spaces.text import unstorable
from search_spaces.yaml_files import Document, load_yaml
from service.errors import InvalidRequest
from service.http.problems import HttpProblem

MAX_DEPTH = 32
MAX_STRING = 10_000
#: No such number fits 64 bits; shorter ones are refused by their fields.
MAX_DIGITS = 1_000
#: Media types of YAML: the registered one (RFC 9512), and those that were used before.
YAML_TYPES = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})
NUMBER_HINT = "give a number within the range of a 64-bit integer or float"
_TEXTS = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)


async def read_json(request: Request, *, max_bytes: int) -> Any:
    """Return the parsed body.

    Raises :class:`HttpProblem` (400, 413, 415), :class:`InvalidRequest`, and
    :class:`starlette.requests.ClientDisconnect` where the client leaves before its end.
    """
    media = _media(request)
    if media != "application/json" and not media.endswith("+json") and media not in YAML_TYPES:
        raise HttpProblem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"the body's type is {media or 'not given'}; only application/json is understood, and "
            "application/yaml",
            "add the header Content-Type: application/json",
        )
    raw = await read_bytes(request, max_bytes)
    # Parsing a megabyte takes long enough to hold up every other request of the event loop.
    return await run_in_threadpool(_parse_yaml if media in YAML_TYPES else _parse, raw)


def is_yaml(request: Request) -> bool:
    """Whether the body is YAML, by its type."""
    return _media(request) in YAML_TYPES


def _media(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_bytes(request: Request, max_bytes: int) -> bytes:
    """Return the body; raise :class:`HttpProblem` (413) where it is larger than ``max_bytes``."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise HttpProblem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"the body is larger than {max_bytes} bytes",
                "send a smaller search; the limit is the setting ARGBEST_MAX_BODY_BYTES",
            )
    return bytes(body)


def _parse(raw: bytes) -> Any:
    _check_depth(raw)
    try:
        value = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant,
            parse_int=_whole,
        )  # fmt: skip
    except UnicodeDecodeError as error:
        raise _malformed(f"the body is not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise _malformed(f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    except ValueError as error:
        raise _malformed(str(error)) from error
    return _storable(value)


def _parse_yaml(raw: bytes) -> Any:
    return read_yaml(raw).value


def read_yaml(raw: bytes) -> Document:
    """Return a YAML text, of which JSON is a part, as JSON values.

    Raises :class:`HttpProblem` (400) and :class:`InvalidRequest`.
    """
    try:
        document = load_yaml(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _malformed(f"the body is not UTF-8 (byte {error.start})") from error
    except YamlError as error:
        hint = error.problems[0].hint
        detail = f"the body is not valid YAML: line {error.line}: {error.problems[0].detail}"
        raise HttpProblem(HTTPStatus.BAD_REQUEST, detail, hint) from error
    _storable(document.value)
    return document


def _storable(value: Any) -> Any:
    found = InvalidRequest(_bad_values(value))
    if found.problems:
        raise found
    return value


def _malformed(detail: str) -> HttpProblem:
    return HttpProblem(
        HTTPStatus.BAD_REQUEST, f"the body is not valid JSON: {detail}", "send one JSON object"
    )


def _check_depth(raw: bytes) -> None:
    """Refuse deep nesting before parsing: the parser recurses. Brackets in texts do not count."""
    depth = 0
    for byte in _TEXTS.sub(b"", raw):
        if byte in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise _malformed(f"it is nested deeper than {MAX_DEPTH} levels")
        elif byte in b"]}":
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name in made:
            raise ValueError(f"the key {name[:100]!a} stands twice in one object")
        made[name] = value
    return made


def _whole(text: str) -> int:
    # Python refuses even longer ones itself, in words about its own settings.
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits is too long")
    return int(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _bad_values(value: Any, place: str = "") -> Iterator[Problem]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _bad_values(key, place)
                yield from _bad_values(inner, place + pointer_to(key))
        case list():
            for index, inner in enumerate(value):
                yield from _bad_values(inner, place + pointer_to(index))
        case str() if len(value) > MAX_STRING:
            detail = f"the text is longer than {MAX_STRING} characters"
            yield Problem(place, detail, "too_long", "shorten it")
        case str() if character := unstorable(value):
            detail = f"the text holds {character}"
            yield Problem(place, detail, "bad_character", "leave the character out")
        case float() if not math.isfinite(value):
            detail = "the number is too large for a float"
            yield Problem(place, detail, "number_range", NUMBER_HINT)
        case int() if not -(2**63) <= value < 2**63:
            yield Problem(place, "the integer does not fit 64 bits", "number_range", NUMBER_HINT)
