"""Which values an axis shows, and when it is logarithmic."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, Self

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter


@dataclass(frozen=True, slots=True)
class Scale:
    """The range of the values on an axis; only positive values may be on a logarithmic one."""

    low: float
    high: float
    log: bool

    @classmethod
    def of(cls, values: Collection[float], mode: str, *, log: bool = False) -> Self:
        """Return the scale of a metric's values, at least one; ``mode`` is its better direction.

        Positive values get a logarithmic scale if ``log``, or if they reach so far that a linear
        one hides most of them: for a loss or an error (``mode`` "min") that is one decade, since
        its linear curve falls at once and is flat ever after; for anything else two.
        """
        low, high = min(values), max(values)
        wide = low > 0 and high / low >= (10 if mode == "min" else 100)
        return cls(low, high, wide or (log and low > 0))

    def leaves_out(self, values: Collection[float]) -> bool:
        """Whether some of the values lie outside."""
        return min(values) < self.low or max(values) > self.high

    def set_on(self, axes: Axes, which: Literal["x", "y"], margin: float = 0.05) -> None:
        """Give an axis this range, with a margin as a share of it on either side."""
        low, high = self.low, self.high
        if self.log:
            factor = (high / low) ** margin if high / low > 1 + 1e-9 else 1.05
            axes.set(**{f"{which}scale": "log", f"{which}lim": (low / factor, high * factor)})
            _plain_ticks(axes.xaxis if which == "x" else axes.yaxis, high / low)
        else:
            size = max(abs(low), abs(high))
            wide = margin * (high - low) if high - low > 1e-9 * size else 0.05 * size or 0.05
            axes.set(**{f"{which}lim": (low - wide, high + wide)})


def _plain_ticks(axis: Axis, ratio: float) -> None:
    """Write plain numbers: at 1, 2 and 5 of a few decades, and evenly in one, or in many."""
    many = LogLocator(subs=(1, 2, 5)) if ratio < 1e6 else LogLocator()
    axis.set_major_locator(MaxNLocator(6) if ratio < 10 else many)
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def collapsed(values: Mapping[int, float], mode: str) -> set[int]:
    """Return the keys of the values that lie so far off that they would flatten the others.

    They are a minority at the worse end, beyond a gap of more than three times the range of the
    rest and a tenth of its size.
    """
    worst_last = sorted(values, key=lambda key: values[key], reverse=mode == "max")
    for kept in range(len(worst_last) // 2 + 1, len(worst_last)):
        best, worst = values[worst_last[0]], values[worst_last[kept - 1]]
        gap = abs(values[worst_last[kept]] - worst)
        if gap > max(3 * abs(worst - best), 0.1 * max(abs(best), abs(worst))):
            return set(worst_last[kept:])
    return set()
