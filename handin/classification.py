"""What the hand-written classifiers show (Q3): perceptron, logistic regression and MLP compared."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from handin.answers import Answer, last, late_range
from handin.wording import Block, Contender, compare, is_clear, points
from results.formatting import number
from results.records import Curve
from results.wording import same_as_written

VALIDATION, TEST = "validation_accuracy", "test_accuracy"
TRAIN_LOSS, TRAIN_ERRORS = "train_loss", "train_error_rate"

_NAMES = {"Q3.1a": "the perceptron", "Q3.1b": "logistic regression", "Q3.2b": "the MLP"}


def perceptron(answers: Mapping[str, Answer]) -> list[Block]:
    """Explain Q3.1a: how far it gets, and why it keeps jumping."""
    curve = answers["Q3.1a"].best_curve()
    if curve is None:
        return []
    blocks: list[Block] = []
    if len(curve.epochs) > 1:
        blocks.append(
            "From one epoch to the next the validation accuracy changes by "
            f"{points(roughness(curve))} on average."
        )
    if TRAIN_ERRORS in curve.metrics:
        blocks.append(_mistakes(curve))
    return blocks


def logistic_regression(answers: Mapping[str, Answer]) -> list[Block]:
    """Explain Q3.1b beside Q3.1a."""
    own = _contender(answers, "Q3.1b")
    other = _contender(answers, "Q3.1a")
    if own is None:
        return []
    if other is None:
        return [_missing("Q3.1a")]
    return [compare(own, other, TEST), *_smoothness(own.curve, other.curve)]


def mlp(answers: Mapping[str, Answer]) -> list[Block]:
    """Explain Q3.2b beside both linear classifiers."""
    own = _contender(answers, "Q3.2b")
    if own is None:
        return []
    blocks: list[Block] = []
    for question in ("Q3.1b", "Q3.1a"):
        other = _contender(answers, question)
        blocks.append(compare(own, other, TEST) if other else _missing(question))
    linear = _contender(answers, "Q3.1b")
    if linear is not None:
        blocks.append(_hidden_layer(own.curve, linear.curve))
    return blocks


def roughness(curve: Curve) -> float:
    """Return the mean absolute change of validation accuracy from one epoch to the next."""
    values = curve.metrics[VALIDATION]
    return sum(abs(after - before) for before, after in pairwise(values)) / (len(values) - 1)


def _contender(answers: Mapping[str, Answer], question: str) -> Contender | None:
    curve = answers[question].best_curve() if question in answers else None
    return Contender(_NAMES[question], curve) if curve else None


def _missing(question: str) -> str:
    return (
        f"There is no run of {question} ({_NAMES[question]}) to compare with, so that comparison "
        "is left out."
    )


def _mistakes(curve: Curve) -> str:
    """Explain the perceptron's restlessness from the mistakes it still makes."""
    first, end = curve.metrics[TRAIN_ERRORS][0], last(curve, TRAIN_ERRORS)
    text = (
        "Its error rate on the training images, as they are trained on, is "
        f"{number(first)} in epoch {curve.epochs[0]} and {number(end)} in epoch {curve.epochs[-1]}."
    )
    if end == 0:
        return f"{text} It makes no mistake any more, so its weights no longer change."
    return (
        f"{text} Each of these mistakes moves the weights by a whole image, however narrow the "
        "mistake and however late in training, so the weights cannot come to rest: the update has "
        "no step size that shrinks, and the perceptron's convergence theorem holds for linearly "
        "separable data only."
    )


def _smoothness(logistic: Curve, mistaken: Curve) -> list[str]:
    """Compare how much the two validation curves move between epochs."""
    if min(len(logistic.epochs), len(mistaken.epochs)) < 2:
        return []
    own, other = roughness(logistic), roughness(mistaken)
    text = (
        "From one epoch to the next the validation accuracy of logistic regression changes by "
        f"{points(own)} on average, that of the perceptron by {points(other)}."
    )
    if own < other and points(own) != points(other):
        text += (
            " The gradient of the logistic loss is the difference between predicted and true "
            "probabilities times the image and the learning rate, so that a nearly right example "
            "moves the weights little; the perceptron's update is the whole image or nothing."
        )
    return [text]


def _hidden_layer(own: Curve, linear: Curve) -> str:
    """Relate the MLP's result to the argument of Q3.2a, as far as the differences are clear."""
    losses = [last(curve, TRAIN_LOSS) for curve in (own, linear)]
    against = f"(loss in the last epoch {number(losses[0])} against {number(losses[1])})"
    if not _is_clear_loss(own, linear):
        return (
            "The training losses of the MLP and of logistic regression lie too close together to "
            f"say which fits the training images better {against}."
        )
    if losses[0] > losses[1]:
        return (
            "In this run the MLP does not fit the training images better than logistic regression "
            f"{against}: more can be expressed (Q3.2a), but gradient descent has not found it in "
            "these epochs."
        )
    text = f"The MLP fits the training images better {against}"
    if not is_clear(own, linear, TEST):
        return f"{text}; whether it is better on the test images is not decided."
    if last(own, TEST) < last(linear, TEST):
        return f"{text} without being better on the test images."
    return (
        f"{text}, and the test images, as Q3.2a lets expect: its hidden units are features that "
        "the linear model does not have."
    )


def _is_clear_loss(own: Curve, other: Curve) -> bool:
    """Whether two final losses differ by 2 % and by more than either moved in its last epochs."""
    a, b = (last(curve, TRAIN_LOSS) for curve in (own, other))
    moved = [late_range(curve, TRAIN_LOSS) or 0.0 for curve in (own, other)]
    return not same_as_written(a, b) and abs(a - b) > max(0.02 * abs(b), *moved)
