"""Which candidates stay in a race over common seeds: the same rule for the engine and the report.

A race by paired t-tests, as irace runs it: Birattari et al., "A racing algorithm for configuring
metaheuristics", GECCO 2002; López-Ibáñez et al., "The irace package", Operations Research
Perspectives 3, 2016, section 3.1 (test ``t-test``, without a correction for many comparisons: one
would keep clear losers in for longer).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from results.intervals import difference
from results.ranking import LARGEST, exact_mean
from results.states import TrialState

#: A configuration, by the number of its first trial, and a seed.
Pair = tuple[int, int]

#: The ends of trials that count. One that was cancelled or stopped says nothing about its
#: configuration: its last loss is that of a part of the training.
COUNTED = (TrialState.SUCCEEDED, TrialState.FAILED)
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
    differences lies above 0.
    """
    values: dict[int, list[float]] = {}
    for candidate in candidates:
        found = [losses[candidate, seed] for seed in seeds]
        usable = [loss for loss in found if loss is not None and abs(loss) <= LARGEST]
        if len(usable) == len(found):
            values[candidate] = usable
    if len(seeds) < FEWEST_SEEDS or not values:
        return tuple(values)
    leader = min(values.values(), key=exact_mean)
    return tuple(c for c, own in values.items() if not difference(own, leader).is_above_zero)
