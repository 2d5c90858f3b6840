"""What the hand-in shows of the searches (Q4)."""

from __future__ import annotations

import pytest

from handin.document import FINDINGS
from tests.handin.handin_runs import (
    BY_QUESTION,
    FEEDFORWARD,
    accuracy_curve,
    decay,
    findings,
    make_answer,
    make_answers,
)


def readings(answers, question):
    """Return the readings of a question's table of effects by configuration."""
    table = FINDINGS[question](answers)[0]
    return {row[0]: row[-1] for row in table.rows}


def test_a_learning_rate_at_the_edge_with_larger_ones_that_overshoot():
    table, edge, by_hand = FINDINGS["Q4.1"](make_answers())
    assert table.rows[0] == ["selected: learning rate 0.001", "0.4000", "0.8450", "", ""]
    assert table.rows[1][:4] == ["learning rate 0.01", "0.5000", "0.8200", "-2.5 points"]
    assert "steps too long to settle" in table.rows[1][4]
    assert edge == (
        "The chosen rate is the smallest of those that ran: a smaller one may be better."
    )
    assert by_hand.rows[1][:3] == ["the hand-written one of Q3.1b", "20", "0.8400"]


def test_a_learning_rate_too_small_is_seen_by_a_loss_that_still_falls():
    slow = accuracy_curve(0.75, 20)
    slow["train_loss"] = decay(2.0, 0.6, 0.1, 20)
    runs = [
        ({"learning_rate": 0.001}, slow),
        ({"learning_rate": 0.01}, accuracy_curve(0.84, 20)),
        ({"learning_rate": 0.1}, accuracy_curve(0.80, 20, loss=0.9)),
    ]
    found = readings({"Q4.1": make_answer(BY_QUESTION["Q4.1"], runs)}, "Q4.1")
    assert "too short for so few epochs" in found["learning rate 0.001"]
    # Its curve moves no more than the best one's.
    assert "too long" not in found["learning rate 0.1"]


def test_a_rate_beyond_the_chosen_one_that_failed_is_named():
    runs = [
        ({"learning_rate": 0.001}, accuracy_curve(0.80, 20)),
        ({"learning_rate": 0.01}, accuracy_curve(0.84, 20)),
        ({"learning_rate": 0.1}, accuracy_curve(0.10, 20)),
    ]
    answer = make_answer(BY_QUESTION["Q4.1"], runs)
    error = {"kind": "diverged", "message": "NaN"}
    answer.report["trials"][2].update(state="failed", error=error)
    texts = findings({"Q4.1": answer}, "Q4.1")
    assert "The next larger rate, 0.1, failed (diverged)." in texts
    assert not any("may be better" in text for text in texts)


def test_each_hyperparameter_is_read_by_loss_and_accuracy():
    found = readings(make_answers(), "Q4.2")
    assert found["learning rate 0.001"] == "better on the training and on the other images"
    assert found["learning rate 0.1"].startswith("learned nothing, or lost")
    assert found["hidden size 100"] == "within noise"
    # With another dropout probability the training loss measures something else.
    assert found["dropout 0.5"] == "a clear difference"
    assert found["activation tanh"].endswith("overfitting")
    assert found["optimizer adam"].endswith("as a regularizer does")
    caption, together = findings(make_answers(), "Q4.2")
    assert caption == "Effect of each hyperparameter, the others at their defaults"
    gains = "Clear gains over the default configuration: learning rate 0.001 and optimizer adam."
    assert together.startswith(gains)
    assert "taken with dropout active" in together


def test_no_gain_is_claimed_where_none_is_clear():
    runs = [
        (FEEDFORWARD, accuracy_curve(0.85, 20)),
        (FEEDFORWARD | {"dropout": 0.5}, accuracy_curve(0.852, 20)),
    ]
    answers = {"Q4.2": make_answer(BY_QUESTION["Q4.2"], runs)}
    assert findings(answers, "Q4.2")[-1].startswith(
        "Clear gains over the default configuration: none."
    )


def test_a_failed_default_configuration_leaves_no_effects():
    answers = make_answers()
    error = {"kind": "diverged", "message": "NaN"}
    answers["Q4.2"].report["trials"][0].update(state="failed", error=error)
    assert findings(answers, "Q4.2") == [
        "The default configuration did not succeed: there are no single effects to read."
    ]


@pytest.mark.parametrize(
    ("two", "three", "expected"),
    [
        (0.84, 0.80, "more layers do worse"),
        (0.88, 0.90, "more layers do better"),
        (0.88, 0.84, "no steady trend"),
        (0.861, 0.862, "too close together"),
    ],
)
def test_depth_is_compared_with_one_layer_of_q4_2(two, three, expected):
    runs = [
        (FEEDFORWARD | {"layers": 2}, accuracy_curve(two, 20)),
        (FEEDFORWARD | {"layers": 3}, accuracy_curve(three, 20)),
    ]
    answers = {**make_answers(), "Q4.3": make_answer(BY_QUESTION["Q4.3"], runs)}
    caption, *_, trend = findings(answers, "Q4.3")
    assert caption == "Effect of depth"
    assert f"0.8600, {two:.4f} and {three:.4f}" in trend
    assert expected in trend


def test_depth_is_not_compared_with_a_run_of_another_length():
    answers = make_answers()
    answers["Q4.2"] = make_answers(epochs=5)["Q4.2"]
    first, *_, trend = findings(answers, "Q4.3")
    assert "no run of Q4.2's default configuration" in first
    assert trend.startswith("With 2 and 3 hidden layers")
