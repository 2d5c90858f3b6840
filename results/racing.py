"""Which candidates stay in a race over common seeds: the same rule for the engine and the report.

A race by paired t-tests, as irace runs it: Birattari et al., "A racing algorithm for configuring
metaheuristics", GECCO 2002; López-Ibáñez et al., "The irace package", Operations Research
Perspectives 3, 2016, section 3.1 (test ``t-test``, without a correction for many comparisons: one
would keep clear losers in for longer).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from results.intervals import difference
from results.ranking import LARGEST, exact_mean
from results.states import TrialState

#: A configuration, by the number of its first trial, and a seed.
Pair = tuple[int, int]

#: The ends of trials that count. One that was cancelled or stopped says nothing about its
#: configuration: its last loss is that of a part of the training.
COUNTED = (TrialState.SUCCEEDED, TrialState.FAILED)
#: The loss of a trial that failed for a reason outside its configuration, a full disk for example.
#: Its seed does not count for that candidate, which stays in.
NO_RESULT = math.nan
#: Nobody drops out before so many rounds: two pairs may agree by chance, and their interval is
#: useless (the 97.5 % quantile of t with one degree of freedom is 12.7).
FEWEST_SEEDS = 3


def survivors(
    candidates: Sequence[int], seeds: Sequence[int], losses: Mapping[Pair, float | None]
) -> tuple[int, ...]:
    """Return the candidates that stay in after a round; each has a loss for each of ``seeds``.

    One drops out that failed with a seed, or whose loss is further from 0 than
    :data:`results.ranking.LARGEST`, which counts as a failure. From ``FEWEST_SEEDS`` seeds on one
    drops out whose loss is clearly above the leader's: the 95 % t-interval of the paired
    differences lies above 0. A seed whose loss is ``NO_RESULT`` is left out of that candidate's
    pairs. The leader has the lowest mean of those with the most results.
    """
    values: dict[int, dict[int, float]] = {}
    for candidate in candidates:
        own = {seed: losses[candidate, seed] for seed in seeds}
        counted = {s: v for s, v in own.items() if v is None or not math.isnan(v)}
        usable = {s: v for s, v in counted.items() if v is not None and abs(v) <= LARGEST}
        if len(usable) == len(counted):
            values[candidate] = usable
    led = [own for own in values.values() if own]
    if not led:
        return tuple(values)
    leader = min(led, key=lambda own: (-len(own), exact_mean(list(own.values()))))
    return tuple(c for c, own in values.items() if not _is_clearly_above(own, leader))


def _is_clearly_above(own: Mapping[int, float], leader: Mapping[int, float]) -> bool:
    common = [seed for seed in leader if seed in own]
    if len(common) < FEWEST_SEEDS:
        return False
    return difference([own[s] for s in common], [leader[s] for s in common]).is_above_zero
