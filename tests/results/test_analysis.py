"""Rankings, curves, gaps and comparisons, on numbers worked out by hand or by closed formula."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.analysis import (
    MOST_SHOWN,
    CurvePoint,
    JobResults,
    best_point,
    curve_points,
    held_out_gap,
    summarize,
    summarize_curve,
)
from results.comparison import (
    basis,
    compare,
    default_value,
    describe_trial,
    failure_pattern,
    value_key,
    varied_parameters,
)
from results.records import Curve
from results.states import TrialState
from tests.results import fakes
from tests.results.fakes import DIVERGED, Fake
from trainables.contract import Metric


def results_of(fake: Fake) -> JobResults:
    return JobResults.of(*fake)


def with_scores(*scores: float, mode: str = "min") -> JobResults:
    """Trials with ``lr`` 1, 2, ... and these last values."""
    spec = {
        "name": "s", "title": "S", "trainable": "t", "dataset": "d", "epochs": 1, "metric": "m",
        "mode": mode, "strategy": "grid", "seed": 42,
        "parameters": {"lr": {"values": list(range(1, len(scores) + 1)), "default": 1}},
    }  # fmt: skip
    configurations = [{"lr": n} for n in range(1, len(scores) + 1)]
    made = fakes.make(spec, configurations, lambda p, _: {"m": scores[p["lr"] - 1]}, {})
    return results_of(made)


def test_curve_points_leave_out_what_is_not_finite() -> None:
    curve = Curve(0, (1, 2, 3, 4), {"m": (1.0, math.nan, math.inf, 2.0)})
    assert curve_points(curve, "m") == [CurvePoint(1, 1.0), CurvePoint(4, 2.0)]
    assert curve_points(curve, "unknown") == []


@pytest.mark.parametrize(("mode", "epoch"), [("min", 2), ("max", 1)])
def test_best_point_is_the_earliest_of_equals(mode: str, epoch: int) -> None:
    points = [CurvePoint(1, 5.0), CurvePoint(2, 3.0), CurvePoint(3, 3.0), CurvePoint(4, 5.0)]
    best = best_point(points, mode)
    assert best is not None
    assert best.epoch == epoch


def test_nothing_is_best_without_a_direction() -> None:
    assert best_point([CurvePoint(1, 5.0)], "") is None
    summary = summarize_curve(Curve(0, (1,), {"m": (5.0,)}), Metric("m", "M", "", "none"))
    assert summary is not None
    assert (summary.first.value, summary.best) == (5.0, None)


def test_summary_of_a_curve_without_finite_values_is_none() -> None:
    curve = Curve(0, (1,), {"m": (math.nan,)})
    assert summarize_curve(curve, Metric("m", "M", "min", "train")) is None


def test_gap_of_the_linear_regression() -> None:
    results = results_of(fakes.regression())
    gap = held_out_gap(results, results.curves[0])
    assert gap is not None
    assert (gap.train_metric.name, gap.held_out_metric.name) == ("train_rmse", "test_rmse")
    assert [point.epoch for point in gap.points] == list(range(1, 151))
    assert (gap.best.epoch, gap.best.held_out) == (71, pytest.approx(0.195))
    # By hand, 0.085 + 0.043 ((e - 71) / 79)^2 - 0.2 exp(-e / 20) changes its sign after 12.
    assert [round(gap.points[e - 1].gap, 4) for e in (11, 12, 13)] == [-0.0056, -0.0008, 0.0038]
    assert gap.narrowest.epoch == 12
    # 0.195 + 0.043 - 0.11 - 0.2 exp(-7.5)
    assert gap.points[-1].gap == pytest.approx(0.128 - 0.2 * math.exp(-7.5))


def test_no_gap_without_a_pair_or_a_direction() -> None:
    results = results_of(fakes.feedforward())
    assert held_out_gap(results, results.curves[0]) is None
    unknown = replace(results_of(fakes.regression()), metrics={})
    assert held_out_gap(unknown, unknown.curves[0]) is None


def test_ranking_is_best_first_and_leaves_out_failures_and_nan() -> None:
    results = with_scores(3.0, math.nan, 1.0, math.inf, 2.0)
    assert [(trial.number, score) for trial, score in results.ranking()] == [
        (2, 1.0),
        (4, 2.0),
        (0, 3.0),
    ]
    failed = results_of(fakes.feedforward(failed={1: DIVERGED}))
    assert 1 not in [trial.number for trial, _ in failed.ranking()]


def test_ranking_follows_the_mode_of_the_job() -> None:
    ranked = with_scores(3.0, 1.0, 2.0, mode="max").ranking()
    assert [score for _, score in ranked] == [3.0, 2.0, 1.0]


def test_all_trials_are_shown_where_they_are_few() -> None:
    results = with_scores(3.0, math.nan, 1.0)
    assert [trial.number for trial in results.shown] == [2, 0, 1]


def test_of_many_trials_the_best_are_shown_then_those_without_a_score() -> None:
    scores = [math.nan, math.nan, *map(float, range(MOST_SHOWN - 1, 0, -1)), math.inf]
    shown = [trial.number for trial in with_scores(*scores).shown]
    assert shown == [*range(MOST_SHOWN, 1, -1), 0]


def test_fewer_trials_are_shown_where_they_have_many_epochs() -> None:
    results = with_scores(*map(float, range(20)))

    def shown(epochs: int) -> int:
        long = tuple(replace(trial, epochs=epochs) for trial in results.trials)
        return len(replace(results, trials=long).shown)

    assert [shown(epochs) for epochs in (10_000, 15_000, 1_000_000)] == [20, 13, 8]


def test_answers_are_remembered_with_the_results_that_they_are_of() -> None:
    results = with_scores(3.0, 1.0)
    assert results.ranking() is results.ranking()
    assert compare(results, "lr") is compare(results, "lr")
    assert compare(results, "none") != compare(results, "lr")
    other = replace(results, trials=results.trials[:1])
    assert [trial.number for trial, _ in other.ranking()] == [0]
    assert [trial.number for trial, _ in results.ranking()] == [1, 0]


def test_summary_statistics() -> None:
    summary = summarize(with_scores(4.0, 1.0, 2.0, 1.0))
    assert (summary.planned, summary.scored, summary.states) == (4, 4, {"succeeded": 4})
    assert (summary.best, summary.worst, summary.mean, summary.median) == (1.0, 4.0, 2.0, 1.5)
    # Deviations 2, -1, 0, -1: variance 6 / 4.
    assert summary.standard_deviation == pytest.approx(math.sqrt(1.5))
    assert (summary.trial_seconds, summary.wall_seconds) == (6.0, 90.0)


def test_summary_without_a_success() -> None:
    summary = summarize(results_of(fakes.feedforward(failed=dict.fromkeys(range(7), DIVERGED))))
    assert (summary.scored, summary.diverged, summary.best, summary.mean) == (0, 7, None, None)


def test_summary_of_huge_scores_is_exact() -> None:
    assert summarize(with_scores(1e308, 1e308)).mean == 1e308


def test_varied_parameters_in_declared_order() -> None:
    names = ("learning_rate", "hidden_size", "dropout", "activation", "optimizer")
    assert varied_parameters(results_of(fakes.feedforward())) == names
    assert varied_parameters(results_of(fakes.grid(1))) == (*names, "layers")
    assert varied_parameters(results_of(fakes.regression(1))) == ()


def test_an_absent_parameter_counts_as_a_value() -> None:
    assert "dropout" in varied_parameters(results_of(fakes.sampled(6)))


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
    of_sgd = [s for trial, s in results.ranking() if trial.parameters["optimizer"] == "sgd"]
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
    results = with_scores(1.0, 2.0)
    assert basis(results, compare(results, "lr")) == "all else equal"


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


def test_defaults() -> None:
    assert default_value(results_of(fakes.feedforward()), "learning_rate") == 0.01
    # Declared, but no trial relied on it.
    assert default_value(results_of(fakes.sampled(4)), "optimizer") is None
    assert default_value(results_of(fakes.sampled(4)), "batch_size") is None


def test_describe_trial() -> None:
    results = results_of(fakes.feedforward())
    assert describe_trial(results, results.trials[0]) == "defaults"
    assert describe_trial(results, results.trials[1]) == "learning rate 0.001"
    alone = results_of(fakes.regression(1))
    assert describe_trial(alone, alone.trials[0]) == ""
    assert describe_trial(with_scores(1.0, 2.0), with_scores(1.0, 2.0).trials[1]) == "lr 2"


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


def test_undeclared_metrics_are_described_by_their_name() -> None:
    info = replace(results_of(fakes.feedforward()), metrics={}).info("validation_top_5")
    assert (info.label, info.mode, info.split) == ("Validation top 5", "", "validation")


def test_metrics_come_in_declared_order() -> None:
    results = results_of(fakes.regression(1))
    assert results.metric_names == ("train_rmse", "test_rmse", "distance_to_analytic")
