"""Objectives and constraints: their JSON, what is refused, and which values meet a constraint."""

from __future__ import annotations

import math
from typing import Any

import pytest

from search_spaces import Code, Constraint, Objective, SearchSpaceError


def test_an_objective_is_written_as_it_is_read() -> None:
    raw = {"metric": "loss", "mode": "min"}
    assert Objective.from_json(raw) == Objective("loss", "min")
    assert Objective.from_json(raw).to_json() == raw


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("loss", {("/at", Code.WRONG_TYPE)}),
        ({"metric": "loss"}, {("/at/mode", Code.MISSING)}),
        ({"metric": "", "mode": "least"}, {("/at/metric", "empty"), ("/at/mode", "wrong_type")}),
        ({"metric": "a\nb", "mode": "min"}, {("/at/metric", Code.BAD_CHARACTER)}),
        ({"metric": 1, "mode": "min", "goal": 1}, {("/at/metric", Code.WRONG_TYPE),
                                                   ("/at/goal", Code.UNKNOWN_KEY)}),
    ],
)  # fmt: skip
def test_bad_objectives(raw: object, expected: set[tuple[str, str]]) -> None:
    with pytest.raises(SearchSpaceError) as caught:
        Objective.from_json(raw, "/at")
    assert {(problem.pointer, problem.code) for problem in caught.value.problems} == expected


@pytest.mark.parametrize(
    "limits", [{"at_most": 3}, {"at_least": -1.5}, {"at_most": 1, "at_least": 1}]
)
def test_a_constraint_is_written_as_it_is_read(limits: dict[str, float]) -> None:
    raw = {"metric": "seconds", **limits}
    assert Constraint.from_json(raw).to_json() == raw


@pytest.mark.parametrize(
    ("raw", "pointer", "code"),
    [
        ({"metric": "x"}, "/at/metric", Code.MISSING),
        ({"metric": "x", "at_most": None}, "/at/metric", Code.MISSING),
        ({"metric": "x", "at_most": 1, "at_least": 2}, "/at/at_most", Code.OUT_OF_RANGE),
        ({"metric": "x", "at_most": "1"}, "/at/at_most", Code.WRONG_TYPE),
        ({"metric": "x", "at_most": True}, "/at/at_most", Code.WRONG_TYPE),
        ({"metric": "x", "at_least": math.inf}, "/at/at_least", Code.NOT_FINITE),
        ({"at_least": 1}, "/at/metric", Code.MISSING),
        ({"metric": "x", "less_than": 1, "at_most": 1}, "/at/less_than", Code.UNKNOWN_KEY),
    ],
)
def test_bad_constraints(raw: Any, pointer: str, code: str) -> None:
    with pytest.raises(SearchSpaceError) as caught:
        Constraint.from_json(raw, "/at")
    assert [(problem.pointer, problem.code) for problem in caught.value.problems] == [
        (pointer, code)
    ]


def test_a_value_is_within_the_limits_both_included_or_by_how_much_it_is_not() -> None:
    between = Constraint("x", at_most=3, at_least=1)
    assert [between.holds(value) for value in (0.9, 1, 2, 3, 3.1)] == [
        False,
        True,
        True,
        True,
        False,
    ]
    assert [between.excess(value) for value in (-1, 1, 2, 5)] == [2, 0, -1, 2]
    assert Constraint("x", at_most=3).excess(-100) == -103
    assert Constraint("x", at_least=3).excess(2) == 1
    assert between.excess(math.inf) == math.inf


def test_a_diverged_value_meets_no_constraint() -> None:
    assert not Constraint("x", at_most=3).holds(math.nan)
    assert Constraint("x", at_most=3).excess(math.nan) == math.inf
