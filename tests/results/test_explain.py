"""The paragraphs quote the job's numbers and claim no more than they show."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from results.analysis import JobResults
from results.explain import explain, explain_selected
from results.formatting import number
from results.records import Progress
from results.states import JobState, TrialState
from results.wording import apart
from tests.results import fakes
from tests.results.fakes import DIVERGED, Fake
from trainables.contract import Metric


def text_of(fake: Fake) -> str:
    return "\n".join(explain(JobResults.of(*fake)))


def test_linear_regression_tells_how_the_gap_evolved() -> None:
    text = text_of(fakes.regression())
    assert (
        "The test RMSE was lowest at epoch 71 (0.1950); it ended at 0.2380 after epoch 150,"
        " 0.0430 higher. The training RMSE was 0.3002 at epoch 1, 0.1157 at epoch 71 and 0.1101 at"
        " epoch 150. The difference between them, test minus training, was -0.0715 at epoch 1,"
        " -0.0007785 at epoch 12, 0.0793 at epoch 71 and 0.1279 at epoch 150; it was narrowest at"
        " epoch 12. In each of the last 15 epochs the model was better on the training data and"
        " worse on the test data than at epoch 71. Overfitting looks like this, but so do a few"
        " samples that weigh heavily: these figures do not tell which."
    ) in text
    # 2.6 exp(-1/120) = 2.5784, 2.6 exp(-150/120) = 0.7449, their ratio exp(-149/120) = 28.9 %
    assert (
        "The distance to the analytic solution fell from 2.5784 after epoch 1 to 0.7449 after"
        " epoch 150, 28.9 % of what it was."
    ) in text


def test_no_overfitting_is_claimed_while_the_test_error_falls() -> None:
    text = text_of(fakes.regression(50))
    assert "verfitting" not in text
    assert text.count("Test performance was best in the last epoch.") == 1


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
        "The selected configuration, trial 1 (learning rate 0.001, else the defaults), ended with a"
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
        "Effect of the learning rate (the other parameters at their defaults): validation accuracy"
        " was highest with 0.001 (0.8892), against 0.8812 with the default, 0.01, 0.0080 lower, and"
        " lowest with 0.1 (0.8612, 0.0280 lower)."
    ) in text
    assert (
        "Effect of the hidden size (the other parameters at their defaults): validation accuracy"
        " was highest with the default, 200 (0.8812), and lowest with 100 (0.8712, 0.0100 lower)."
    ) in text
    assert "Each configuration ran once, with one seed" in text


def test_effects_in_a_grid_are_means_and_in_a_sample_not_controlled() -> None:
    grid = text_of(fakes.grid(1))
    assert "Effect of the optimizer (mean over 72 combinations of the other parameters)" in grid
    assert "default" not in grid
    sampled = text_of(fakes.sampled())
    drawn = "(over the trials sampled, which is no controlled comparison)"
    assert f"Effect of the optimizer {drawn}: validation accuracy was highest" in sampled
    assert "Effect of the learning rate" not in sampled


def test_failures_are_named_with_what_they_share() -> None:
    text = text_of(fakes.feedforward(failed={2: DIVERGED}))
    assert (
        "The job succeeded with 7 trials of at most 20 epochs each. 1 failed and 6 succeeded."
        in text
    )
    assert "Failed: trial 2 (diverged)." in text
    assert "Exactly the trials with learning rate 0.1 failed." in text
    assert "Without a result: 0.1 (1 of 1 trial)." in text


def test_many_failures_are_counted() -> None:
    text = text_of(fakes.grid(1, failed=dict.fromkeys(range(96, 144), DIVERGED)))
    assert "Failed: 48 trials, the first of them trial 96 (diverged)." in text


def test_no_success() -> None:
    text = text_of(fakes.feedforward(failed=dict.fromkeys(range(7), DIVERGED)))
    assert "All 7 trials failed." in text
    assert "selected" not in text
    assert "highest" not in text


def test_one_epoch_and_one_trial() -> None:
    text = text_of(fakes.regression(1))
    # 0.11 + 0.2 exp(-1 / 20); 0.195 + 0.043 (70 / 79)^2
    assert text == (
        "The job succeeded with 1 trial of at most 1 epoch. The trial succeeded. Training took"
        " 1.5 s and the job 1 min 30 s from start to end.\n"
        "The configuration ended with a training RMSE of 0.3002. Its test RMSE was 0.2288.\n"
        "Only one epoch was reported, so there is no course over the epochs to describe."
    )


def test_equal_trials_are_called_equal() -> None:
    def flat(_: Any, epoch: int) -> dict[str, float]:
        return {"validation_accuracy": 0.5}

    spec = fakes.feedforward(2).job.spec
    configurations = [trial.parameters for trial in fakes.feedforward(2).trials]
    text = text_of(fakes.make(spec, configurations, flat, fakes.CLASSIFICATION))
    assert "trial 1 is equal as written" in text
    assert "was 0.5000 with each of 0.001, 0.01 and 0.1, equal as written." in text


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
    planned = replace(job, progress=replace(job.progress, trials=20))
    assert text_of(fake._replace(job=planned)).startswith(
        "The job was cancelled: of 20 trials of at most 2 epochs each, 7 were run; all 7 trials"
        " succeeded. Training took"
    )
    waiting = replace(fake.trials[6], state=TrialState.CANCELLED, attempt=0)
    stopped = replace(fake.trials[5], state=TrialState.CANCELLED)
    trials = (*fake.trials[:5], stopped, waiting)
    assert text_of(fake._replace(job=job, trials=trials)).startswith(
        "The job was cancelled: of 7 trials of at most 2 epochs each, 6 were run; 1 was cancelled"
        " and 5 succeeded."
    )


def test_undeclared_metrics_are_never_called_best() -> None:
    fake = fakes.regression()._replace(metrics={})
    text = text_of(fake)
    # The declared metric has the job's mode; of the others nobody knows the better direction.
    assert "train rmse was 0.3002 after epoch 1 and lowest in the last epoch" in text
    assert "test rmse was lowest" not in text
    assert "verfitting" not in text


def one_curve(metrics: dict[str, tuple[float, ...]], metric: str = "train_rmse") -> str:
    """The text on one trial with these curves."""
    fake = fakes.regression(len(next(iter(metrics.values()))))
    job = fakes.with_spec(fake.job, metric=metric)
    curve = replace(fake.curves[0], metrics=metrics)
    last = {name: values[-1] for name, values in metrics.items()}
    trial = replace(fake.trials[0], metrics=last)
    return text_of(fake._replace(job=job, curves=(curve,), trials=(trial,)))


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ((0.5, 0.4, 0.3), (0.2, 0.9, 0.19)),  # Best at the end, though it had worsened before.
        ((0.5, 0.4, 0.3), (0.2, 0.2, 0.2 + 1e-7)),  # Nothing that a reader could see.
        ((0.5, 0.4, 0.3), (0.3, 0.2, 0.25)),  # Worse in one epoch alone.
        ((0.5, 0.4, 0.6, 0.6), (0.3, 0.2, 0.25, 0.3)),  # The training data lost, too.
    ],
)
def test_overfitting_is_not_spoken_of_without_cause(
    train: tuple[float, ...], test: tuple[float, ...]
) -> None:
    text = one_curve({"train_rmse": train, "test_rmse": test})
    assert "verfitting" not in text
    assert "begun" not in text


def test_constant_curves_have_no_best_epoch() -> None:
    text = one_curve({"train_rmse": (0.2,) * 3, "test_rmse": (0.3,) * 3})
    assert "The test RMSE was 0.3000 throughout. " in text
    assert "lowest at epoch" not in text
    alone = one_curve({"train_rmse": (0.2,) * 3})
    assert "Its training RMSE was 0.2000 after epoch 1 and after epoch 3." in alone


def test_a_metric_taken_during_the_epoch_is_not_called_one_after_it() -> None:
    text = text_of(fakes.feedforward())
    # 0.25 + 0.9 exp(-1 / 5) + 0.03 and 0.25 + 0.9 exp(-4) + 0.03
    assert (
        "Its training loss fell from 1.0169 in epoch 1 to 0.2965 in epoch 20 (mean over the epoch's"
        " samples as they are trained on, not of the model it ends with)."
    ) in text


def test_validation_data_tell_how_training_and_held_out_data_part() -> None:
    fake = fakes.regression(4)
    curve = replace(
        fake.curves[0],
        metrics={
            "train_rmse": (0.4, 0.3, 0.2, 0.1),
            "validation_rmse": (0.5, 0.4, 0.35, 0.3),
            "test_rmse": (0.3, 0.2, 0.4, 0.6),
        },
    )
    info = Metric("validation_rmse", "Validation RMSE", "min", "validation")
    metrics = {**fake.metrics, "validation_rmse": info}
    text = text_of(fake._replace(curves=(curve,), metrics=metrics))
    assert "The validation RMSE was lowest at epoch 4 (0.3000)." in text
    assert "validation minus training" in text
    assert "test RMSE was lowest" not in text


def test_the_selected_trial_alone() -> None:
    fake = fakes.feedforward()
    first, *others = explain_selected(JobResults.of(*fake))
    assert first.startswith("The selected configuration, trial 1")
    assert "next came" not in first
    assert not any(text.startswith("Effect") for text in others)
    outcome, failures, *_ = explain_selected(
        JobResults.of(*fakes.feedforward(failed={2: DIVERGED}))
    )
    assert "1 failed and 6 succeeded" in outcome
    assert failures.startswith("Failed: trial 2 (diverged).")


CHANGES = re.compile(r"(rose|fell) from (\S+) \w+ epoch \d+ to (\S+) \w+ epoch")
NEAR = st.floats(0.0999, 0.1001) | st.floats(0, 20) | st.sampled_from([0.1, 0.10004, 0.10006])


@given(first=NEAR, last=NEAR)
def test_what_is_said_to_rise_or_fall_does_so_in_the_figures(first: float, last: float) -> None:
    text = one_curve(
        {"train_rmse": (1.0, 1.0), "distance_to_analytic": (first, last)}, metric="train_rmse"
    )
    (told,) = CHANGES.findall(text) or [("stayed", "", "")]
    verb, start, end = told
    expected = {"rose": 1, "fell": -1, "stayed": 0}[verb]
    written = [float(number(value)) for value in (first, last)]
    assert (written[1] > written[0]) - (written[1] < written[0]) == expected
    if verb != "stayed":
        assert [float(start), float(end)] == written


APART = re.compile(r"(\S+) (higher|lower)")


@given(value=NEAR, reference=NEAR)
def test_differences_are_those_of_the_figures(value: float, reference: float) -> None:
    text, written = apart(value, reference), [float(number(v)) for v in (value, reference)]
    found = APART.fullmatch(text)
    assert (found is None) == (written[0] == written[1]) == (text == "equal as written")
    if found is not None:
        assert found[2] == ("higher" if written[0] > written[1] else "lower")
        assert float(found[1]) == pytest.approx(abs(written[0] - written[1]), rel=1e-3)
        assert float(found[1]) > 0


def test_curves_that_are_missing() -> None:
    text = text_of(fakes.feedforward()._replace(curves=()))
    assert "trial 1 (learning rate 0.001" in text
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
    spec = {**fakes.feedforward(epochs).job.spec.to_json(), "metric": "train_rmse", "mode": "min"}
    fake = fakes.make(
        spec,
        [trial.parameters for trial in fakes.feedforward(1).trials],
        lambda parameters, epoch: {name: next(endless) for name in fakes.REGRESSION},
        fakes.REGRESSION,
        dict.fromkeys(failed, DIVERGED),
    )
    words = set(text_of(fake).replace("(", " ").replace(")", " ").replace(",", " ").split())
    assert not words & {"nan", "inf", "-inf", "n/a", "None"}


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Accuracy", "an accuracy"),
        ("Error", "an error"),
        ("RMSE of the rest", "an RMSE of the rest"),
        ("BLEU", "a BLEU"),
        ("Loss", "a loss"),
    ],
)
def test_articles(label: str, expected: str) -> None:
    fake = fakes.feedforward(1)
    metrics = {"validation_accuracy": Metric("validation_accuracy", label, "max", "validation")}
    assert f"ended with {expected} of" in text_of(fake._replace(metrics=metrics))
