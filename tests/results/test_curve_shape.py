"""Curves on numbers worked out by hand or by closed formula, and sentences that quote them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from results.analysis import JobResults
from results.curve_shape import (
    CurvePoint,
    best_point,
    curve_points,
    describe_curves,
    held_out_gap,
    summarize_curve,
)
from results.records import Curve
from tests.results import fakes
from tests.results.fakes import Fake
from trainables.contract import Metric


def results_of(fake: Fake) -> JobResults:
    return JobResults.of(*fake)


def test_curve_points_leave_out_what_is_not_finite() -> None:
    curve = Curve(0, (1, 2, 3, 4, 5), {"m": (1.0, math.nan, math.inf, 2.0, None)})
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
    assert (gap.train.name, gap.held_out.name) == ("train_rmse", "test_rmse")
    assert list(gap.values) == list(range(1, 151))
    assert gap.values[71][1] == pytest.approx(0.195)
    gaps = {epoch: held_out - train for epoch, (train, held_out) in gap.values.items()}
    # By hand, 0.085 + 0.043 ((e - 71) / 79)^2 - 0.2 exp(-e / 20) changes its sign after 12.
    assert [round(gaps[epoch], 4) for epoch in (11, 12, 13)] == [-0.0056, -0.0008, 0.0038]
    # 0.195 + 0.043 - 0.11 - 0.2 exp(-7.5)
    assert gaps[150] == pytest.approx(0.128 - 0.2 * math.exp(-7.5))


def test_a_gap_of_names_with_slashes() -> None:
    fake = fakes.regression(2)
    curve = replace(fake.curves[0], metrics={"train/loss": (2.0, 1.0), "val/loss": (2.5, 2.0)})
    info = Metric("val/loss", "Loss", "min", "validation")
    results = results_of(fake._replace(curves=(curve,), metrics={"val/loss": info}))
    gap = held_out_gap(results, results.curves[0])
    assert gap is not None
    assert (gap.train.name, gap.values) == ("train/loss", {1: (2.0, 2.5), 2: (1.0, 2.0)})


def test_no_gap_without_a_pair_or_a_direction() -> None:
    results = results_of(fakes.feedforward())
    assert held_out_gap(results, results.curves[0]) is None
    unknown = replace(results_of(fakes.regression()), metrics={})
    assert held_out_gap(unknown, unknown.curves[0]) is None


def text_of(fake: Fake) -> str:
    results = results_of(fake)
    assert results.best is not None
    return "\n".join(describe_curves(results, results.best))


def one_curve(metrics: dict[str, tuple[float | None, ...]], metric: str = "train_rmse") -> str:
    """The text on one trial with these curves."""
    fake = fakes.regression(len(next(iter(metrics.values()))))
    curve = replace(fake.curves[0], metrics=metrics)
    return text_of(fake._replace(job=fakes.with_spec(fake.job, metric=metric), curves=(curve,)))


def test_the_gap_of_the_linear_regression() -> None:
    assert text_of(fakes.regression()) == (
        "The test RMSE was lowest at epoch 71 (0.1950) and ended at 0.2380, 0.0430 higher. The test"
        " RMSE minus the training RMSE was -0.0715 at epoch 1, -0.0007785 at epoch 12, 0.0793 at"
        " epoch 71 and 0.1279 at epoch 150; they were closest at epoch 12. In each of the last 15"
        " epochs the model was better on the training data and worse on the test data than at epoch"
        " 71. That may be overfitting, or the effect of a few samples that weigh heavily."
    )


def test_no_overfitting_is_claimed_while_the_test_error_falls() -> None:
    text = text_of(fakes.regression(50))
    assert "overfitting" not in text
    assert "The test RMSE was lowest at epoch 50 (0.1980), the last one." in text


def test_best_epoch_against_the_last_one() -> None:
    assert text_of(fakes.feedforward()) == (
        "The validation accuracy was highest at epoch 14 (0.8919) and ended at 0.8892, 0.0027"
        " lower. The test accuracy at epoch 14 was 0.8849."
    )
    rising = "The validation accuracy was highest at epoch 10 (0.8887), the last one."
    assert text_of(fakes.feedforward(10)) == rising


def test_undeclared_metrics_are_never_called_best() -> None:
    text = text_of(fakes.regression()._replace(metrics={}))
    # The declared metric has the job's mode; of the others nobody knows the better direction.
    assert text == "The train rmse was lowest at epoch 150 (0.1101), the last one."


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
    assert "overfitting" not in one_curve({"train_rmse": train, "test_rmse": test})


def test_constant_curves_have_no_best_epoch() -> None:
    text = one_curve({"train_rmse": (0.2,) * 3, "test_rmse": (0.3,) * 3})
    assert text.startswith("The test RMSE stayed at 0.3000. ")
    assert "lowest" not in text
    assert one_curve({"train_rmse": (0.2,) * 3}) == "The training RMSE stayed at 0.2000."


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
    assert text.startswith("The validation RMSE was lowest at epoch 4 (0.3000), the last one.")
    assert "validation RMSE minus the training RMSE" in text
    assert "test RMSE" not in text


def test_nothing_is_written_without_a_course() -> None:
    assert text_of(fakes.feedforward(1)) == ""
    assert text_of(fakes.feedforward()._replace(curves=())) == ""
    assert one_curve({"test_rmse": (0.2, 0.1)}) == ""


def test_a_metric_of_some_epochs_is_described_by_those() -> None:
    text = one_curve({"train_rmse": (0.4, 0.3, 0.2, 0.1), "test_rmse": (None, 0.4, None, 0.3)})
    assert text == (
        "The test RMSE was lowest at epoch 4 (0.3000), the last one. The test RMSE minus the"
        " training RMSE was 0.1000 at epoch 2 and 0.2000 at epoch 4; they were closest at epoch 2."
    )
