"""Numbers in words: when the hand-in calls a difference one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from handin.answers import last, late_range
from results.formatting import number
from results.records import Curve
from results.wording import listing, words

#: Images in the validation set and in the test set of Fashion-MNIST, as the homework splits it.
EVALUATION_IMAGES = 10_000


@dataclass(frozen=True, slots=True)
class Table:
    """A table of ready-made strings; ``emphasized`` are the numbers of the rows in bold, from 0."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    emphasized: Sequence[int] = ()


#: A paragraph or a table, in the order of reading.
Block = str | Table


def points(difference: float) -> str:
    """Print a difference of two accuracies in percentage points, without its sign."""
    return f"{abs(difference) * 100:.1f} points"


@dataclass(frozen=True, slots=True)
class Contender:
    """A model in a comparison: what a sentence calls it, article included, and its curve."""

    name: str
    curve: Curve


def two_standard_errors(first: float, second: float) -> float:
    """Return twice the standard error of the difference of two accuracies on 10,000 images each.

    Binomial, as if the two sets of images were independent. They are the same images, on which the
    models mostly err together, so the true error of the difference is smaller.
    """
    variance = first * (1 - first) + second * (1 - second)
    return 2 * sqrt(variance / EVALUATION_IMAGES)


def is_clear(first: Curve, second: Curve, metric: str) -> bool:
    """Whether two final accuracies differ by more than sampling error and late movement explain.

    That is by more than two standard errors, and by more than either curve moved during its last
    five epochs (where it is long enough to tell).
    """
    a, b = last(first, metric), last(second, metric)
    ranges = (late_range(first, metric) or 0.0, late_range(second, metric) or 0.0)
    return abs(a - b) > max(two_standard_errors(a, b), *ranges)


def compare(first: Contender, second: Contender, metric: str) -> str:
    """Say how two final accuracies compare, and whether the difference means anything."""
    a, b = last(first.curve, metric), last(second.curve, metric)
    side = "above" if a > b else "below"
    lead = (
        f"In {words(metric)} {first.name} ends at {number(a)}, {points(a - b)} {side} "
        f"{second.name} ({number(b)})"
        if points(a - b) != points(0)
        else f"In {words(metric)} {first.name} ({number(a)}) and {second.name} ({number(b)}) end "
        "less than 0.1 points apart"
    )
    return (
        f"{lead}{_lengths(first.curve, second.curve)}. {_weight(first.curve, second.curve, metric)}"
    )


def _lengths(first: Curve, second: Curve) -> str:
    """Warn where the two runs are not of one length."""
    a, b = first.epochs[-1], second.epochs[-1]
    return "" if a == b else f", although they ran for {a} and {b} epochs"


def _weight(first: Curve, second: Curve, metric: str) -> str:
    """Say whether a difference of final accuracies exceeds sampling error and late movement."""
    error = two_standard_errors(last(first, metric), last(second, metric))
    yardstick = f"twice its standard error on {EVALUATION_IMAGES:,} images ({points(error)})"
    ranges = [late_range(curve, metric) for curve in (first, second)]
    moved = [points(late) for late in ranges if late is not None]
    if len(moved) == 2:
        moves = f"the range of either curve over its last five epochs ({listing(moved)})"
        yardstick = f"both {yardstick} and {moves}"
    if is_clear(first, second, metric):
        return f"The difference exceeds {yardstick}."
    return f"The difference does not exceed {yardstick}: one run with one seed does not rank them."
