"""What the hand-written classifiers show (Q3): perceptron, logistic regression and MLP."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from handin.answers import Answer, last, late_range
from handin.wording import Block, comparison, is_clear, points
from results.formatting import number
from results.records import Curve
from results.wording import same_as_written

VALIDATION, TEST = "validation_accuracy", "test_accuracy"
TRAIN_LOSS, TRAIN_ERRORS = "train_loss", "train_error_rate"

_NAMES = {"Q3.1a": "the perceptron", "Q3.1b": "logistic regression", "Q3.2b": "the MLP"}


def perceptron(answers: Mapping[str, Answer]) -> list[Block]:
    """Explain Q3.1a: how far the perceptron gets, and why it keeps jumping."""
    curve = answers["Q3.1a"].best_curve()
    if curve is None or TRAIN_ERRORS not in curve.metrics:
        return []
    errors, end = curve.reported(TRAIN_ERRORS), curve.epochs[-1]
    text = (
        "The error rate on the training images, as they are trained on, is "
        f"{number(errors[0])} in epoch {curve.epochs[0]} and {number(errors[-1])} in epoch {end}."
    )
    if len(errors) > 1:
        text += f" {_moves(roughness(curve))}"
    if errors[-1] == 0:
        return [f"{text} Without mistakes the weights no longer change."]
    return [
        f"{text} Each mistake moves the weights by a whole image, however late in training: the "
        "update has no step size that shrinks, and the perceptron converges on linearly separable "
        "data only."
    ]


def logistic_regression(answers: Mapping[str, Answer]) -> list[Block]:
    """Explain Q3.1b beside Q3.1a."""
    own, other = _curve(answers, "Q3.1b"), _curve(answers, "Q3.1a")
    if own is None:
        return []
    blocks = _compared(answers, "Q3.1b", "Q3.1a")
    if other is None or min(len(own.epochs), len(other.epochs)) < 2:
        return blocks
    rough, rougher = roughness(own), roughness(other)
    text = f"{_moves(rough)} That of the perceptron changes by {points(rougher)}."
    if rough < rougher and points(rough) != points(rougher):
        text += (
            " A nearly right example moves the weights of logistic regression little, because its "
            "gradient is the error of the predicted probability times the image; the perceptron's "
            "update is the whole image or nothing."
        )
    return [*blocks, text]


def mlp(answers: Mapping[str, Answer]) -> list[Block]:
    """Explain Q3.2b beside both linear classifiers."""
    own, linear = _curve(answers, "Q3.2b"), _curve(answers, "Q3.1b")
    if own is None:
        return []
    blocks = _compared(answers, "Q3.2b", "Q3.1b", "Q3.1a")
    return blocks if linear is None else [*blocks, _hidden_layer(own, linear)]


def roughness(curve: Curve) -> float:
    """Return the mean absolute change of validation accuracy from one epoch to the next."""
    values = curve.reported(VALIDATION)
    return sum(abs(after - before) for before, after in pairwise(values)) / (len(values) - 1)


def _moves(change: float) -> str:
    return f"From one epoch to the next the validation accuracy changes by {points(change)}."


def _curve(answers: Mapping[str, Answer], question: str) -> Curve | None:
    return answers[question].best_curve() if question in answers else None


def _compared(answers: Mapping[str, Answer], question: str, *others: str) -> list[Block]:
    """Compare a question's model with those of others, and name those that did not run."""
    own = _curve(answers, question)
    found = {_NAMES[q]: curve for q in others if (curve := _curve(answers, q)) is not None}
    missing = [f"There is no run of {q} to compare with." for q in others if _NAMES[q] not in found]
    if own is None or not found:
        return [*missing]
    return [comparison(_NAMES[question], own, found, TEST), *missing]


def _hidden_layer(own: Curve, linear: Curve) -> str:
    """Relate the MLP's result to the argument of Q3.2a, as far as the differences are clear."""
    loss, linear_loss = (last(curve, TRAIN_LOSS) for curve in (own, linear))
    if not _is_clear_loss(own, linear):
        finding = "too close together to say which fits the training images better"
    elif loss > linear_loss:
        finding = "in these epochs gradient descent has not found what the MLP can express (Q3.2a)"
    elif not is_clear(own, linear, TEST):
        finding = "the MLP fits the training images better; the test images do not decide"
    elif last(own, TEST) < last(linear, TEST):
        finding = "the MLP fits the training images better, but not the test images"
    else:
        finding = (
            "the MLP fits the training images better and the test images as well, as Q3.2a leads "
            "one to expect: its hidden units are features that the linear model does not have"
        )
    return (
        f"Its training loss ends at {number(loss)}, that of logistic regression at "
        f"{number(linear_loss)}: {finding}."
    )


def _is_clear_loss(own: Curve, other: Curve) -> bool:
    """Whether two final losses differ by 2 % and by more than either moved in its last epochs."""
    a, b = (last(curve, TRAIN_LOSS) for curve in (own, other))
    moved = [late_range(curve, TRAIN_LOSS) or 0.0 for curve in (own, other)]
    return not same_as_written(a, b) and abs(a - b) > max(0.02 * abs(b), *moved)
