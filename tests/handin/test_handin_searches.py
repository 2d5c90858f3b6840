"""What the hand-in says of the searches (Q4)."""

from __future__ import annotations

import pytest

from tests.handin.handin_runs import (
    BY_QUESTION,
    FEEDFORWARD,
    accuracy_curve,
    decay,
    findings,
    make_answer,
    make_answers,
)


def test_learning_rate_at_the_edge_with_overshooting_larger_rates():
    larger, largest, edge, by_hand = findings(make_answers(), "Q4.1")
    assert "Learning rate 0.01 instead of 0.001: validation accuracy 2.5 points lower" in larger
    assert "training loss higher (0.5000 against 0.4000)" in larger
    assert "too long to settle" in larger
    assert "too long to settle" in largest
    assert "smallest of those that ran, so a smaller one" in edge
    assert "the hand-written one of Q3.1b (0.8400)" in by_hand


def test_learning_rate_too_small_is_seen_by_a_loss_that_still_falls():
    slow = accuracy_curve(0.75, 20)
    slow["train_loss"] = decay(2.0, 0.6, 0.1, 20)
    runs = [
        ({"learning_rate": 0.001}, slow),
        ({"learning_rate": 0.01}, accuracy_curve(0.84, 20)),
        ({"learning_rate": 0.1}, accuracy_curve(0.80, 20, loss=0.9)),
    ]
    answers = {"Q4.1": make_answer(BY_QUESTION["Q4.1"], runs)}
    small, large = findings(answers, "Q4.1")
    assert "too short for so few epochs" in small
    assert "too long" not in large  # Its curve moves no more than the best one's.


def test_a_high_loss_with_a_high_accuracy_is_not_called_learning_nothing():
    runs = [
        ({"learning_rate": 0.01}, accuracy_curve(0.84, 20)),
        ({"learning_rate": 0.1}, accuracy_curve(0.82, 20, loss=3.0)),
    ]
    (reading,) = findings({"Q4.1": make_answer(BY_QUESTION["Q4.1"], runs)}, "Q4.1")[:1]
    assert "82%" in reading
    assert "each mistake costs many nats" in reading
    assert "learned nothing" not in reading


def test_a_collapse_is_seen_by_its_accuracy_whatever_its_loss():
    runs = [
        ({"learning_rate": 0.01}, accuracy_curve(0.84, 20)),
        ({"learning_rate": 0.1}, accuracy_curve(0.1396, 20, loss=2.2445)),
    ]
    (reading,) = findings({"Q4.1": make_answer(BY_QUESTION["Q4.1"], runs)}, "Q4.1")[:1]
    assert "learned nothing, or lost what it had learned" in reading
    assert "fits the training images worse" not in reading


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
    assert "The next larger rate, 0.1, was tried and failed (diverged)." in texts
    assert not any("may be better still" in text for text in texts)


def test_no_cause_is_sought_of_a_difference_that_is_not_clear():
    slow = accuracy_curve(0.838, 20)
    slow["train_loss"] = decay(2.0, 0.6, 0.1, 20)
    runs = [({"learning_rate": 0.001}, slow), ({"learning_rate": 0.01}, accuracy_curve(0.84, 20))]
    (text,) = findings({"Q4.1": make_answer(BY_QUESTION["Q4.1"], runs)}, "Q4.1")[:1]
    assert "too little to call an effect" in text
    assert "too short" not in text


def test_each_hyperparameter_is_read_by_loss_and_accuracy():
    caption, *effects, together = findings(make_answers(), "Q4.2")
    assert caption == "Effect of each hyperparameter, the others at their defaults"
    by_name = {text.split(" instead")[0]: text for text in effects}
    assert "fits the training images better, and that" in by_name["Learning rate 0.001"]
    assert "learned nothing, or lost" in by_name["Learning rate 0.1"]
    assert "too little to call an effect" in by_name["Hidden size 100"]
    assert "0.2 points lower" in by_name["Hidden size 100"]
    # With another dropout probability the training loss measures something else.
    assert "The difference in accuracy is clear." in by_name["Dropout 0.5"]
    assert "fits the training images" not in by_name["Dropout 0.5"]
    assert "taken with dropout active" in by_name["Dropout 0.5"]
    assert "points to overfitting" in by_name["Activation tanh"]
    assert "as a regularizer does" in by_name["Optimizer adam"]
    assert together.startswith("2 changes give a clear gain")
    assert "learning rate 0.001 and optimizer adam" in together


def test_no_gain_is_claimed_where_none_is_clear():
    runs = [
        (FEEDFORWARD, accuracy_curve(0.85, 20)),
        (FEEDFORWARD | {"dropout": 0.5}, accuracy_curve(0.852, 20)),
    ]
    answers = {"Q4.2": make_answer(BY_QUESTION["Q4.2"], runs)}
    assert findings(answers, "Q4.2")[-1].startswith("No single change gives a clear gain")


def test_failed_default_configuration_leaves_no_effects():
    answers = make_answers()
    error = {"kind": "diverged", "message": "NaN"}
    answers["Q4.2"].report["trials"][0].update(state="failed", error=error)
    assert findings(answers, "Q4.2") == [
        "The default configuration did not succeed, so single effects cannot be told."
    ]


@pytest.mark.parametrize(
    ("two", "three", "expected"),
    [
        (0.84, 0.80, "more layers do worse"),
        (0.88, 0.90, "more layers do better"),
        (0.88, 0.84, "no steady trend with depth"),
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
