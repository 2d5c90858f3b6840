"""The hand-in's tables, and when two accuracies differ by more than noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from handin.answers import last, late_range
from results.formatting import number
from results.records import Curve
from results.wording import prettify

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
    """Return a difference of two accuracies in percentage points, without its sign."""
    return f"{abs(difference) * 100:.1f} points"


def two_standard_errors(first: float, second: float) -> float:
    """Return twice the standard error of the difference of two accuracies on 10,000 images each.

    Binomial, as if the two sets of images were independent. They are the same images, on which the
    models mostly err together, so the true error of the difference is smaller.
    """
    variance = first * (1 - first) + second * (1 - second)
    return 2 * sqrt(variance / EVALUATION_IMAGES)


def noise(first: Curve, second: Curve, metric: str) -> float:
    """Return the largest difference of two final accuracies that sampling or late steps explain.

    That is two standard errors, or how far either curve moved during its last five epochs.
    """
    ranges = (late_range(curve, metric) or 0.0 for curve in (first, second))
    return max(two_standard_errors(last(first, metric), last(second, metric)), *ranges)


def is_clear(first: Curve, second: Curve, metric: str) -> bool:
    """Whether two final accuracies differ by more than :func:`noise`."""
    difference = abs(last(first, metric) - last(second, metric))
    return difference > noise(first, second, metric)


def comparison(name: str, own: Curve, others: Mapping[str, Curve], metric: str) -> Table:
    """Tabulate a model's final accuracy beside those of ``others``, by name."""
    rows = [[name, str(own.epochs[-1]), number(last(own, metric)), "", "", ""]]
    for other, curve in others.items():
        difference = last(own, metric) - last(curve, metric)
        above = "above" if difference > 0 else "below"
        rows.append(
            [
                other,
                str(curve.epochs[-1]),
                number(last(curve, metric)),
                f"{difference * 100:+.1f} points",
                points(noise(own, curve, metric)),
                above if is_clear(own, curve, metric) else "not ranked by one run",
            ]
        )
    caption = (
        f"{prettify(metric)} at the last epoch: {name} and its difference to the others, which"
        " counts if it exceeds the noise (twice its standard error on"
        f" {EVALUATION_IMAGES:,} images, and the range of either curve over its last five epochs)"
    )
    header = ["model", "epochs", "accuracy", "difference", "noise", f"{name} is"]
    return Table(caption, header, rows)
