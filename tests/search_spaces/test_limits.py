"""Budgets and confirmations: their JSON, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from search_spaces import Budget, Code, Confirm, SearchSpaceError


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"seconds": 0.5},
        {"seconds": 3600, "epochs": 2000, "target": -0.89, "trials_without_improvement": 30,
         "failed_trials": 10},
    ],
)  # fmt: skip
def test_a_budget_is_written_as_it_is_read(raw: dict[str, Any]) -> None:
    assert Budget.from_json(raw).to_json() == raw
    assert Budget.from_json(raw).is_endless == (raw == {})
    assert Budget.from_json({"epochs": None, **raw}) == Budget(**raw)


@pytest.mark.parametrize(
    ("raw", "pointer", "code"),
    [
        (3600, "/at", Code.WRONG_TYPE),
        ({"seconds": 0}, "/at/seconds", Code.OUT_OF_RANGE),
        ({"seconds": 31_536_001}, "/at/seconds", Code.OUT_OF_RANGE),
        ({"seconds": "1 h"}, "/at/seconds", Code.WRONG_TYPE),
        ({"epochs": 1.5}, "/at/epochs", Code.WRONG_TYPE),
        ({"epochs": 0}, "/at/epochs", Code.OUT_OF_RANGE),
        ({"target": float("nan")}, "/at/target", Code.NOT_FINITE),
        ({"target": True}, "/at/target", Code.WRONG_TYPE),
        ({"failed_trials": 0}, "/at/failed_trials", Code.OUT_OF_RANGE),
        ({"trials_without_improvement": "x"}, "/at/trials_without_improvement", Code.WRONG_TYPE),
        ({"trials": 10}, "/at/trials", Code.UNKNOWN_KEY),
    ],
)
def test_bad_budgets(raw: object, pointer: str, code: str) -> None:
    with pytest.raises(SearchSpaceError) as caught:
        Budget.from_json(raw, "/at")
    assert [(problem.pointer, problem.code) for problem in caught.value.problems] == [
        (pointer, code)
    ]


def test_a_confirmation_has_defaults_and_counts_the_default_configuration() -> None:
    assert Confirm.from_json({}) == Confirm(3, 5)
    assert Confirm.from_json({"seeds": 2}).to_json() == {"top": 3, "seeds": 2}
    assert Confirm(3, 5).trials == 20


@pytest.mark.parametrize(
    "raw", [{"top": 0}, {"top": 21}, {"seeds": 1}, {"seeds": 101}, {"top": "3"}, {"best": 3}, 5]
)
def test_bad_confirmations(raw: object) -> None:
    with pytest.raises(SearchSpaceError) as caught:
        Confirm.from_json(raw, "/confirm")
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].pointer.startswith("/confirm")
