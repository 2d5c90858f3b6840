from __future__ import annotations

from typing import Any

import pytest

from service.cli.convert.fitting import fitted, problems

SPACE: dict[str, Any] = {
    "name": "t", "command": ["x", "{args}"], "metric": "m", "mode": "min", "epochs": 9,
    "parameters": {"a": {"values": [1, 2]}, "b": {"low": 0.1, "high": 0.5}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"strategy": "grid"}, {"strategy": "auto"}),
        ({"strategy": "cmaes", "trials": 9}, {"strategy": "auto", "trials": 9}),
        ({"strategy": "tpe", "trials": 9}, {"strategy": "tpe"}),
        ({"strategy": "tpe", "parameters": {"a": 1}, "trials": 3}, {"strategy": "single"}),
        ({"strategy": "tpe", "epochs": 1, "scheduler": "asha"}, {"strategy": "tpe"}),
    ],
)
def test_what_does_not_go_with_the_rest_is_replaced(
    changes: dict[str, Any], kept: dict[str, Any]
) -> None:
    notes: list[str] = []
    found = fitted(SPACE | changes, notes.append)
    assert problems(found) == ()
    assert {**found, **kept} == found
    assert "scheduler" not in found
    assert bool(notes) == (found != SPACE | changes)


def test_other_problems_stay() -> None:
    wrong = {**SPACE, "metric": ""}
    assert fitted(wrong, print) == wrong
    assert [problem.pointer for problem in problems(wrong)] == ["/metric"]
