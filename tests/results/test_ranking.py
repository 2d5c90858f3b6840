"""The order of trials."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from results.ranking import ranked, ranks, score_of, value_of
from results.records import TrialRecord
from results.states import TrialState


def _trial(number: int, value: float, state: TrialState = TrialState.SUCCEEDED) -> TrialRecord:
    return TrialRecord(number, state, {}, 0, metrics={"loss": value})


TRIALS = [_trial(2, 0.5), _trial(0, 0.5), _trial(1, 0.7), _trial(3, -1.0)]


@pytest.mark.parametrize(("mode", "order"), [("min", [3, 0, 2, 1]), ("max", [1, 0, 2, 3])])
def test_better_first_and_of_equals_the_lower_number(mode: str, order: list[int]) -> None:
    assert [trial.number for trial, _ in ranked(TRIALS, "loss", mode)] == order
    assert ranks(TRIALS, "loss", mode) == {n: rank for rank, n in enumerate(order, start=1)}


@pytest.mark.parametrize("state", [s for s in TrialState if s is not TrialState.SUCCEEDED])
def test_only_succeeded_trials_are_ranked(state: TrialState) -> None:
    assert score_of(_trial(0, 0.5, state), "loss") is None
    assert ranks([*TRIALS, _trial(9, -5.0, state)], "loss", "min").keys() == {0, 1, 2, 3}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_are_not_ranked(value: float) -> None:
    assert ranked([_trial(0, value)], "loss", "min") == ()


def test_every_trial_has_its_seconds_and_one_with_a_checkpoint_its_size() -> None:
    trial = replace(_trial(0, 0.5), seconds=2.5)
    assert value_of(trial, "seconds") == 2.5
    assert value_of(trial, "model_bytes") is None
    assert value_of(replace(trial, model_bytes=2**40), "model_bytes") == 2.0**40
    assert value_of(replace(trial, metrics={"seconds": 1.0}), "seconds") == 1.0
    assert (value_of(trial, "loss"), value_of(trial, "other")) == (0.5, None)
    assert score_of(trial, "seconds") == 2.5


def test_a_trial_without_the_metric_is_not_ranked() -> None:
    assert ranks([replace(_trial(0, 0.5), metrics={})], "loss", "min") == {}
    assert ranks([], "loss", "max") == {}
