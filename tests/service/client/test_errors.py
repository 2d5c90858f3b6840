"""The error that each status becomes, and its members."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from search_spaces import Problem
from service.client.errors import (
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
from tests.service.client.fakes import Script, client_of


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
    wrong = {"pointer": "/parameters/a~1b", "detail": "wrong", "code": "c", "hint": "h"}
    body = {"title": "Bad", "detail": "it is bad", "errors": [wrong], "hint": "mend it"}
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
    assert error.problems == (Problem("/parameters/a~1b", "wrong", "c", "h"),)


@pytest.mark.parametrize("errors", [None, [], ["text"], [3]])
def test_errors_of_another_shape_are_passed_over(errors: Any) -> None:
    assert problem_of(422, {"detail": "no", "errors": errors}, None).problems == ()


def test_retry_after_may_be_a_date() -> None:
    past = problem_of(503, {}, "Wed, 21 Oct 2015 07:28:00 GMT")
    assert past.retry_after == 0
    assert problem_of(503, {}, "soon").retry_after is None


def test_every_error_is_a_client_error() -> None:
    for kind in (BadUrl, ServerUnreachable, UnexpectedAnswer, ProblemError):
        assert issubclass(kind, ClientError)
