"""Rankings, curves, gaps and comparisons, on numbers worked out by hand or by closed formula."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from results.analysis import MOST_SHOWN, JobResults, summarize
from results.records import Rest
from tests.results import fakes
from tests.results.fakes import DIVERGED, Fake


def results_of(fake: Fake) -> JobResults:
    return JobResults.of(*fake)


def with_scores(*scores: float, mode: str = "min") -> JobResults:
    return results_of(fakes.with_scores(*scores, mode=mode))


def test_ranking_is_best_first_and_leaves_out_failures_and_nan() -> None:
    results = with_scores(3.0, math.nan, 1.0, math.inf, 2.0)
    assert [(trial.number, score) for trial, score in results.ranked] == [
        (2, 1.0),
        (4, 2.0),
        (0, 3.0),
    ]
    failed = results_of(fakes.feedforward(failed={1: DIVERGED}))
    assert 1 not in [trial.number for trial, _ in failed.ranked]


def test_ranking_follows_the_mode_of_the_job() -> None:
    ranked = with_scores(3.0, 1.0, 2.0, mode="max").ranked
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


def test_answers_are_kept_with_the_results_that_they_are_of() -> None:
    results = with_scores(3.0, 1.0)
    assert results.ranked is results.ranked
    assert results.comparisons is results.comparisons
    other = replace(results, trials=results.trials[:1])
    assert [trial.number for trial, _ in other.ranked] == [0]
    assert [trial.number for trial, _ in results.ranked] == [1, 0]


def test_other_curves_leave_what_follows_from_the_trials() -> None:
    job, trials, curves, metrics = fakes.sampled(12)
    whole = JobResults.of(job, trials, curves, metrics)
    found = JobResults.of(job, trials, (), metrics)
    ranking = found.ranking
    found = found.with_curves(curves)
    assert found.curves == whole.curves != {}
    assert found.ranking is ranking
    assert (found.shown, found.varied) == (whole.shown, whole.varied)
    assert found.metric_names == whole.metric_names


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
    assert results_of(fakes.feedforward()).varied == names
    assert results_of(fakes.grid(1)).varied == (*names, "layers")
    assert results_of(fakes.regression(1)).varied == ()


def test_an_absent_parameter_counts_as_a_value() -> None:
    assert "dropout" in results_of(fakes.sampled(6)).varied


def test_undeclared_metrics_are_described_by_their_name() -> None:
    info = replace(results_of(fakes.feedforward()), metrics={}).info("validation_top_5")
    assert (info.label, info.mode, info.split) == ("Validation top 5", "", "validation")


def test_metrics_come_in_declared_order() -> None:
    results = results_of(fakes.regression(1))
    assert results.metric_names == ("train_rmse", "test_rmse", "distance_to_analytic")


def test_the_wall_time_is_without_the_rest_before_an_extension() -> None:
    fake = fakes.with_scores(4.0, 1.0)
    rest = Rest(fakes.START, fakes.START + timedelta(seconds=60))
    assert summarize(JobResults.of(*fake, rests=(rest,))).wall_seconds == 30.0
