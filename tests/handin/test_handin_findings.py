"""What the hand-in says of the regression runs and the hand-written classifiers (Q2, Q3)."""

from __future__ import annotations

import pytest

from handin.document import FINDINGS
from tests.handin.handin_runs import (
    accuracy_curve,
    decay,
    findings,
    make_answers,
    regression_curve,
    replace_curve,
)


def test_linear_regression_overfits_when_test_error_rises_and_train_error_falls():
    first, second = findings(make_answers(), "Q2.2a")
    assert first.startswith("From epoch 36 to the end the test error rises by 0.0320 while the")
    assert "at the expense of the test houses" in first
    assert "with every epoch, also after epoch 36" in second


def test_linear_regression_does_not_overfit_when_test_error_falls_to_the_end():
    answers = make_answers()
    falling = regression_curve(150, overfit=0.0)["test_rmse"]
    first, second = findings(replace_curve(answers, "Q2.2a", test_rmse=falling), "Q2.2a")
    assert first.startswith("The test error ends at its lowest")
    assert second.endswith(
        "the test error goes from 0.6000 after epoch 1 to 0.1900 after epoch 150."
    )


def test_linear_regression_that_diverges_is_not_called_overfitting():
    rising = decay(0.3, 0.6, 0.1, 150)
    answers = replace_curve(
        make_answers(),
        "Q2.2a",
        train_rmse=rising,
        test_rmse=rising,
        distance_to_analytic=decay(1.0, 5.0, 0.1, 150),
    )
    first, second = findings(answers, "Q2.2a")
    assert "no overfitting" in first
    assert second == (
        "The weights came nearest to the analytic solution after epoch 1 and have moved away from "
        "it since."
    )


def test_nothing_is_read_into_errors_that_stand_still_or_a_single_epoch():
    same = {"train_rmse": [0.2] * 150, "test_rmse": [0.3] * 150}
    still = replace_curve(make_answers(), "Q2.2a", **same, distance_to_analytic=[2.0] * 150)
    first, second = findings(still, "Q2.2a")
    assert "rises" not in first
    assert second.endswith("from 0.3000 after epoch 1 to 0.3000 after epoch 150.")
    assert findings(make_answers(regression_epochs=1), "Q2.2a") == []


def test_a_distance_that_goes_to_and_fro_does_not_fall_with_every_epoch():
    distance = decay(80.0, 70.0, 0.02, 150)
    distance[20], distance[21] = distance[21], distance[20]
    answers = replace_curve(make_answers(), "Q2.2a", distance_to_analytic=distance)
    assert "on the whole, if not with every epoch" in findings(answers, "Q2.2a")[1]


@pytest.mark.parametrize(
    ("train", "test", "expected"),
    [
        (0.08, 0.16, "fits the training houses more closely than the linear model, and predicts"),
        (0.05, 0.30, "predicts the test houses worse"),
        (0.11, 0.16, "does not clearly fit the training houses more or less closely"),
        (0.15, 0.2335, "less closely than the linear model, and which of them predicts the test"),
    ],
)
def test_network_is_read_where_the_late_ranges_lie_apart(train, test, expected):
    series = regression_curve(150, overfit=0, train_end=train, test_end=test)
    series.pop("epoch")
    side_by_side, late, reading = findings(
        replace_curve(make_answers(), "Q2.2b", **series), "Q2.2b"
    )
    assert side_by_side.startswith("RMSE of log price")
    assert late == "RMSE of log price in the last 10 epochs: range and mean"
    assert expected in reading
    assert "52,501 parameters, the linear model 349" in reading


def test_a_greater_difference_is_laid_to_the_parameters_only_with_a_closer_fit():
    texts = []
    for train in (0.05, 0.15):
        series = regression_curve(150, overfit=0, train_end=train, test_end=0.40)
        series.pop("epoch")
        texts.append(findings(replace_curve(make_answers(), "Q2.2b", **series), "Q2.2b")[2])
    assert "with its greater freedom" in texts[0]
    assert "does not alone decide" in texts[1]


def test_ranges_that_overlap_decide_nothing():
    series = regression_curve(150, overfit=0, train_end=0.1, test_end=0.16)
    restless = [*series["test_rmse"][:-10], *[0.16, 0.30] * 5]
    answers = replace_curve(make_answers(), "Q2.2b", test_rmse=restless)
    _, late, reading = FINDINGS["Q2.2b"](answers)
    assert [row[-1] for row in late.rows][1] == "undecided: the ranges overlap"
    assert late.rows[1][2] == "0.1600 to 0.3000 (mean 0.2300)"
    assert "which of them predicts the test houses better is not decided" in reading


def test_too_few_epochs_are_not_compared():
    answers = make_answers(regression_epochs=5)
    assert findings(answers, "Q2.2b")[1].startswith("Of fewer than 20 epochs")


def test_perceptron_that_still_errs_cannot_rest():
    movement, mistakes = findings(make_answers(), "Q3.1a")
    assert "changes by 5." in movement
    assert "is 0.8000 in epoch 1 and 0.4000 in epoch 20" in mistakes
    assert "cannot come to rest" in mistakes


def test_perceptron_without_mistakes_has_converged():
    answers = replace_curve(make_answers(), "Q3.1a", train_error_rate=[0.5, *[0.0] * 19])
    assert "no mistake any more" in findings(answers, "Q3.1a")[1]


def test_logistic_regression_is_called_smoother_only_if_it_is():
    answers = make_answers()
    assert "13.0 points above the perceptron" in findings(answers, "Q3.1b")[0]
    assert "whole image or nothing" in findings(answers, "Q3.1b")[1]
    rough = accuracy_curve(0.84, 20, wobble=0.2)["validation_accuracy"]
    rougher = replace_curve(answers, "Q3.1b", validation_accuracy=rough)
    assert "whole image or nothing" not in findings(rougher, "Q3.1b")[1]


@pytest.mark.parametrize(
    ("accuracy", "loss", "expected"),
    [
        (0.88, 0.25, "as Q3.2a lets expect"),
        (0.80, 0.25, "without being better on the test images"),
        (0.88, 0.60, "gradient descent has not found it"),
        (0.842, 0.25, "whether it is better on the test images is not decided"),
        (0.88, 0.3999, "lie too close together"),
    ],
)
def test_mlp_is_related_to_the_theory_by_its_numbers(accuracy, loss, expected):
    series = accuracy_curve(accuracy, 20, loss=loss)
    series.pop("epoch")
    logistic, perceptron, theory = findings(
        replace_curve(make_answers(), "Q3.2b", **series), "Q3.2b"
    )
    assert f"{'above' if accuracy > 0.84 else 'below'} logistic regression (0.8300)" in logistic
    assert "above the perceptron (0.7000)" in perceptron
    assert expected in theory


def test_missing_runs_are_named_where_they_would_be_compared():
    answers = {q: a for q, a in make_answers().items() if q in ("Q2.2b", "Q3.1b", "Q3.2b", "Q4.3")}
    assert findings(answers, "Q2.2b") == [
        "There is no linear run to compare with, so the comparison is left out."
    ]
    assert "no run of Q3.1a (the perceptron)" in findings(answers, "Q3.1b")[0]
    assert "no run of Q3.1a" in findings(answers, "Q3.2b")[1]
    assert "no run of Q4.2's default configuration" in findings(answers, "Q4.3")[0]
