"""The order of configurations: repeats, constraints, several objectives."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from results.ranking import (
    allowed_value,
    deviation_of,
    exact_mean,
    rank,
    ranked,
    ranks,
    score_of,
    value_of,
    why_no_best,
)
from results.records import TrialRecord
from results.states import Purpose, TrialState
from search_spaces import Constraint, Objective, Range, SearchSpace


def _space(mode: str = "min", **members: Any) -> SearchSpace:
    return SearchSpace(
        name="s", title="S", trainable="t", dataset="d", epochs=1, metric="loss", mode=mode,
        strategy="random", parameters={"lr": Range(0.0, 1.0, default=0.5)}, **members,
    )  # fmt: skip


def _trial(number: int, value: float, state: TrialState = TrialState.SUCCEEDED) -> TrialRecord:
    return TrialRecord(number, state, {}, 0, metrics={"loss": value})


def _repeat(number: int, configuration: int, value: float, **changes: Any) -> TrialRecord:
    return replace(_trial(number, value), configuration=configuration, **changes)


TRIALS = [_trial(2, 0.5), _trial(0, 0.5), _trial(1, 0.7), _trial(3, -1.0)]


@pytest.mark.parametrize(("mode", "order"), [("min", [3, 0, 2, 1]), ("max", [1, 0, 2, 3])])
def test_better_first_and_of_equals_the_lower_number(mode: str, order: list[int]) -> None:
    assert [trial.number for trial, _ in ranked(TRIALS, "loss", mode)] == order
    assert ranks(TRIALS, _space(mode)) == {n: rank for rank, n in enumerate(order, start=1)}


@pytest.mark.parametrize("state", [s for s in TrialState if s is not TrialState.SUCCEEDED])
def test_only_succeeded_trials_are_ranked(state: TrialState) -> None:
    assert score_of(_trial(0, 0.5, state), "loss") is None
    assert ranks([*TRIALS, _trial(9, -5.0, state)], _space()).keys() == {0, 1, 2, 3}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_are_not_ranked(value: float) -> None:
    assert ranked([_trial(0, value)], "loss", "min") == ()
    assert rank([_trial(0, value)], _space()).configurations == ()


def test_every_trial_has_its_seconds_and_one_with_a_checkpoint_its_size() -> None:
    trial = replace(_trial(0, 0.5), seconds=2.5)
    assert value_of(trial, "seconds") == 2.5
    assert value_of(trial, "model_bytes") is None
    assert value_of(replace(trial, model_bytes=2**40), "model_bytes") == 2.0**40
    assert value_of(replace(trial, metrics={"seconds": 1.0}), "seconds") == 1.0
    assert (value_of(trial, "loss"), value_of(trial, "other")) == (0.5, None)
    assert score_of(trial, "seconds") == 2.5


def test_a_trial_without_the_metric_is_not_ranked() -> None:
    assert ranks([replace(_trial(0, 0.5), metrics={})], _space()) == {}
    assert ranks([], _space("max")) == {}


def test_repeats_are_ranked_by_their_mean() -> None:
    trials = [
        _repeat(0, 0, 1.0), _repeat(1, 0, 3.0),  # mean 2, deviation sqrt(2)
        _repeat(2, 2, 1.5), _repeat(3, 2, 1.75),
        _repeat(4, 4, 0.0),  # its second seed has not ended
        _repeat(6, 6, 0.0), _repeat(7, 6, 0.0, state=TrialState.FAILED),
    ]  # fmt: skip
    found = rank(trials, _space(repeats=2))
    assert [(one.trial.number, one.value, one.n) for one in found.configurations] == [
        (2, 1.625, 2),
        (0, 2.0, 2),
    ]
    assert found.configurations[1].standard_deviation == pytest.approx(math.sqrt(2))
    assert found.configurations[1].metrics == {"loss": 2.0}
    assert found.ranks == {2: 1, 3: 1, 0: 2, 1: 2}
    assert found.by_trial[3] is found.configurations[0]


def test_one_seed_has_no_deviation_and_too_large_ones_neither() -> None:
    assert rank([_trial(0, 0.5)], _space()).configurations[0].standard_deviation is None
    assert deviation_of([1.7e308, -1.7e308]) is None
    large = [_repeat(0, 0, 1.7e308), _repeat(1, 0, 1.7e308)]
    assert rank(large, _space(repeats=2)).configurations[0].value == 1.7e308
    assert exact_mean([1.7e308, 1.7e308, -1.7e308]) == pytest.approx(1.7e308 / 3)
    assert exact_mean([0.5]) == 0.5


def test_trials_that_confirm_are_not_ranked() -> None:
    again = _repeat(1, 0, -9.0, purpose=Purpose.CONFIRM)
    assert rank([_trial(0, 0.5), again], _space()).ranks == {0: 1}


def test_a_configuration_that_breaks_a_constraint_is_not_ranked_and_says_so() -> None:
    limits = (Constraint("model_bytes", at_most=100), Constraint("loss", at_least=0.25))
    trials = [
        replace(_trial(0, 0.5), model_bytes=100),
        replace(_trial(1, 0.3), model_bytes=101),
        replace(_trial(2, 0.125), model_bytes=50),
        _trial(3, 0.3),
        replace(_trial(4, 0.1, TrialState.STOPPED), model_bytes=101),
    ]
    found = rank(trials, _space(constraints=limits))
    assert found.ranks == {0: 1}
    assert found.violations == {
        1: ("model_bytes is 101, and may be at most 100",),
        2: ("loss is 0.1250, and must be at least 0.2500",),
        3: ("model_bytes is constrained, and was not reported",),
    }


@pytest.mark.parametrize("size", [None, 1.0, 101.0, math.inf, math.nan])
@pytest.mark.parametrize("loss", [None, 0.5, 0.125, math.inf, math.nan])
def test_a_value_is_allowed_where_the_trial_is_ranked(
    loss: float | None, size: float | None
) -> None:
    given = {"loss": loss, "size": size}
    metrics = {name: value for name, value in given.items() if value is not None}
    limits = (Constraint("size", at_most=100), Constraint("loss", at_least=0.25))
    for space in (
        _space(constraints=limits),
        _space(constraints=(Constraint("size", at_least=9),)),
    ):
        trial = replace(_trial(0, 0.0), metrics=metrics)
        found = rank([trial], space).configurations
        assert allowed_value(space, metrics.get) == (found[0].value if found else None)


def test_without_a_best_one_the_nearest_is_named() -> None:
    limits = (Constraint("model_bytes", at_most=100), Constraint("loss", at_most=2.0))
    sizes = [(300, 1.0), (110, 2.1), (101, 9.0), (0, 1.0)]
    trials = [replace(_trial(n, loss), model_bytes=b) for n, (b, loss) in enumerate(sizes)]
    assert why_no_best(trials, _space(constraints=limits)) == (
        "none of 4 succeeded trials meets the constraints; nearest is trial 1: model_bytes is 110,"
        " and may be at most 100, loss is 2.1000, and may be at most 2.0000"
    )
    assert why_no_best([_trial(0, 1.0)], _space(repeats=2)) == (
        "no configuration has succeeded with all 2 seeds"
    )
    failed = _trial(0, 1.0, TrialState.FAILED)
    assert why_no_best([failed], _space(constraints=limits)) == "no trial has succeeded"


def test_several_objectives_are_ranked_by_fronts() -> None:
    space = _space("max", secondary=(Objective("seconds", "min"),))
    values = [(0.9, 9.0), (0.8, 1.0), (0.7, 2.0), (0.95, 20.0), (0.6, 2.0)]
    trials = [replace(_trial(n, v), seconds=s) for n, (v, s) in enumerate(values)]
    found = rank(trials, space)
    assert [one.trial.number for one in found.configurations] == [3, 0, 1, 2, 4]
    assert [one.front for one in found.configurations] == [0, 0, 0, 1, 2]
    assert [one.trial.number for one in found.front] == [3, 0, 1]
    assert found.front[2].values == (0.8, 1.0)


def test_equal_first_objectives_are_ranked_by_the_others() -> None:
    space = _space(secondary=(Objective("seconds", "min"),))
    trials = [replace(_trial(n, 0.5), seconds=s) for n, s in enumerate([3.0, 1.0, 1.0])]
    assert [one.trial.number for one in rank(trials, space).configurations] == [1, 2, 0]
