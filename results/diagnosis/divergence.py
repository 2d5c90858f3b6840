"""The rule about trials that diverge: from which value of a parameter on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from results.analysis import JobResults
from results.diagnosis.finding import Finding
from results.diagnosis.parameters import Bounds
from results.formatting import count, parameter_value
from results.records import TrialRecord
from results.states import FailureKind, TrialState
from results.wording import words
from search_spaces import is_number

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Integers = npt.NDArray[np.integer[Any]]
    Truths = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

#: At least this share of the trials beyond a value, and so many of them, must have diverged.
LEAST_RATE, FEWEST_DIVERGED = 0.5, 3
#: The level of the permutation test, and its permutations: this many rounds of so many.
SIGNIFICANT = 0.01
_ROUNDS, _AT_ONCE = 9, 111


def diverges_beyond(results: JobResults) -> Iterator[Finding]:
    """Find a parameter from whose value on most trials diverged, and hardly any on its other side.

    At least half of the trials on that side, and three of them, must have diverged. Trials count
    that succeeded, or failed because of their configuration. Of all such
    splits, of all parameters, the clearest is tested, at 1 %: how often is any split as clear where
    chance decides which configurations diverge? Westfall and Young, "Resampling-based multiple
    testing" (1993), the largest statistic of each of 999 permutations; Phipson and Smyth,
    "Permutation p-values should never be zero" (2010). The permutations are always the same.
    """
    configurations = _ended(results.trials)
    if sum(one.diverged for one in configurations) < FEWEST_DIVERGED:
        return
    domains = results.space.parameters
    names = [name for name in results.varied if Bounds.of(domains.get(name)) is not None]
    splits = [found for name in names if (found := _Splits.of(configurations, name)) is not None]
    sides = [side for found in splits if (side := found.clearest()) is not None]
    if not sides:
        return
    best = max(sides, key=lambda side: side.clearness)
    if not _exceeds_chance(best.clearness, splits, configurations):
        return
    beyond, other = ("from", "below") if best.is_above else ("up to", "above")
    yield Finding(
        "diverges",
        best.name,
        f"{best.diverged} of {count(best.trials, 'trial')} with {words(best.name)} {beyond}"
        f" {parameter_value(best.value)} {'on ' * best.is_above}diverged, and {best.other_diverged}"
        f" of {best.other_trials} {other} it.",
        f"Search {words(best.name)} only {other} that.",
    )


class _Configuration(NamedTuple):
    """A configuration's parameters, its trials (seeds) that ended, and how many of them diverged.

    Whole configurations are shuffled, because seeds of one mostly end alike.
    """

    parameters: Mapping[str, Any]
    trials: int
    diverged: int


def _ended(trials: Sequence[TrialRecord]) -> list[_Configuration]:
    """Return the configurations with an end of their own; the others might have diverged yet."""
    groups: dict[int, list[TrialRecord]] = {}
    for trial in trials:
        if trial.state is TrialState.SUCCEEDED or trial.has_failed_by_itself:
            groups.setdefault(trial.configuration, []).append(trial)
    return [
        _Configuration(group[0].parameters, len(group), sum(map(_has_diverged, group)))
        for group in groups.values()
    ]


def _has_diverged(trial: TrialRecord) -> bool:
    return trial.error is not None and trial.error.kind is FailureKind.DIVERGED


class _Side(NamedTuple):
    """Trials on one side of a value of a parameter, that value included, and on the other."""

    name: str
    value: float
    is_above: bool
    diverged: int
    trials: int
    other_diverged: int
    other_trials: int
    clearness: float


@dataclass(frozen=True, slots=True)
class _Splits:
    """The trials with a number for a parameter, split between each two of its values.

    ``order`` has the places of the configurations by that number, shape (configurations,);
    ``ends`` the place in it of the last one below each split, shape (splits,). ``values``,
    ``trials`` and ``diverged`` have a row for the sides below and one for those above, shape
    (2, splits): the value next to the split, how many trials, and how many of them diverged.
    """

    name: str
    order: Integers
    ends: Integers
    values: tuple[Sequence[float], Sequence[float]]
    trials: Integers
    diverged: Integers

    @classmethod
    def of(cls, configurations: Sequence[_Configuration], name: str) -> _Splits | None:
        """Return the splits by a parameter, None where nothing tells its values apart."""
        import numpy as np

        having = [at for at, one in enumerate(configurations) if _has_number(one, name)]
        having.sort(key=lambda at: configurations[at].parameters[name])
        values = [configurations[at].parameters[name] for at in having]
        changes = [at for at, (value, after) in enumerate(pairwise(values)) if value != after]
        order, ends = np.array(having, dtype=np.intp), np.array(changes, dtype=np.intp)
        counts = np.array([(one.trials, one.diverged) for one in configurations]).T
        whole = counts[:, order].sum(axis=1)
        if not changes or not 0 < whole[1] < whole[0]:
            return None
        below = _below(counts, order, ends)
        trials, diverged = np.stack((below, whole[:, np.newaxis] - below), axis=1)
        beside = ([values[at] for at in changes], [values[at + 1] for at in changes])
        return cls(name, order, ends, beside, trials, diverged)

    def _by_chance(self) -> tuple[Floats, Floats]:
        """Return the mean and the standard deviation of the counts: hypergeometric ones."""
        import numpy as np

        trials = self.trials.astype(np.float64)
        n = trials[:, 0].sum()
        share = self.diverged[:, 0].sum() / n
        return trials * share, np.sqrt(share * (1 - share) * trials * trials[::-1] / (n - 1))

    def _least(self, clearness: float) -> Integers:
        """Return the least count that makes each side so clear, shape (2, splits)."""
        import numpy as np

        mean, deviation = self._by_chance()
        # A little less, so that rounding does not part equal counts.
        as_clear = mean + clearness * deviation - 1e-6
        enough = np.maximum(FEWEST_DIVERGED, LEAST_RATE * self.trials)
        least: Integers = np.ceil(np.maximum(as_clear, enough)).astype(np.int32)
        return least

    def are_as_clear(self, shuffled: Integers, clearness: float) -> Truths:
        """Return which permutations have a side that is so clear, shape (permutations,).

        ``shuffled`` has how many trials of each configuration diverged, shape (permutations,
        configurations).
        """
        least_below, least_above = self._least(clearness)
        below = _below(shuffled, self.order, self.ends)
        # As many as always diverged on the two sides of a split together.
        most_below = self.diverged[0] + self.diverged[1] - least_above
        has_one: Truths = ((below >= least_below) | (below <= most_below)).any(axis=1)
        return has_one

    def clearest(self) -> _Side | None:
        """Return the side on which most diverged, by the standard deviations beyond chance."""
        import numpy as np

        mean, deviation = self._by_chance()
        is_enough = self.diverged >= self._least(0.0)
        clearness = np.where(is_enough, (self.diverged - mean) / deviation, 0.0)
        row, at = divmod(int(np.argmax(clearness)), len(self.ends))
        if clearness[row, at] <= 0:
            return None
        return _Side(
            self.name,
            self.values[row][at],
            bool(row),
            int(self.diverged[row, at]),
            int(self.trials[row, at]),
            int(self.diverged[1 - row, at]),
            int(self.trials[1 - row, at]),
            float(clearness[row, at]),
        )


def _below(counts: Integers, order: Integers, ends: Integers) -> Integers:
    """Return the sums of the configurations' counts below each split, shape (rows, splits)."""
    import numpy as np

    # Unlike an index, take keeps the rows together in memory, which is several times as fast.
    up_to = np.cumsum(np.take(counts, order, axis=1), axis=1, dtype=np.int32)
    return np.take(up_to, ends, axis=1)


