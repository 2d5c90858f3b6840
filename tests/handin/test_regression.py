"""What the hand-in says of the regression runs (Q2)."""

from __future__ import annotations

import pytest

from handin.document import FINDINGS
from tests.handin.handin_runs import (
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
    assert "from 80 after epoch 1 to 70.51 after epoch 150, its smallest." in second


def test_linear_regression_does_not_overfit_when_test_error_falls_to_the_end():
    answers = make_answers()
    falling = regression_curve(150, overfit=0.0)["test_rmse"]
    first, _ = findings(replace_curve(answers, "Q2.2a", test_rmse=falling), "Q2.2a")
    assert first == "The test error ends at its lowest: no overfitting is seen."


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
    assert first.endswith("and the train error does not fall: the steps disturb the fit.")
    assert second.endswith(
        "from 1.0000 after epoch 1 to 5.0000 after epoch 150; it was smallest after epoch 1, and"
        " the weights have moved away."
    )


def test_nothing_is_read_into_errors_that_stand_still_or_a_single_epoch():
    same = {"train_rmse": [0.2] * 150, "test_rmse": [0.3] * 150}
    still = replace_curve(make_answers(), "Q2.2a", **same, distance_to_analytic=[2.0] * 150)
    first, second = findings(still, "Q2.2a")
    assert "rises" not in first
    assert "goes from 2.0000 after epoch 1 to 2.0000 after epoch 150, its smallest." in second
    assert findings(make_answers(regression_epochs=1), "Q2.2a") == []


@pytest.mark.parametrize(
    ("train", "test", "verdicts"),
    [
        (0.08, 0.16, ["lower", "lower", "lower"]),
        (0.05, 0.30, ["lower", "higher", "higher"]),
        (0.11, 0.16, ["undecided: the ranges overlap", "lower", "lower"]),
        (0.15, 0.2335, ["higher", "undecided: the ranges overlap", "lower"]),
    ],
)
def test_the_network_is_read_where_the_late_ranges_lie_apart(train, test, verdicts):
    series = regression_curve(150, overfit=0, train_end=train, test_end=test)
    series.pop("epoch")
    answers = replace_curve(make_answers(), "Q2.2b", **series)
    side_by_side, late, capacity = FINDINGS["Q2.2b"](answers)
    assert side_by_side.caption.startswith("RMSE of log price")
    assert late.caption == "RMSE of log price in the last 10 epochs: range and mean"
    assert [row[-1] for row in late.rows] == verdicts
    assert "52,501 parameters, the linear model 349" in capacity


def test_a_greater_difference_is_laid_to_the_parameters_only_with_a_closer_fit():
    texts = []
    for train in (0.05, 0.15):
        series = regression_curve(150, overfit=0, train_end=train, test_end=0.40)
        series.pop("epoch")
        texts.append(findings(replace_curve(make_answers(), "Q2.2b", **series), "Q2.2b")[2])
    assert "its greater freedom fits them more closely" in texts[0]
    assert "does not decide the difference" in texts[1]


def test_ranges_that_overlap_decide_nothing():
    series = regression_curve(150, overfit=0, train_end=0.1, test_end=0.16)
    restless = [*series["test_rmse"][:-10], *[0.16, 0.30] * 5]
    answers = replace_curve(make_answers(), "Q2.2b", test_rmse=restless)
    _, late, _ = FINDINGS["Q2.2b"](answers)
    assert [row[-1] for row in late.rows][1] == "undecided: the ranges overlap"
    assert late.rows[1][2] == "0.1600 to 0.3000 (mean 0.2300)"


def test_too_few_epochs_are_not_compared():
    answers = make_answers(regression_epochs=5)
    assert findings(answers, "Q2.2b")[1].startswith("Fewer than 20 epochs")
