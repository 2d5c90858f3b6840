"""Errors: JSON pointers, hints, and their way between processes."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from search_spaces import (
    Problem,
    SearchSpaceError,
    SpaceFileError,
    UnknownSearchSpace,
    pointer_to,
)
from search_spaces.errors import YamlError, did_you_mean, raise_any

PROBLEM = Problem("/a", "is wrong", "missing", "mend it")


def test_pointers_are_escaped_and_cut() -> None:
    assert pointer_to("parameters", "a/b~c", 3) == "/parameters/a~1b~0c/3"
    assert pointer_to("a\n\0\ud800") == "/a\\u000a\\u0000\\ud800"
    assert pointer_to("x" * 200) == "/" + "x" * 100
    assert pointer_to() == ""


def test_a_problem_is_told_in_one_line() -> None:
    assert str(PROBLEM) == "/a: is wrong; mend it"
    assert str(PROBLEM.under("/job")) == "/job/a: is wrong; mend it"
    assert str(Problem("", "is wrong", "missing")) == "/: is wrong"


def test_all_problems_are_raised_under_a_pointer() -> None:
    raise_any([])
    with pytest.raises(SearchSpaceError, match="/job/a: is wrong; mend it\n/job/a: is wrong"):
        raise_any([PROBLEM, PROBLEM], "/job")


def test_hints_name_close_names_or_the_first_of_all() -> None:
    assert did_you_mean("epcohs", ["epochs", "trials"]) == "did you mean epochs?"
    assert did_you_mean("x", ["epochs", "trials"]) == "there are: epochs, trials"
    assert did_you_mean("x", []) == "there are none"
    many = did_you_mean("x", [f"name{i}" for i in range(100)])
    assert many.endswith("name18, name19 and 80 more")


@pytest.mark.parametrize(
    "error",
    [
        SearchSpaceError([PROBLEM, PROBLEM]),
        UnknownSearchSpace([PROBLEM]),
        YamlError("is wrong", "mend it", 3),
        SpaceFileError([PROBLEM], Path("/spaces/mine.yaml")),
    ],
)
def test_errors_survive_the_way_between_processes(error: SearchSpaceError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
