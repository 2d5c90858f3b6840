"""Rules about single parameters: their bounds, and whether they matter."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from results.analysis import JobResults
from results.comparison import value_key
from results.diagnosis.finding import Finding
from results.formatting import count, number, parameter_value
from results.records import TrialRecord
from results.states import TrialState
from results.wording import prettify, words
from search_spaces import Choice, Domain, Range, is_number

#: Fewer scored trials than this show neither that a parameter matters nor that it does not.
FEWEST_TRIALS = 20
#: A value nearer to a bound than this share of the range (of its logarithm) lies on it.
AT_BOUND = 0.05
#: The other good trials need not lie on it, but within this share.
NEAR_BOUND = 0.2
_FEWEST_AT_BOUND = 8
#: A parameter of more values than this is compared by thirds of them, too.
_MOST_VALUES = 8


def best_on_bound(results: JobResults) -> Iterator[Finding]:
    """Find parameters of which the best trial has the lowest or the highest value allowed.

    At least half of the best five trials must lie near it too, so that one trial's chance is not
    called a trend. Needs eight scored trials, and three values of a list of numbers.
    """
    best = [trial for trial, _ in results.ranked[:5]]
    if len(results.ranked) < _FEWEST_AT_BOUND:
        return
    for name in results.varied:
        bounds = Bounds.of(results.space.parameters.get(name))
        if bounds is None:
            continue
        side = bounds.side(best[0].parameters.get(name), AT_BOUND)
        near = [bounds.side(trial.parameters.get(name), NEAR_BOUND) for trial in best]
        if side and near.count(side) * 2 >= len(near):
            bound = bounds.low if side == "lowest" else bounds.high
            yield Finding(
                "best_on_bound",
                name,
                f"The best {words(name)}, {parameter_value(best[0].parameters[name])}, lies at the"
                f" {side} value that was allowed ({parameter_value(bound)}).",
                f"Search {'below' if side == 'lowest' else 'above'} it too, if that makes sense.",
            )


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the largest value of a parameter of numbers."""

    low: float
    high: float
    log: bool
    #: Every number between the bounds may be drawn, or only listed ones.
    is_range: bool

    @classmethod
    def of(cls, domain: Domain | None) -> Bounds | None:
        """Return the bounds of a range, or of three numbers or more; None for anything else."""
        if isinstance(domain, Range):
            return cls(domain.low, domain.high, domain.log, is_range=True)
        if isinstance(domain, Choice) and len(domain.values) > 2:
            numbers: list[Any] = [value for value in domain.values if is_number(value)]
            if len(numbers) == len(domain.values):
                return cls(min(numbers), max(numbers), log=False, is_range=False)
        return None

    def side(self, value: Any, share: float) -> str:
        """Return the bound within that share of the range: ``lowest``, ``highest`` or ""."""
        if not is_number(value) or self.low == self.high:
            return ""
        ends = {self.low: 0.0, self.high: 1.0}
        at = self._share(value) if self.is_range else ends.get(value, 0.5)
        return "lowest" if at <= share else "highest" if at >= 1 - share else ""

    def _share(self, value: float) -> float:
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        # Halves: the distance between the largest floats is none.
        return (value / 2 - low / 2) / (high / 2 - low / 2)


