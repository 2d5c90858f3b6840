"""How single changes of hyperparameters are read."""

from __future__ import annotations

from typing import Any

import pytest

from handin.effects import Run, changed_parameters, describe, effects_table, reading
from results.records import Curve
from tests.handin.handin_runs import accuracy_curve


def run(accuracy: float, loss: float = 0.4, **parameters: Any) -> Run:
    series = accuracy_curve(accuracy, 20, loss=loss)
    epochs = tuple(series.pop("epoch"))
    return Run(parameters, Curve(0, epochs, {name: tuple(v) for name, v in series.items()}))


BASE = run(0.84, activation="relu")


@pytest.mark.parametrize(
    ("accuracy", "loss", "expected"),
    [
        (0.88, 0.3, "better on the training and on the other images"),
        (0.88, 0.5, "worse on the training images, better on the others, as a regularizer does"),
        (0.80, 0.5, "worse on the training and on the other images"),
        (0.80, 0.3, "better on the training images, worse on the others: overfitting"),
        (0.80, 0.4, "a clear difference"),
        (0.838, 0.3, "within noise"),
        # A collapse is seen by its accuracy, whatever its loss.
        (0.1396, 2.2445, "learned nothing, or lost what it had learned: guessing gives 0.1"),
        # A high loss with a high accuracy is not called learning nothing.
        (0.82, 3.0, "the loss of a guess or more: scores so large that each mistake costs many"
         " nats"),
    ],
)  # fmt: skip
def test_a_change_is_read_by_accuracy_and_loss(accuracy: float, loss: float, expected: str) -> None:
    assert reading(run(accuracy, loss, activation="tanh"), BASE) == expected


def test_no_cause_is_sought_of_a_difference_that_is_not_clear() -> None:
    slow = run(0.838, 0.6, learning_rate=0.001)
    assert reading(slow, run(0.84, learning_rate=0.01)) == "within noise"


def test_changes_tell_true_from_one_and_name_new_parameters() -> None:
    assert changed_parameters({"a": True, "b": 1, "c": 2}, {"a": 1, "b": 1}) == {"a": True, "c": 2}
    assert describe({"learning_rate": 0.1, "dropout": 0.5}) == "learning rate 0.1 and dropout 0.5"


def test_the_table_has_no_test_metric() -> None:
    table = effects_table("Effects", "default", BASE, [run(0.88, 0.3, activation="tanh")])
    assert table.rows == [
        ["default: activation relu", "0.4000", "0.8400", "", ""],
        ["activation tanh", "0.3000", "0.8800", "+4.0 points",
         "better on the training and on the other images"],
    ]  # fmt: skip
    assert not any("test" in cell for cell in table.header)
