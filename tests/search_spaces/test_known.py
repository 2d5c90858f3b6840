"""Trials from elsewhere, as a search space lists them."""

from __future__ import annotations

from typing import Any

import pytest

from search_spaces import KnownTrial, SearchSpace, SearchSpaceError
from search_spaces.known import MOST_KNOWN

TRIAL = {"parameters": {"x": 0.5}, "values": [1.0]}


def space(history: Any, strategy: str = "tpe") -> SearchSpace:
    return SearchSpace.from_json({
        "name": "any", "trainable": "any", "dataset": "any", "epochs": 1, "metric": "score",
        "mode": "max", "strategy": strategy, "parameters": {"x": {"low": 0.0, "high": 1.0}},
        "history": history,
    })  # fmt: skip


def test_a_space_keeps_its_history_as_it_was_written() -> None:
    listed = [TRIAL, {"parameters": {}, "metrics": {"score": 2}}, {**TRIAL, "modes": ["max"]}]
    declared = space(listed)
    assert declared.history[0] == KnownTrial({"x": 0.5}, (1.0,))
    assert declared.to_json()["history"] == listed
    assert SearchSpace.from_json(declared.to_json()) == declared
    newer = {**declared.to_json(), "history": [{**TRIAL, "colour": "red"}]}
    assert SearchSpace.from_stored(newer).history == (KnownTrial({"x": 0.5}, (1.0,)),)
    assert "history" not in space([]).to_json()


@pytest.mark.parametrize(
    ("history", "pointer"),
    [
        (TRIAL, "/history"),
        ([TRIAL] * (MOST_KNOWN + 1), "/history"),
        ([TRIAL, 3], "/history/1"),
        ([{"values": [1.0]}], "/history/0/parameters"),
        ([{"parameters": {"x": 0.5}}], "/history/0/parameters"),
        ([{"parameters": [1], "values": [1.0]}], "/history/0/parameters"),
        ([{"parameters": {"x": {}}, "values": [1.0]}], "/history/0/parameters/x"),
        ([{**TRIAL, "values": 1.0}], "/history/0/values"),
        ([{**TRIAL, "values": [1.0, "a"]}], "/history/0/values/1"),
        ([{**TRIAL, "values": [float("nan")]}], "/history/0/values/0"),
        ([{**TRIAL, "values": [1.0] * 101}], "/history/0/values"),
        ([{**TRIAL, "metrics": {"score": True}}], "/history/0/metrics/score"),
        ([{**TRIAL, "modes": ["minimize"]}], "/history/0/modes/0"),
        ([{**TRIAL, "params": {}}], "/history/0/params"),
    ],
)
def test_what_is_no_trial_is_refused_where_it_stands(history: Any, pointer: str) -> None:
    with pytest.raises(SearchSpaceError) as caught:
        space(history)
    assert [problem.pointer for problem in caught.value.problems] == [pointer]
