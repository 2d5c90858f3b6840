"""How values of parameters compare, on numbers worked out by hand or by closed formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.analysis import JobResults
from results.comparison import basis, compare, describe_trial, failure_pattern, value_key
from results.states import TrialState
from tests.results import fakes
from tests.results.fakes import DIVERGED, Fake


def results_of(fake: Fake) -> JobResults:
    return JobResults.of(*fake)


def test_equal_values_of_other_types_are_told_apart() -> None:
    assert len({value_key(value) for value in (1, True, "1")}) == 3
    assert value_key([1, {"b": 1, "a": 2}]) == value_key([1, {"a": 2, "b": 1}])


def test_one_at_a_time_compares_only_trials_that_differ_there() -> None:
    comparison = compare(results_of(fakes.feedforward()), "learning_rate")
    assert comparison is not None
    rows = [(row.value, row.trials, row.best_trial, row.is_default) for row in comparison.rows]
    assert rows == [(0.001, 1, 1, False), (0.01, 1, 0, True), (0.1, 1, 2, False)]
    assert comparison.controlled
    best, mean = comparison.ranked("max")[0]
    assert (best.value, mean) == (0.001, best.best)


def test_grid_is_marginal_to_the_other_parameters() -> None:
    results = results_of(fakes.grid(2))
    comparison = compare(results, "optimizer")
    assert comparison is not None
    sgd, adam = comparison.rows
    assert (sgd.value, sgd.trials, sgd.scored, adam.value) == ("sgd", 72, 72, "adam")
    of_sgd = [s for trial, s in results.ranked if trial.parameters["optimizer"] == "sgd"]
    assert sgd.mean == pytest.approx(sum(of_sgd) / 72)
    assert sgd.best == max(of_sgd)
    # The formula takes 0.03 off every trial with Adam.
    assert sgd.mean - adam.mean == pytest.approx(0.03)


def cross(scores: Mapping[tuple[Any, Any], float | None], strategy: str = "grid") -> JobResults:
    """Trials over the parameters ``a`` and ``b`` with these scores; None is a failure."""
    spec = {
        "name": "s", "title": "S", "trainable": "t", "dataset": "d", "epochs": 1, "metric": "m",
        "mode": "max", "strategy": strategy, "seed": 42,
        "parameters": {
            name: {"values": list(dict.fromkeys(pair[i] for pair in scores))}
            for i, name in enumerate("ab")
        },
    }  # fmt: skip
    failed = [n for n, score in enumerate(scores.values()) if score is None]
    return results_of(
        fakes.make(
            spec,
            [{"a": a, "b": b} for a, b in scores],
            lambda p, _: {"m": scores[p["a"], p["b"]] or 0.0},
            {},
            dict.fromkeys(failed, DIVERGED),
        )
    )


def test_a_failed_trial_does_not_turn_the_ranking_of_a_grid() -> None:
    # 0.2 is better wherever both have a result; 0.1's mean over all of its own would be higher.
    results = cross({(0.1, 100): None, (0.1, 200): 0.8, (0.2, 100): 0.5, (0.2, 200): 0.9})
    comparison = compare(results, "a")
    assert comparison is not None
    assert [(row.value, mean) for row, mean in comparison.ranked("max")] == [(0.2, 0.9), (0.1, 0.8)]
    assert (comparison.matched, comparison.combinations, comparison.controlled) == (1, 2, True)
    assert basis(results, comparison) == (
        "mean over the 1 of 2 combinations of the other parameters in which each value has a result"
    )


def test_a_grid_without_a_complete_combination_is_not_compared() -> None:
    results = cross({(1, 1): 0.5, (1, 2): None, (2, 1): None, (2, 2): 0.9})
    comparison = compare(results, "a")
    assert comparison is not None
    assert comparison.ranked("max") == []
    assert not comparison.controlled
    # A sampler's means are over what it drew, and so are not controlled.
    sampled = cross({(1, 1): 0.5, (2, 2): 0.9}, "random")
    drawn = compare(sampled, "a")
    assert drawn is not None
    assert [mean for _, mean in drawn.ranked("max")] == [0.9, 0.5]
    assert not drawn.controlled


def test_a_running_grid_is_compared_where_it_is_complete() -> None:
    results = cross({(1, 1): 0.5, (1, 2): 0.1, (2, 1): 0.4, (2, 2): 0.9})
    last = replace(results.trials[3], state=TrialState.RUNNING)
    comparison = compare(replace(results, trials=(*results.trials[:3], last)), "a")
    assert comparison is not None
    assert [row.value for row, _ in comparison.ranked("max")] == [1, 2]


def test_a_parameter_that_comes_with_another_does_not_split_combinations() -> None:
    spec = {**fakes.grid(1).job.spec.to_json(), "parameters": {"o": {"values": ["x", "y"]}}}
    configurations = [{"o": "x", "m": 1}, {"o": "x", "m": 2}, {"o": "y"}]
    fake = fakes.make(
        spec, configurations, lambda p, _: {"validation_accuracy": p.get("m", 5) / 10}, {}
    )
    comparison = compare(results_of(fake), "o")
    assert comparison is not None
    assert [mean for _, mean in comparison.ranked("max")] == [0.5, pytest.approx(0.15)]


@given(
    st.dictionaries(st.tuples(st.integers(1, 3), st.integers(1, 3)), st.none() | st.floats(0, 1))
)
def test_the_best_value_of_a_grid_is_best_over_shared_combinations(
    scores: dict[tuple[int, int], float | None],
) -> None:
    comparison = compare(cross(scores), "a") if scores else None
    ranked = [] if comparison is None else comparison.ranked("max")
    values = [row.value for row, _ in ranked]
    shared = [b for b in (1, 2, 3) if all(scores.get((a, b)) is not None for a in values)]
    means = [fmean(scores[a, b] or 0.0 for b in shared) for a in values]
    assert [mean for _, mean in ranked] == [pytest.approx(mean) for mean in means]
    assert len(values) != 1 or shared


@pytest.mark.parametrize(
    ("fake", "parameter", "expected"),
    [
        (fakes.feedforward(1), "dropout", "the other parameters at their defaults"),
        (fakes.grid(1), "dropout", "mean over 72 combinations of the other parameters"),
        (
            fakes.sampled(),
            "optimizer",
            "over the trials sampled, which is no controlled comparison",
        ),
        (
            fakes.sampled(),
            "learning_rate",
            "over the trials sampled, which is no controlled comparison",
        ),
    ],
)
def test_basis_of_each_strategy(fake: Fake, parameter: str, expected: str) -> None:
    results = results_of(fake)
    assert basis(results, compare(results, parameter)) == expected


def test_a_single_parameter_is_compared_all_else_equal() -> None:
    results = results_of(fakes.with_scores(1.0, 2.0))
    assert basis(results, compare(results, "lr")) == "all else equal"


def test_a_single_combination_of_the_others_is_all_else_equal() -> None:
    # z failed with both values of a parameter that comes with it.
    spec = {**fakes.grid(1).job.spec.to_json(), "parameters": {"o": {"values": ["x", "y", "z"]}}}
    configurations = [{"o": "x"}, {"o": "y"}, {"o": "z", "m": 1}, {"o": "z", "m": 2}]
    fake = fakes.make(
        spec,
        configurations,
        lambda p, _: {"validation_accuracy": 0.5 if p["o"] == "x" else 0.6},
        {},
        dict.fromkeys((2, 3), DIVERGED),
    )
    results = results_of(fake)
    assert basis(results, compare(results, "o")) == "all else equal"
    finished = fakes.make(spec, configurations, lambda _, n: {"validation_accuracy": n}, {})
    whole = results_of(finished)
    assert basis(whole, compare(whole, "o")) == "mean over 1 combination of the other parameters"


def test_a_value_without_success_has_no_statistics() -> None:
    comparison = compare(results_of(fakes.feedforward(failed={2: DIVERGED})), "learning_rate")
    assert comparison is not None
    row = comparison.rows[-1]
    assert (row.value, row.trials, row.scored, row.mean, row.best_trial) == (0.1, 1, 0, None, None)


def test_ranges_are_compared_only_while_they_have_few_values() -> None:
    results = results_of(fakes.sampled())
    assert compare(results, "learning_rate") is None
    sizes = compare(results, "hidden_size")
    assert sizes is not None
    assert [row.value for row in sizes.rows] == [50, 100, 150, 200, 250, 300, 350, 400]
    assert not sizes.controlled


def test_a_conditional_parameter_is_compared_where_it_applies() -> None:
    results = results_of(fakes.sampled(6))
    comparison = compare(results, "dropout")
    assert comparison is not None
    assert sum(row.trials for row in comparison.rows) == 4


def test_only_one_at_a_time_has_defaults() -> None:
    def marked(fake: Fake, parameter: str) -> list[Any]:
        comparison = compare(results_of(fake), parameter)
        assert comparison is not None
        return [row.value for row in comparison.rows if row.is_default]

    assert marked(fakes.feedforward(), "learning_rate") == [0.01]
    # Declared, but no trial relied on it.
    assert marked(fakes.sampled(4), "optimizer") == []
    assert marked(fakes.sampled(4), "batch_size") == []
    clipped = fakes.feedforward(1)
    configurations = [{"learning_rate": 0.01, "clip": clip} for clip in (None, 1.0)]
    clipped = fakes.make(
        clipped.job.spec, configurations, fakes.classification_curve, fakes.CLASSIFICATION
    )
    assert marked(clipped, "clip") == [None]


def test_null_and_absent_are_different_combinations() -> None:
    scores = iter((0.1, 0.3, 0.6, 0.5))
    configurations = [
        {"o": "x", "clip": None}, {"o": "y", "clip": None}, {"o": "x"}, {"o": "y"},
    ]  # fmt: skip
    spec = {**fakes.grid(1).job.spec.to_json(), "parameters": {"o": {"values": ["x", "y"]}}}
    fake = fakes.make(spec, configurations, lambda p, _: {"validation_accuracy": next(scores)}, {})
    comparison = compare(results_of(fake), "o")
    assert comparison is not None
    assert (comparison.matched, comparison.combinations) == (2, 2)
    assert results_of(fake).varied == ("o", "clip")


def test_describe_trial() -> None:
    results = results_of(fakes.feedforward())
    assert describe_trial(results, results.trials[0]) == "defaults"
    assert describe_trial(results, results.trials[1]) == "learning rate 0.001"
    alone = results_of(fakes.regression(1))
    assert describe_trial(alone, alone.trials[0]) == ""
    assert (
        describe_trial(
            results_of(fakes.with_scores(1.0, 2.0)),
            results_of(fakes.with_scores(1.0, 2.0)).trials[1],
        )
        == "lr 2"
    )


def test_failure_pattern() -> None:
    one = results_of(fakes.feedforward(failed={2: DIVERGED}))
    assert failure_pattern(one) == ("learning_rate", 0.1)
    third = results_of(fakes.grid(1, failed=dict.fromkeys(range(96, 144), DIVERGED)))
    assert failure_pattern(third) == ("learning_rate", 0.1)
    mixed = results_of(fakes.grid(1, failed=dict.fromkeys((0, 143), DIVERGED)))
    assert failure_pattern(mixed) is None
    assert failure_pattern(results_of(fakes.sampled())) is None
    running = tuple(
        replace(t, state=TrialState.RUNNING) if t.number == 100 else t for t in third.trials
    )
    assert failure_pattern(replace(third, trials=running)) is None
    everything = results_of(fakes.feedforward(failed=dict.fromkeys(range(7), DIVERGED)))
    assert failure_pattern(everything) is None
