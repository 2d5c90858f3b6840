"""The trials that ended before the last epoch, for plots that have a mark for each trial."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from results.analysis import JobResults
from results.formatting import count
from results.plots.curves import kind_of
from results.plots.scales import collapsed
from results.ranking import value_of
from results.records import TrialRecord


@dataclass(frozen=True, slots=True)
class Early:
    """The trials that ended early, each with the declared metric at the last epoch it reached.

    ``far`` counts others, whose values lie so far off that they would flatten all the rest.
    """

    trials: tuple[tuple[TrialRecord, float], ...] = ()
    far: int = 0

    @property
    def values(self) -> list[float]:
        """The values alone, in the order of the trials."""
        return [value for _, value in self.trials]


@lru_cache(maxsize=1)  # every plot of a parameter asks for them
def ended_early(results: JobResults) -> Early:
    """Return the trials that were stopped, or wait at a rung; they are never ranked."""
    found = {
        trial.number: (trial, value)
        for trial in results.trials
        if kind_of(trial) == "ended early"
        and (value := value_of(trial, results.metric.name)) is not None
        and math.isfinite(value)
    }
    values = {trial.number: score for trial, score in results.ranked}
    values |= {number: value for number, (_, value) in found.items()}
    far = collapsed(values, results.metric.mode) & found.keys()
    return Early(tuple(pair for n, pair in found.items() if n not in far), len(far))


def said(early: Early) -> str:
    """Return the sentences of a caption about the trials that ended early, "" without any."""
    text = ""
    if early.trials:
        text += " Light, hollow marks are trials that ended early, at their last epoch."
    if early.far:
        text += f" {count(early.far, 'trial')} that ended early lie{'s' * (early.far == 1)}"
        text += " far outside the axis."
    return text
