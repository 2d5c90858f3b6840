"""Confidence intervals of a mean, and of a mean difference of pairs.

Both are Student's t-intervals (Student, "The Probable Error of a Mean", Biometrika 6, 1908); pairs
are compared by their differences, as the paired t-test does. They assume that the values, or the
differences, are about normal. scipy is imported only when an interval is worked out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from results.ranking import deviation_of, exact_mean

#: How often an interval of this module is to hold the true mean.
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """The mean of ``n`` values, with the interval from ``low`` to ``high`` that holds the true one.

    ``standard_deviation`` is the sample's (n - 1). With one value it and the interval are None;
    with values that are all equal the interval is that one point. They are None, too, where the
    deviation is too large for a float.
    """

    mean: float
    standard_deviation: float | None
    n: int
    low: float | None
    high: float | None

    @property
    def is_above_zero(self) -> bool:
        """Whether the whole interval lies above 0."""
        return self.low is not None and self.low > 0

    @property
    def is_below_zero(self) -> bool:
        """Whether the whole interval lies below 0."""
        return self.high is not None and self.high < 0


def estimate(values: Sequence[float], level: float = LEVEL) -> Estimate:
    """Return the mean of independent values and its t-interval.

    ``level`` is between 0 and 1. Raises ``ValueError`` for no values or one that is not finite.
    """
    if not values or not all(map(math.isfinite, values)):
        raise ValueError(f"a mean needs finite values, these are {list(values)}")
    mean, deviation, n = exact_mean(values), deviation_of(values), len(values)
    if deviation is None:
        return Estimate(mean, None, n, None, None)
    half = _quantile((1 + level) / 2, n - 1) * deviation / math.sqrt(n)
    return Estimate(mean, deviation, n, mean - half, mean + half)


def difference(first: Sequence[float], second: Sequence[float], level: float = LEVEL) -> Estimate:
    """Return the mean of ``first - second``, pair by pair, and its t-interval.

    Raises ``ValueError`` for sequences of different lengths, and as :func:`estimate` does.
    """
    return estimate([a - b for a, b in zip(first, second, strict=True)], level)


def _quantile(probability: float, freedom: int) -> float:
    from scipy import stats

    return float(stats.t.ppf(probability, freedom))