def _has_number(configuration: _Configuration, name: str) -> bool:
    return is_number(configuration.parameters.get(name))


def _exceeds_chance(
    clearness: float, splits: Sequence[_Splits], configurations: Sequence[_Configuration]
) -> bool:
    """Whether hardly any permutation has a side of any split that is as clear."""
    import numpy as np

    as_clear = 0
    for shuffled in _shuffled(configurations, [one.name for one in splits]):
        found = [one.are_as_clear(shuffled, clearness) for one in splits]
        as_clear += int(np.any(found, axis=0).sum())
        if (as_clear + 1) / (_ROUNDS * _AT_ONCE + 1) > SIGNIFICANT:
            return False
    return True


def _shuffled(configurations: Sequence[_Configuration], names: Sequence[str]) -> Iterator[Integers]:
    """Yield permutations of how many trials of each configuration diverged, some at once.

    Each has the shape (permutations, configurations). Only configurations with as many trials and
    the same parameters are exchanged: what a parameter's presence does is not its values' effect.
    """
    import numpy as np

    alike: dict[tuple[int, ...], list[int]] = {}
    for at, one in enumerate(configurations):
        key = (one.trials, *(_has_number(one, name) for name in names))
        alike.setdefault(key, []).append(at)
    generator = np.random.default_rng(0)
    diverged = np.array([one.diverged for one in configurations], dtype=np.uint16)
    for _ in range(_ROUNDS):
        shuffled = np.tile(diverged, (_AT_ONCE, 1))
        for places in alike.values():
            shuffled[:, places] = generator.permuted(shuffled[:, places], axis=1)
        yield shuffled
