"""Errors of accepting jobs name a bounded number of problems."""

from __future__ import annotations

from itertools import count

from search_spaces import Problem
from service.errors import MOST_PROBLEMS, InvalidRequest, Unavailable


def test_an_invalid_request_holds_the_first_problems_of_however_many() -> None:
    error = InvalidRequest(Problem(f"/{n}", "is wrong", "wrong", "mend it") for n in count())
    assert len(error.problems) == MOST_PROBLEMS
    assert str(error).splitlines()[1] == "/1: is wrong; mend it"


def test_what_is_unavailable_says_when_to_come_back() -> None:
    assert Unavailable("the disk is full").retry_after_s == 5
    error = Unavailable("the disk is full", retry_after_s=60)
    assert (str(error), error.retry_after_s) == ("the disk is full", 60)
