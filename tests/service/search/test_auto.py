"""What ``strategy: auto`` stands for."""

from __future__ import annotations

from typing import Any

import pytest

from search_spaces import Scheduler, SearchSpace
from service.search.auto import (
    LEAST_TRIALS,
    MOST_CATEGORIES,
    MOST_GP_TRIALS,
    MOST_GP_TRIALS_AT_RUNGS,
    choose,
)

NUMBERS = {"x": {"low": 0.0, "high": 1.0}, "n": {"low": 1, "high": 3}}
FEW = {**NUMBERS, "activation": {"values": ["relu", "tanh"]}}
MANY = {**NUMBERS, "size": {"values": list(range(MOST_CATEGORIES + 1))}}
CONDITIONS = {**FEW, "slope": {"low": 0.0, "high": 1.0, "when": {"activation": "relu"}}}
TWO = [{"metric": "score", "mode": "max"}, {"metric": "seconds", "mode": "min"}]


def space(**members: Any) -> SearchSpace:
    raw = {
        "name": "any", "trainable": "any", "dataset": "any", "epochs": 20, "metric": "score",
        "mode": "max", "strategy": "auto", "trials": 30, "parameters": NUMBERS,
    }  # fmt: skip
    if "objectives" in members:
        raw = {key: value for key, value in raw.items() if key not in ("metric", "mode")}
    return SearchSpace.from_json({**raw, **members})


@pytest.mark.parametrize(
    ("members", "sampler", "why"),
    [
        ({}, "gp", "fewest trials"),
        ({"parameters": FEW}, "gp", "fewest trials"),
        ({"parameters": MANY}, "tpe", "11 listed values"),
        ({"parameters": CONDITIONS}, "tpe", "conditions"),
        ({"objectives": TWO}, "tpe", "several objectives"),
        ({"trials": MOST_GP_TRIALS_AT_RUNGS}, "gp", "fewest trials"),
        ({"trials": MOST_GP_TRIALS_AT_RUNGS + 1}, "tpe", "more than 1000 trials"),
        ({"trials": MOST_GP_TRIALS + 1, "epochs": 1}, "tpe", "more than 250 trials"),
    ],
)
def test_the_sampler_follows_from_the_space(
    members: dict[str, Any], sampler: str, why: str
) -> None:
    choice = choose(space(**members), can_resume=True)
    assert choice.sampler == sampler
    assert why in choice.reason


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"objectives": TWO}, "several objectives"),
        ({"metric": "seconds", "mode": "min"}, "seconds says little"),
        ({"repeats": 3}, "mean over seeds"),
        ({"epochs": 3}, "with 3 epochs little is saved"),
        ({"trials": LEAST_TRIALS - 1}, "5 trials are few"),
    ],
)
def test_trials_train_to_the_end_where_rungs_help_nothing(
    members: dict[str, Any], why: str
) -> None:
    choice = choose(space(**members), can_resume=True)
    assert choice.scheduler.is_none
    assert why in choice.reason


@pytest.mark.parametrize(("epochs", "first"), [(4, 1), (20, 1), (52, 2), (200, 7)])
def test_asha_begins_at_a_27th_of_the_epochs(epochs: int, first: int) -> None:
    promoting = choose(space(epochs=epochs), can_resume=True)
    assert promoting.scheduler == Scheduler("asha", min_epochs=first)
    assert "promotes the best" in promoting.reason
    stopping = choose(space(epochs=epochs), can_resume=False)
    assert stopping.scheduler == Scheduler("asha", min_epochs=first, stops=True)
    assert "cannot be resumed" in stopping.reason


def test_a_scheduler_that_is_asked_for_stays() -> None:
    choice = choose(space(trials=500), can_resume=True, scheduler=Scheduler("none"))
    assert (choice.sampler, choice.scheduler.name) == ("tpe", "none")
    assert "asha" not in choice.reason
