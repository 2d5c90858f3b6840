"""What the hand-in says of the hand-written classifiers (Q3)."""

from __future__ import annotations

import pytest

from handin.document import FINDINGS
from tests.handin.handin_runs import accuracy_curve, findings, make_answers, replace_curve


def test_a_perceptron_that_still_errs_cannot_rest():
    (text,) = findings(make_answers(), "Q3.1a")
    assert "changes by 5." in text
    assert "is 0.8000 in epoch 1 and 0.4000 in epoch 20" in text
    assert "no step size that shrinks" in text


def test_a_perceptron_without_mistakes_has_converged():
    answers = replace_curve(make_answers(), "Q3.1a", train_error_rate=[0.5, *[0.0] * 19])
    assert "Without mistakes the weights no longer change" in findings(answers, "Q3.1a")[0]


def test_logistic_regression_is_called_smoother_only_if_it_is():
    answers = make_answers()
    table, text = FINDINGS["Q3.1b"](answers)
    assert table.rows[1] == [
        "the perceptron",
        "20",
        "0.7000",
        "+13.0 points",
        "5.0 points",
        "above",
    ]
    assert "whole image or nothing" in text
    rough = accuracy_curve(0.84, 20, wobble=0.2)["validation_accuracy"]
    rougher = replace_curve(answers, "Q3.1b", validation_accuracy=rough)
    assert "whole image or nothing" not in findings(rougher, "Q3.1b")[1]


@pytest.mark.parametrize(
    ("accuracy", "loss", "expected"),
    [
        (0.88, 0.25, "as Q3.2a leads one to expect"),
        (0.80, 0.25, "but not the test images"),
        (0.88, 0.60, "gradient descent has not found what the MLP can express"),
        (0.842, 0.25, "the test images do not decide"),
        (0.88, 0.3999, "too close together"),
    ],
)
def test_the_mlp_is_related_to_the_theory_by_its_numbers(accuracy, loss, expected):
    series = accuracy_curve(accuracy, 20, loss=loss)
    series.pop("epoch")
    table, theory = FINDINGS["Q3.2b"](replace_curve(make_answers(), "Q3.2b", **series))
    _, logistic, perceptron = table.rows
    assert logistic[:3] == ["logistic regression", "20", "0.8300"]
    verdicts = {0.88: "above", 0.80: "below", 0.842: "not ranked by one run"}
    assert logistic[-1] == verdicts[accuracy]
    assert (perceptron[2], perceptron[-1]) == ("0.7000", "above")
    assert expected in theory


def test_missing_runs_are_named_where_they_would_be_compared():
    answers = {q: a for q, a in make_answers().items() if q in ("Q2.2b", "Q3.1b", "Q3.2b", "Q4.3")}
    assert findings(answers, "Q2.2b") == ["There is no linear run to compare with."]
    assert findings(answers, "Q3.1b") == ["There is no run of Q3.1a to compare with."]
    assert findings(answers, "Q3.2b")[1] == "There is no run of Q3.1a to compare with."
    assert "no run of Q4.2's default configuration" in findings(answers, "Q4.3")[0]
