"""What the hand-in says of the regression runs and the hand-written classifiers (Q2, Q3)."""

from __future__ import annotations

import pytest

from tests.results.handin_runs import (
    accuracy_curve,
    decay,
    findings,
    make_answers,
    regression_curve,
    replace_curve,
)


def test_linear_regression_overfits_when_test_error_rises_and_train_error_falls():
    first, second = findings(make_answers(), "Q2.2a")
    assert first.startswith("Up to epoch 36 the model learns")
    assert "while the train error falls by a further" in first
    assert "with every epoch, also after epoch 36" in second


def test_linear_regression_does_not_overfit_when_test_error_falls_to_the_end():
    answers = make_answers()
    falling = regression_curve(150, overfit=0.0)["test_rmse"]
    first, second = findings(replace_curve(answers, "Q2.2a", test_rmse=falling), "Q2.2a")
    assert "still holds for others" in first
    assert second.endswith("and the test error falls with the distance.")


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


@pytest.mark.parametrize(
    ("train", "test", "expected"),
    [
        (0.08, 0.16, "more closely than the linear model and predicts new ones better. The"),
        (0.05, 0.20, "new ones better, but only a part of the closer fit carries over"),
        (0.05, 0.30, "worse: its additional freedom went into overfitting"),
        (0.111, 0.16, "about as closely as the linear model and predicts new ones better: what"),
        (
            0.15,
            0.2335,
            "less closely than the linear model and predicts new ones about as well: it",
        ),
    ],
)
def test_network_is_read_by_the_signs_of_both_differences(train, test, expected):
    series = regression_curve(150, overfit=0, train_end=train, test_end=test)
    series.pop("epoch")
    caption, facts, reading = findings(replace_curve(make_answers(), "Q2.2b", **series), "Q2.2b")
    assert caption.startswith("RMSE of log price")
    assert f"train error is {'lower' if train < 0.11 else 'higher'} ({train:.4f}" in facts
    assert f"test error {'lower' if test < 0.2336 else 'higher'} ({test:.4f}" in facts
    assert expected in reading
    assert "52,501 parameters, the linear model 349" in reading


def test_perceptron_that_still_errs_cannot_rest():
    movement, mistakes = findings(make_answers(), "Q3.1a")
    assert "changes by 5." in movement
    assert "goes from 0.8000 in the first epoch to 0.4000 in the last" in mistakes
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
