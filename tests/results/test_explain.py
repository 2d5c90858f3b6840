"""The paragraphs quote the job's numbers and claim no more than they show."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from results.analysis import JobResults
from results.explain import explain
from results.records import MetricInfo, Progress
from results.states import JobState
from tests.results import fakes
from tests.results.fakes import DIVERGED, Fake


def text_of(fake: Fake) -> str:
    return "\n".join(explain(JobResults.of(*fake)))


def test_linear_regression_tells_how_the_gap_evolved() -> None:
    text = text_of(fakes.regression())
    assert (
        "The test RMSE was lowest at epoch 71 (0.1950); it ended at 0.2380 after epoch 150,"
        " 0.0430 higher. The training RMSE was 0.3002 at epoch 1, 0.1157 at epoch 71 and 0.1101 at"
        " epoch 150. The difference between them, test minus training, was -0.0715 at epoch 1,"
        " 0.0793 at epoch 71 and 0.1279 at epoch 150."
    ) in text
    assert "From epoch 71 to 150 the model improved on the training data" in text
    # 2.6 exp(-1/120) = 2.5784, 2.6 exp(-150/120) = 0.7449, their ratio exp(-149/120) = 28.9 %
    assert (
        "The distance to the analytic solution fell from 2.5784 after epoch 1 to 0.7449 after"
        " epoch 150, 28.9 % of what it was."
    ) in text


def test_no_overfitting_is_claimed_while_the_test_error_falls() -> None:
    text = text_of(fakes.regression(50))
    assert "overfitting" not in text
    assert "Test performance was at its best in the last epoch" in text


def test_a_distance_with_a_minimum_in_between() -> None:
    fake = fakes.regression(3)
    curve = replace(
        fake.curves[0],
        metrics={**fake.curves[0].metrics, "distance_to_analytic": (2.0, 0.5, 1.0)},
    )
    text = text_of(fake._replace(curves=(curve,)))
    assert "fell from 2.0000 after epoch 1 to 1.0000 after epoch 3, 50.0 % of what it was" in text
    assert "it was smallest at epoch 2 (0.5000)" in text


def test_selection_and_runner_up() -> None:
    text = text_of(fakes.feedforward())
    assert (
        "The selected configuration, trial 1 (learning_rate 0.001, else the defaults), ended with a"
        " validation accuracy of 0.8892, the highest of the 7 that succeeded; next came trial 0"
        " (defaults) with 0.8812, 0.0080 lower. Its test accuracy was 0.8822; test data took no"
        " part in the selection."
    ) in text


def test_best_epoch_against_the_last_one() -> None:
    text = text_of(fakes.feedforward())
    assert "highest at epoch 14 (0.8919); it ended at 0.8892 after epoch 20, 0.0027 lower." in text
    assert "The test accuracy was 0.8849 at epoch 14 and 0.8822 at epoch 20." in text
    rising = text_of(fakes.feedforward(10))
    assert "highest in the last epoch, 10" in rising


def test_effects_one_at_a_time() -> None:
    text = text_of(fakes.feedforward())
    assert (
        "learning_rate, the other parameters at their defaults: validation accuracy was highest"
        " with 0.001 (0.8892), against 0.8812 with the default, 0.01, 0.0080 lower, and lowest with"
        " 0.1 (0.8612, 0.0280 lower)."
    ) in text
    assert (
        "hidden_size, the other parameters at their defaults: validation accuracy was highest with"
        " the default, 200 (0.8812), and lowest with 100 (0.8712, 0.0100 lower)."
    ) in text
    assert "Each configuration ran once, with one seed" in text


def test_effects_in_a_grid_are_means_and_in_a_sample_not_controlled() -> None:
    assert "optimizer, mean over the other parameters' values" in text_of(fakes.grid(1))
    sampled = text_of(fakes.sampled())
    assert "optimizer, mean over the trials sampled (not a controlled comparison)" in sampled
    assert "learning_rate, mean" not in sampled


def test_failures_are_named_with_what_they_share() -> None:
    text = text_of(fakes.feedforward(failed={2: DIVERGED}))
    assert "Of the trials: 1 failed and 6 succeeded." in text
    assert "Failed: trial 2 (diverged)." in text
    assert "Exactly the trials with learning_rate 0.1 failed." in text
    assert "Without a result: 0.1 (1 of 1 trial)." in text


def test_many_failures_are_counted() -> None:
    text = text_of(fakes.grid(1, failed=dict.fromkeys(range(96, 144), DIVERGED)))
    assert "Failed: 48 trials, the first of them trial 96 (diverged)." in text


def test_no_success() -> None:
    text = text_of(fakes.feedforward(failed=dict.fromkeys(range(7), DIVERGED)))
    assert "All trials failed." in text
    assert "selected" not in text
    assert "highest" not in text


def test_one_epoch_and_one_trial() -> None:
    text = text_of(fakes.regression(1))
    assert "Only one epoch was reported" in text
    assert "The configuration ended with a training RMSE of 0.3002. Its test RMSE was" in text
    assert "took no part" not in text
    assert "overfitting" not in text


def test_equal_trials_are_called_equal() -> None:
    def flat(_: Any, epoch: int) -> dict[str, float]:
        return {"validation_accuracy": 0.5}

    spec = fakes.feedforward(2).job.spec
    configurations = [trial.parameters for trial in fakes.feedforward(2).trials]
    text = text_of(fakes.make(spec, configurations, flat, fakes.CLASSIFICATION))
    assert "trial 1 is equal to four decimals" in text
    assert "was 0.5000 with each of 0.001, 0.01 and 0.1, equal to four decimals." in text


def test_a_job_that_still_runs_or_has_not_begun() -> None:
    fake = fakes.feedforward(2)
    job = replace(fake.job, state=JobState.RUNNING, finished_at=None)
    assert "The job is running: of 7 trials of at most 2 epochs each, 7 ended so far." in text_of(
        fake._replace(job=job)
    )
    queued = replace(
        job, state=JobState.QUEUED, started_at=None, best=None, progress=Progress(7, 0, 0, 0, 0, 14)
    )
    assert explain(JobResults.of(queued, (), (), {})) == [
        "The job is queued: of 7 trials of at most 2 epochs each, 0 ended so far."
    ]


def test_a_cancelled_job_reads_well() -> None:
    fake = fakes.feedforward(2)
    job = replace(fake.job, state=JobState.CANCELLED)
    assert text_of(fake._replace(job=job)).startswith("The job was cancelled with 7 trials")


def test_undeclared_metrics_are_never_called_best() -> None:
    fake = fakes.regression()._replace(metrics={})
    text = text_of(fake)
    # The declared metric has the job's mode; of the others nobody knows the better direction.
    assert "train rmse was 0.3002 after epoch 1 and lowest in the last epoch" in text
    assert "test rmse was lowest" not in text
    assert "overfitting" not in text


def test_curves_that_are_missing() -> None:
    text = text_of(fakes.feedforward()._replace(curves=()))
    assert "trial 1 (learning_rate 0.001" in text
    assert "epoch 14" not in text


VALUES = st.floats(-1e100, 1e100) | st.sampled_from([0.0, 0.5, 0.50001, math.nan, math.inf])


@settings(max_examples=40, deadline=None, phases=[Phase.generate], derandomize=True)
@given(
    values=st.lists(VALUES, min_size=5, max_size=5),
    epochs=st.integers(1, 4),
    failed=st.sets(st.integers(0, 6)),
)
def test_any_numbers_make_text_without_nan(
    values: list[float], epochs: int, failed: set[int]
) -> None:
    endless = itertools.cycle(values)
    spec = {**fakes.feedforward(epochs).job.spec, "metric": "train_rmse", "mode": "min"}
    fake = fakes.make(
        spec,
        [trial.parameters for trial in fakes.feedforward(1).trials],
        lambda parameters, epoch: {name: next(endless) for name in fakes.REGRESSION},
        fakes.REGRESSION,
        dict.fromkeys(failed, DIVERGED),
    )
    words = set(text_of(fake).replace("(", " ").replace(")", " ").replace(",", " ").split())
    assert not words & {"nan", "inf", "-inf", "n/a", "None"}


@pytest.mark.parametrize("label", ["Accuracy", "Error"])
def test_articles(label: str) -> None:
    fake = fakes.feedforward(1)
    metrics = {"validation_accuracy": MetricInfo("validation_accuracy", label, "max", "validation")}
    assert f"ended with an {label.lower()} of" in text_of(fake._replace(metrics=metrics))