def no_effect(results: JobResults) -> Iterator[Finding]:
    """Find parameters whose values rank the trials no better than chance.

    Trials are grouped by the parameter's value, and by thirds of more than eight values. Kruskal
    and Wallis, "Use of ranks in one-criterion variance analysis" (1952), with their correction for
    ties: without an effect, H is about the number of groups less one; here it is at most that. It
    must be so twice: for the ranked trials, and with all others last, because a parameter that
    decides which trials diverge or are stopped matters. Nothing is said of a population, whose
    parameters changed during training.
    """
    if len(results.ranked) < FEWEST_TRIALS or len(results.varied) < 2:
        return
    if results.space.scheduler.is_population:
        return
    ranked = _places(results)
    if len({place for _, place in ranked}) < 2:
        return
    others = [(trial, len(ranked)) for trial in _unranked(results)]
    for name in results.varied:
        among, with_others = _Ranking.by(name, ranked), _Ranking.by(name, [*ranked, *others])
        if among and among.is_chance and with_others and with_others.is_chance:
            last = f"; {number(with_others.h, 2)} with the {len(others)} unranked ones last"
            yield Finding(
                "no_effect",
                name,
                f"{prettify(name)} made no difference that can be seen: its values order the"
                f" {len(ranked)} trials no better than chance would (Kruskal-Wallis"
                f" H {number(among.h, 2)} of {count(among.groups, 'group')}{last if others else ''}"
                ").",
                "Fix it, and spend the trials on the other parameters.",
            )


def _places(results: JobResults) -> list[tuple[TrialRecord, int]]:
    """Return the first trial of each ranked configuration with its place; equal ones share it.

    Otherwise their numbers would decide, which in a grid follow its first parameters.
    """
    places: dict[tuple[float, ...], int] = {}
    return [
        (one.trial, places.setdefault(one.values, place))
        for place, one in enumerate(results.ranking.configurations)
    ]


def _unranked(results: JobResults) -> Iterable[TrialRecord]:
    """Return a trial of each configuration that came to its own end without a rank.

    What the end of the search has stopped, of which some never began, says nothing.
    """
    ended = {TrialState.SUCCEEDED, TrialState.STOPPED, TrialState.FAILED}
    if results.job.ended_by:
        ended.remove(TrialState.STOPPED)
    others = (
        trial
        for trial in results.trials
        if trial.state in ended and trial.attempt and trial.number not in results.ranks
    )
    return {trial.configuration: trial for trial in others}.values()


@dataclass(frozen=True, slots=True)
class _Ranking:
    """How well the values of a parameter order trials: Kruskal and Wallis's H of its groups."""

    h: float
    groups: int

    @classmethod
    def by(cls, name: str, places: Sequence[tuple[TrialRecord, int]]) -> _Ranking | None:
        """Return the ranking of trials by a parameter, None where there is nothing to compare.

        Of a grouping by values and one by thirds, it is that of which chance explains less.
        """
        from scipy import stats

        rankings = [
            cls(float(stats.kruskal(*groups).statistic), len(groups))
            for groups in _groupings(places, name)
            if len(groups) > 1 and len(set(chain(*groups))) > 1
        ]
        return max(rankings, key=lambda one: one.h / (one.groups - 1), default=None)

    @property
    def is_chance(self) -> bool:
        return self.h <= self.groups - 1


def _groupings(places: Sequence[tuple[TrialRecord, int]], name: str) -> Iterator[list[list[int]]]:
    """Yield places by the parameter's value, of more than eight values also by their thirds.

    Values of fewer than three trials are left out; most trials of many values must be of others.
    """
    having = [(t.parameters[name], place) for t, place in places if name in t.parameters]
    groups: dict[str, list[int]] = {}
    for value, place in having:
        groups.setdefault(value_key(value), []).append(place)
    by_value = [group for group in groups.values() if len(group) > 2]
    is_many = len(groups) > _MOST_VALUES
    if not is_many or 2 * sum(map(len, by_value)) > len(having):
        yield by_value
    if is_many:
        yield [group for group in _thirds(having) if len(group) > 2]


def _thirds(having: Sequence[tuple[Any, int]]) -> list[list[int]]:
    """Return the places by thirds of those values that are numbers; equal ones stay together."""
    numbers = sorted(value for value, _ in having if is_number(value))
    third = math.ceil(len(numbers) / 3)
    thirds: list[list[int]] = [[], [], []]
    for value, place in having:
        if is_number(value):
            middle = (bisect_left(numbers, value) + bisect_right(numbers, value)) // 2
            thirds[middle // third].append(place)
    return thirds
