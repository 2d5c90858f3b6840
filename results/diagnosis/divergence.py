"""The rule about trials that diverge: from which value of a parameter on."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from results.analysis import JobResults
from results.diagnosis.finding import Finding
from results.diagnosis.parameters import Bounds
from results.formatting import count, parameter_value
from results.records import TrialRecord
from results.states import FailureKind, TrialState
from results.wording import words
from search_spaces import is_number

#: At least this share of the trials beyond a value, and so many of them, must have diverged.
LEAST_RATE, FEWEST_DIVERGED = 0.5, 3
#: The level of Fisher's exact test.
SIGNIFICANT = 0.01


def diverges_beyond(results: JobResults) -> Iterator[Finding]:
    """Find a parameter from whose value on most trials diverged, and hardly any on its other side.

    At least half of the trials on that side, and three of them, must have diverged; Fisher's exact
    test must exclude chance at 1 % for the clearest of these splits, by the difference of the two
    shares over its standard error.
    """
    ended = [t for t in results.trials if t.state in (TrialState.SUCCEEDED, TrialState.FAILED)]
    if sum(map(_has_diverged, ended)) < FEWEST_DIVERGED:
        return
    splits = [
        split
        for name in results.varied
        if Bounds.of(results.space.parameters.get(name)) is not None
        for split in _splits(ended, name)
        if split.diverged >= max(FEWEST_DIVERGED, LEAST_RATE * split.trials)
    ]
    if not splits:
        return
    best = max(splits, key=lambda split: split.clearness)
    if not best.is_significant():
        return
    side, other = ("from", "below") if best.is_above else ("up to", "above")
    yield Finding(
        "diverges",
        best.name,
        f"{best.diverged} of {count(best.trials, 'trial')} with {words(best.name)} {side}"
        f" {parameter_value(best.value)} {'on ' * best.is_above}diverged, and {best.other_diverged}"
        f" of {best.other_trials} {other} it.",
        f"Search {words(best.name)} only {other} that.",
    )


class _Split(NamedTuple):  # there may be tens of thousands
    """Trials on one side of a value of a parameter, that value included, and on the other."""

    name: str
    value: float
    is_above: bool
    diverged: int
    trials: int
    other_diverged: int
    other_trials: int

    @property
    def clearness(self) -> float:
        """How far the shares differ, in standard errors but for a factor that all splits have."""
        contrast = self.diverged / self.trials - self.other_diverged / self.other_trials
        return contrast / math.sqrt(1 / self.trials + 1 / self.other_trials)

    def is_significant(self) -> bool:
        from scipy import stats

        table = [
            [self.diverged, self.trials - self.diverged],
            [self.other_diverged, self.other_trials - self.other_diverged],
        ]
        return float(stats.fisher_exact(table, alternative="greater").pvalue) < SIGNIFICANT


def _has_diverged(trial: TrialRecord) -> bool:
    return trial.error is not None and trial.error.kind is FailureKind.DIVERGED


def _splits(trials: Sequence[TrialRecord], name: str) -> Iterator[_Split]:
    """Yield the splits of the trials at each value of a parameter, upwards and downwards."""
    total: Counter[float] = Counter()
    diverged: Counter[float] = Counter()
    for trial in trials:
        value: Any = trial.parameters.get(name)
        if is_number(value):
            total[value] += 1
            diverged[value] += _has_diverged(trial)
    yield from _one_way(name, sorted(total), total, diverged, is_above=False)
    yield from _one_way(name, sorted(total, reverse=True), total, diverged, is_above=True)


def _one_way(
    name: str,
    values: Sequence[float],
    total: Mapping[float, int],
    diverged: Mapping[float, int],
    *,
    is_above: bool,
) -> Iterator[_Split]:
    trials, bad = 0, 0
    all_trials, all_bad = sum(total.values()), sum(diverged.values())
    for value in values[:-1]:
        trials, bad = trials + total[value], bad + diverged[value]
        yield _Split(name, value, is_above, bad, trials, all_bad - bad, all_trials - trials)
