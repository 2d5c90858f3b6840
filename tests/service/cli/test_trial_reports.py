from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from search_spaces import SearchSpace
from service.cli.trial_reports import Reports


def reports(said: list[str], **changes: Any) -> Reports:
    declared = {
        "name": "t", "command": ["x", "{args}"], "metric": "loss", "mode": "min", "epochs": 2,
        "constraints": [{"metric": "size", "at_most": 3}], "parameters": {"a": 1},
    }  # fmt: skip
    return Reports(SearchSpace.from_json(declared | changes), said.append, clock=lambda: 1.0)


def test_each_epoch_is_shown_as_understood() -> None:
    said: list[str] = []
    found = reports(said)
    found(1, {"loss": 0.5, "size": 1.0})
    found(2, {"loss": 0.25, "size": 1.0})
    assert said == ["epoch 1: loss=0.5000 size=1.0000", "epoch 2: loss=0.2500 size=1.0000"]
    assert list(found.problems()) == []
    assert list(found.advice(resumes=False)) == []


@pytest.mark.parametrize(
    ("changes", "epochs", "said"),
    [
        ({}, [{"loss": 0.5, "size": 1}], "1 of 2 epochs reported"),
        ({"early_end": True}, [{"loss": 0.5, "size": 1}], None),
        (
            {},
            [{"loss": 0.5, "size": 1}, {"size": 1}],
            "has no loss, which trials are compared by: let",
        ),
        (
            {},
            [{"loss": 0.5, "sizes": 1}] * 2,
            "has no size, which trials are compared by: of the"
            " metrics reported, did you mean sizes?",
        ),
        ({}, [{"loss": math.nan, "size": 1}] * 2, "loss is no finite number"),
        ({}, [], None),
    ],
)
def test_what_would_fail_a_trial_is_said(
    changes: dict[str, Any], epochs: list[dict[str, float]], said: str | None
) -> None:
    found = reports([], **changes)
    for epoch, metrics in enumerate(epochs, 1):
        found(epoch, metrics)
    problems = list(found.problems())
    assert len(problems) == (said is not None)
    assert said is None or said in problems[0]


def test_the_epochs_that_an_error_names_are_not_named_again() -> None:
    found = reports([])
    found(1, {"loss": 0.5, "size": 1})
    assert list(found.problems(has_failed=True)) == []


def test_the_first_state_is_taken_and_shown() -> None:
    said: list[str] = []
    taken: list[int] = []
    found = reports(said)

    def state() -> dict[str, Any]:
        taken.append(1)
        return {"epoch": 1, "checkpoint": np.zeros(2000, np.uint8)}

    for epoch in (1, 2):
        found(epoch, {"loss": 1.0, "size": 1.0}, state=state)
    assert (len(taken), found.checked) == (1, 1)
    assert "  checkpoint of 2.0 kB, taken in 0.00 s" in said
    assert "resumes: true" in next(found.advice(resumes=False))
    assert list(found.advice(resumes=True)) == []


def test_checkpoints_that_are_missing_are_said() -> None:
    found = reports([])
    found(1, {"loss": 1.0})
    assert "no checkpoint" in next(found.advice(resumes=True))
