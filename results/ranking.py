"""The one order of a job's configurations: best first, of equal ones the lower number.

A configuration is ranked when each of its trials of the search has succeeded with a finite value of
every objective, and it meets every constraint. Its values are the means over these trials.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from results.formatting import count, number
from results.pareto import front_numbers
from results.records import TrialRecord
from results.states import Purpose, TrialState
from search_spaces import Constraint, Objective, SearchSpace

#: The metrics of every trial: its training seconds, the size of its newest checkpoint in bytes.
SECONDS, MODEL_BYTES = "seconds", "model_bytes"
#: Values further from 0 than this are penalties, or those of a training that diverged: in a race
#: they count as failures, since their squares and sums may be too large for a float.
LARGEST = 1e100


def value_of(trial: TrialRecord, metric: str) -> float | None:
    """Return the metric's last value, None if the trial has none.

    Besides what it reported, every trial has ``seconds``, how long it has trained, and one with a
    checkpoint has ``model_bytes``, the size of the one that was made last.
    """
    if metric in trial.metrics:
        return trial.metrics[metric]
    if metric == SECONDS:
        return trial.seconds
    return float(trial.model_bytes) if metric == MODEL_BYTES and trial.model_bytes else None


def score_of(trial: TrialRecord, metric: str) -> float | None:
    """Return the metric's last value, or None unless the trial succeeded with a finite one."""
    value = value_of(trial, metric)
    if trial.state is not TrialState.SUCCEEDED or value is None or not math.isfinite(value):
        return None
    return value


def loss_of(value: float, mode: str) -> float:
    """Return the value such that lower is better."""
    return -value if mode == "max" else value


def ranked(
    trials: Iterable[TrialRecord], metric: str, mode: str
) -> tuple[tuple[TrialRecord, float], ...]:
    """Return the single trials that have a score, each with it, best first."""
    scored = [(trial, value) for trial in trials if (value := score_of(trial, metric)) is not None]
    scored.sort(key=lambda pair: (loss_of(pair[1], mode), pair[0].number))
    return tuple(scored)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A configuration with its trials of the search, by number.

    ``values`` has the mean of each objective's last values over the trials, in the order of the
    objectives. ``standard_deviation`` is that of the first objective (with n - 1), None for one
    trial. ``front`` counts from 0, the configurations that no other dominates; it is 0 for all
    where there is one objective.
    """

    trials: tuple[TrialRecord, ...]
    values: tuple[float, ...]
    standard_deviation: float | None
    front: int = 0

    @property
    def trial(self) -> TrialRecord:
        """The first of the trials, which stands for the configuration."""
        return self.trials[0]

    @property
    def value(self) -> float:
        """The mean of the first objective."""
        return self.values[0]

    @property
    def n(self) -> int:
        """The number of trials."""
        return len(self.trials)

    def mean_of(self, metric: str) -> float | None:
        """Return the mean of a metric's last values, None where a trial has none."""
        return mean_of([value_of(trial, metric) for trial in self.trials])

    @property
    def metrics(self) -> dict[str, float]:
        """The mean of each metric that all the trials have reported."""
        means = {name: self.mean_of(name) for name in self.trial.metrics}
        return {name: value for name, value in means.items() if value is not None}


@dataclass(frozen=True)
class Ranking:
    """A job's configurations best first, and what is wrong with those that are not ranked.

    ``violations`` has a sentence for each constraint that a configuration breaks, under the number
    of each of its trials. ``nearest`` is the one of these that breaks them by least, each measured
    as a share of its limit.
    """

    configurations: tuple[Ranked, ...]
    violations: Mapping[int, tuple[str, ...]]
    nearest: Ranked | None = None

    @cached_property
    def by_trial(self) -> Mapping[int, Ranked]:
        """The ranked configuration of each trial that belongs to one, by the trial's number."""
        return {trial.number: one for one in self.configurations for trial in one.trials}

    @cached_property
    def ranks(self) -> Mapping[int, int]:
        """The rank, from 1, of each ranked trial: its configuration's."""
        places = enumerate(self.configurations, start=1)
        return {trial.number: rank for rank, one in places for trial in one.trials}

    @property
    def front(self) -> tuple[Ranked, ...]:
        """The configurations that no other dominates, by the first objective."""
        return tuple(one for one in self.configurations if one.front == 0)


NOTHING_RANKED = Ranking((), {})


def rank(trials: Iterable[TrialRecord], space: SearchSpace) -> Ranking:
    """Rank the configurations of a job's trials.

    With several objectives, one of an earlier front comes first (:mod:`results.pareto`); within a
    front, and with one objective, the better values decide, those of the first objective first.
    """
    objectives = space.objectives
    groups: dict[int, list[TrialRecord]] = {}
    for trial in trials:
        if trial.purpose is Purpose.SEARCH and trial.state is TrialState.SUCCEEDED:
            groups.setdefault(trial.configuration, []).append(trial)
    found: list[Ranked] = []
    violations: dict[int, tuple[str, ...]] = {}
    nearest: list[tuple[float, int, Ranked]] = []
    for group in groups.values():
        one = _candidate(group, objectives, space.repeats)
        if one is None:
            continue
        broken = tuple(filter(None, (_violation(one, limit) for limit in space.constraints)))
        if broken:
            violations |= {trial.number: broken for trial in one.trials}
            nearest.append((_excess(one, space.constraints), one.trial.number, one))
        else:
            found.append(one)
    first = min(nearest)[2] if nearest else None
    return Ranking(_sorted(found, objectives), violations, first)


