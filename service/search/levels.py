"""Which epoch's values a sampler's model is told: those of one epoch, never a mixture.

The rule is BOHB's (Falkner et al., 2018, "BOHB: Robust and Efficient Hyperparameter Optimization at
Scale", section 3.2): of the epochs at which trials are compared, the highest with enough values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

#: An epoch has enough values for a model from so many trials on.
ENOUGH = 10


@dataclass(frozen=True, slots=True)
class Values:
    """What was observed of a trial after an epoch.

    ``losses``: one for each objective, lower is better. ``excess``: one for each constraint, by how
    much it is violated (met at 0 and below).
    """

    losses: tuple[float, ...]
    excess: tuple[float, ...] = ()


def worst(values: Collection[Values]) -> Values:
    """Return the highest loss of each objective, and the highest excess, of any of the trials."""
    losses = zip(*(one.losses for one in values), strict=True)
    excess = zip(*(one.excess for one in values), strict=True)
    return Values(tuple(map(max, losses)), tuple(map(max, excess)))


@dataclass(frozen=True, slots=True)
class Past:
    """A configuration that was trained elsewhere, and its values after the last epoch."""

    configuration: Mapping[str, Any]
    values: Values


class Levels:
    """The observed values by epoch and trial; a paused trial's count like all others.

    Trials of other jobs have numbers below 0.
    """

    def __init__(self) -> None:
        self._by_epoch: dict[int, dict[int, Values]] = {}
        #: How many of them are the job's own.
        self._own: Counter[int] = Counter()

    def add(self, number: int, epoch: int, values: Values) -> bool:
        """Take a trial's values after an epoch; return whether they replace others."""
        trials = self._by_epoch.setdefault(epoch, {})
        is_replaced = number in trials
        trials[number] = values
        self._own[epoch] += number >= 0 and not is_replaced
        return is_replaced

    def remove(self, number: int) -> bool:
        """Forget a trial; return whether it had values."""
        found = [epoch for epoch, told in self._by_epoch.items() if told.pop(number, None)]
        self._own.subtract(found if number >= 0 else ())
        return bool(found)

    @property
    def epoch(self) -> int | None:
        """The highest epoch with enough values of the job's own trials.

        Without one, that of other jobs' trials, which are known from the beginning: were they
        enough for good, the model would never learn from the job's own at the epochs before. Then
        the lowest with any; None without values.
        """
        enough = [epoch for epoch, own in self._own.items() if own >= ENOUGH]
        others = [epoch for epoch, told in self._by_epoch.items() if len(told) > self._own[epoch]]
        some = [epoch for epoch, told in self._by_epoch.items() if told]
        return max(enough or others) if enough or others else min(some, default=None)

    def at(self, epoch: int | None) -> Mapping[int, Values]:
        """Return the values after an epoch by trial, in the order in which they came."""
        return {} if epoch is None else self._by_epoch.get(epoch, {})