def why_no_best(trials: Sequence[TrialRecord], space: SearchSpace) -> str:
    """Return in a clause why none of the trials is the best one."""
    ranking = rank(trials, space)
    succeeded = [t for t in trials if score_of(t, space.metric) is not None]
    if not succeeded:
        return "no trial has succeeded"
    if ranking.nearest is None:
        return f"no configuration has succeeded with all {space.repeats} seeds"
    nearest = ranking.nearest.trial.number
    return (
        f"none of {count(len(succeeded), 'succeeded trial')} meets the constraints; nearest is "
        f"trial {nearest}: {', '.join(ranking.violations[nearest])}"
    )


def ranks(trials: Iterable[TrialRecord], space: SearchSpace) -> Mapping[int, int]:
    """Return the rank, from 1, of each ranked trial, by its number."""
    return rank(trials, space).ranks


def allowed_value(space: SearchSpace, known: Callable[[str], float | None]) -> float | None:
    """Return the first objective's value, None without one or where a constraint is broken.

    ``known`` gives a metric's last value, or its mean over several trials, None where there is
    none. A value that is not finite counts as none, and one that is missing breaks its constraint.
    """

    def finite(metric: str) -> float | None:
        value = known(metric)
        return value if value is not None and math.isfinite(value) else None

    return finite(space.metric) if space.allows(finite) else None


def mean_of(values: Sequence[float | None]) -> float | None:
    """Return the mean; None where a value is missing or not finite."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    return exact_mean(known) if known and len(known) == len(values) else None


def exact_mean(values: Sequence[float]) -> float:
    """Return the mean of at least one value; no sum of large ones overflows, as floats' would."""
    # Of one value, the usual case, it is the value; exact fractions take their time.
    return float(values[0] if len(values) == 1 else statistics.mean(values))


def deviation_of(values: Sequence[float]) -> float | None:
    """Return the standard deviation (with n - 1); None for fewer than two, or beyond a float."""
    try:
        return statistics.stdev(values) if len(values) > 1 else None
    except OverflowError:
        return None


def losses_of(values: Sequence[float], objectives: Sequence[Objective]) -> tuple[float, ...]:
    """Return a configuration's values such that lower is better in each."""
    pairs = zip(values, objectives, strict=True)
    return tuple(loss_of(value, objective.mode) for value, objective in pairs)


def _candidate(
    group: Sequence[TrialRecord], objectives: Sequence[Objective], repeats: int
) -> Ranked | None:
    """Return the configuration of these trials, None unless all its values are known."""
    if len(group) < repeats:
        return None
    trials = tuple(sorted(group, key=lambda trial: trial.number))
    scores = [score for t in trials if (score := score_of(t, objectives[0].metric)) is not None]
    means = [mean_of([score_of(t, o.metric) for t in trials]) for o in objectives]
    values = tuple(mean for mean in means if mean is not None)
    if len(values) < len(means):
        return None
    return Ranked(trials, values, deviation_of(scores))


def _violation(one: Ranked, limit: Constraint) -> str:
    """Return in a sentence how the configuration breaks the constraint; "" where it meets it."""
    value = one.mean_of(limit.metric)
    if value is None:
        return f"{limit.metric} is constrained, and was not reported"
    if limit.holds(value):
        return ""
    if limit.at_most is not None and value > limit.at_most:
        return f"{limit.metric} is {number(value)}, and may be at most {number(limit.at_most)}"
    return f"{limit.metric} is {number(value)}, and must be at least {number(limit.at_least)}"


def _excess(one: Ranked, limits: Iterable[Constraint]) -> float:
    """Return by how much constraints are broken together, as shares of the limits."""
    total = 0.0
    for limit in limits:
        value = one.mean_of(limit.metric)
        if value is None:
            return math.inf
        bound = limit.at_most if limit.at_most is not None and value > limit.at_most else None
        bound = limit.at_least if bound is None else bound
        total += max(0.0, limit.excess(value)) / (abs(bound or 0.0) or 1.0)
    return total


def _sorted(found: Sequence[Ranked], objectives: Sequence[Objective]) -> tuple[Ranked, ...]:
    losses = [losses_of(one.values, objectives) for one in found]
    fronts = front_numbers(losses) if len(objectives) > 1 else [0] * len(found)
    keys = zip(fronts, losses, (one.trial.number for one in found), strict=True)
    ordered = sorted(zip(keys, found, strict=True), key=lambda pair: pair[0])
    return tuple(
        Ranked(one.trials, one.values, one.standard_deviation, front)
        for (front, _, _), one in ordered
    )
