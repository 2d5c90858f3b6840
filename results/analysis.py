"""A job's results: its trials ranked and compared, and a summary in numbers.

Values that are not finite are never ranked, averaged or called best.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate

from results.comparison import Comparison, compare, parameter_key
from results.lineage import Part, schedule, whole_curve
from results.ranking import Ranking, rank, score_of
from results.records import Curve, JobRecord, Rest, TrialRecord
from results.states import FailureKind, JobState, Purpose
from results.wording import fallback_info
from search_spaces import SearchSpace
from trainables.contract import Metric

#: The metric of a linear model: how far its weights are from the least-squares solution.
DISTANCE = "distance_to_analytic"

#: Above this many trials, tables and plots show only the best.
MOST_SHOWN = 200
#: Most epochs that the trials shown have together; the first few are shown regardless.
_MOST_EPOCHS = 200_000
_FEW = 8


@dataclass(frozen=True, eq=False)
class JobResults:
    """A job with its trials by number, its curves by trial number, and its metrics' descriptions.

    ``trials`` are those of the search; ``confirming`` are those that ran the best configurations
    again with further seeds, which are never ranked or compared with them. ``curves`` may be those
    of the ``shown`` trials alone; ``early`` then has the declared metric of all trials at some
    epochs, by trial and epoch. ``repeated`` is what :meth:`results.store.Store.repeated` gives, and
    ``rests`` what :meth:`results.store.Store.rests` does.
    Compared by identity; what follows from the records is worked out once, which matters for
    thousands of trials.
    """

    job: JobRecord
    trials: tuple[TrialRecord, ...]
    curves: Mapping[int, Curve]
    metrics: Mapping[str, Metric]
    confirming: tuple[TrialRecord, ...] = ()
    repeated: Mapping[int, tuple[int, float]] = field(default_factory=dict)
    early: Mapping[int, Mapping[int, float]] = field(default_factory=dict)
    rests: tuple[Rest, ...] = ()

    @classmethod
    def of(
        cls,
        job: JobRecord,
        trials: Iterable[TrialRecord],
        curves: Iterable[Curve],
        metrics: Mapping[str, Metric],
        repeated: Mapping[int, tuple[int, float]] | None = None,
        rests: tuple[Rest, ...] = (),
    ) -> JobResults:
        """Return the results made of what a store returns, in any order."""
        ordered = sorted(trials, key=lambda trial: trial.number)
        searched = tuple(t for t in ordered if t.purpose is Purpose.SEARCH)
        confirming = tuple(t for t in ordered if t.purpose is Purpose.CONFIRM)
        alone = cls(job, searched, {}, metrics, confirming, repeated or {}, rests=rests)
        return alone.with_curves(curves)

    def with_curves(
        self, curves: Iterable[Curve], early: Mapping[int, Mapping[int, float]] | None = None
    ) -> JobResults:
        """Return the results with these curves instead; the trials are not ranked anew."""
        kept = {c.trial: c for c in curves if c.epochs and c.trial in self._by_number}
        found = replace(self, curves=kept, early=early or {})
        known = ("_by_number", "ranking", "ranked", "shown", "varied")
        vars(found).update({name: vars(self)[name] for name in known if name in vars(self)})
        return found

    @property
    def space(self) -> SearchSpace:
        """The search space of the job."""
        return self.job.spec.space

    @cached_property
    def metric(self) -> Metric:
        """The declared metric, which selects; its mode is the one that the job declares."""
        return replace(self.info(self.space.metric), mode=self.space.mode)

    @property
    def best(self) -> TrialRecord | None:
        """The trial that the job's record calls best; None while there is none."""
        best = self.job.best
        return None if best is None else self.trial(best.trial)

    @cached_property
    def metric_names(self) -> tuple[str, ...]:
        """The reported metrics: the declared ones in their order, then the others as first seen."""
        reported = dict.fromkeys(name for c in self.curves.values() for name in c.metrics)
        return tuple(sorted(reported, key=rank_in(list(self.metrics))))

    def trial(self, number: int) -> TrialRecord | None:
        """Return the trial of that number, or None."""
        return self._by_number.get(number)

    @cached_property
    def _by_number(self) -> dict[int, TrialRecord]:
        return {trial.number: trial for trial in self.trials}

    def info(self, name: str) -> Metric:
        """Return the description of a metric, made from its name if it was not declared."""
        return self.metrics.get(name) or fallback_info(name)

    def may_mark_best(self, info: Metric) -> bool:
        """Whether plots may mark a metric's best epoch.

        For a test metric only if there is no validation metric, and then for reference.
        """
        validated = any(self.info(name).split == "validation" for name in self.metric_names)
        return bool(info.mode) and not (info.split == "test" and validated)

    def shows_all(self, info: Metric) -> bool:
        """Whether a metric may be shown for every trial, or for the selected one only.

        The latter is so for test metrics, except the one that the job declares to select by.
        """
        return info.split != "test" or info.name == self.metric.name or len(self.trials) < 2

    def score(self, trial: TrialRecord) -> float | None:
        """Return the declared metric's last value, or None unless the trial succeeded with one."""
        return score_of(trial, self.metric.name)

    @cached_property
    def ranking(self) -> Ranking:
        """The configurations in their order, and the constraints that others break."""
        return rank(self.trials, self.space)

    @cached_property
    def ranked(self) -> tuple[tuple[TrialRecord, float], ...]:
        """The first trial of each ranked configuration with its mean score, best first."""
        return tuple((one.trial, one.value) for one in self.ranking.configurations)

    @property
    def breaks_all(self) -> bool:
        """Whether configurations have results, and none of them meets the constraints."""
        return not self.ranking.configurations and bool(self.ranking.violations)

    @property
    def ranks(self) -> Mapping[int, int]:
        """The rank, from 1, of each trial of a ranked configuration, by number."""
        return self.ranking.ranks

    @cached_property
    def shown(self) -> tuple[TrialRecord, ...]:
        """The trials that tables list and plots draw: all, or the best of many.

        Those without a score follow the ranked ones, by number.
        """
        last = len(self.trials) + 1
        ordered = sorted(self.trials, key=lambda trial: self.ranks.get(trial.number, last))
        epochs = accumulate(trial.trained for trial in ordered)
        return tuple(
            trial
            for place, (trial, so_far) in enumerate(zip(ordered, epochs, strict=True))
            if place < _FEW or (place < MOST_SHOWN and so_far <= _MOST_EPOCHS)
        )

    @cached_property
    def varied(self) -> tuple[str, ...]:
        """The parameters that differ among the trials, in the order declared.

        Being absent, because its condition does not hold, counts as a value.
        """
        names = dict.fromkeys(name for trial in self.trials for name in trial.parameters)
        ordered = sorted(names, key=rank_in(list(self.space.parameters)))
        firsts = {name: parameter_key(self.trials[0], name) for name in ordered}
        return tuple(
            name
            for name, first in firsts.items()
            if any(parameter_key(trial, name) != first for trial in self.trials)
        )

    def curve_of(self, number: int) -> Curve | None:
        """Return a trial's curve, with the epochs of the trials from which it went on."""
        own, trial = self.curves.get(number), self.trial(number)
        if trial is None or trial.parent is None:
            return own
        return whole_curve(self._by_number, self.curves, number) or own

    def schedule_of(self, number: int) -> tuple[Part, ...]:
        """Return with which parameters a trial was trained, in order of the epochs."""
        return schedule(self._by_number, number)

    @cached_property
    def comparisons(self) -> Mapping[str, Comparison | None]:
        """The comparison of the values of each varied parameter; None for one of too many.

        None for those of a population, too: its trials had others of its values before.
        """
        is_population = self.space.scheduler.is_population
        return {name: None if is_population else compare(self, name) for name in self.varied}


def rank_in(names: Sequence[str]) -> Callable[[str], int]:
    """Return a sort key: a name's place among ``names``, behind them all if it is none."""
    ranks = {name: rank for rank, name in enumerate(names)}
    return lambda name: ranks.get(name, len(ranks))


@dataclass(frozen=True, slots=True)
class Summary:
    """A job in numbers; the statistics are over the ranked configurations' scores.

    ``planned`` is how many trials the search will have, without those that confirm its winner;
    ``states`` counts those that it has; ``standard_deviation`` is the population's.
    ``trial_seconds`` is the training time of all trials of the search, ``wall_seconds`` is from the
    job's start to its end, without the time for which it was paused or had ended before it was
    extended, say.
    """

    planned: int
    states: Mapping[str, int]
    diverged: int
    scored: int
    best: float | None
    worst: float | None
    mean: float | None
    median: float | None
    standard_deviation: float | None
    trial_seconds: float
    wall_seconds: float | None


def summarize(results: JobResults) -> Summary:
    """Count the trials by state and describe how their scores are spread."""
    # With several objectives, the ranking does not follow the first one alone.
    scores = sorted((score for _, score in results.ranked), reverse=results.metric.mode == "max")
    kinds = [trial.error.kind for trial in results.trials if trial.error is not None]
    return Summary(
        planned=_planned(results),
        states=dict(Counter(trial.state.value for trial in results.trials)),
        diverged=sum(kind is FailureKind.DIVERGED for kind in kinds),
        scored=len(scores),
        best=scores[0] if scores else None,
        worst=scores[-1] if scores else None,
        mean=statistics.mean(scores) if scores else None,
        median=statistics.median(scores) if scores else None,
        standard_deviation=statistics.pstdev(scores) if scores else None,
        trial_seconds=math.fsum(trial.seconds for trial in results.trials),
        wall_seconds=_wall_seconds(results),
    )


def _planned(results: JobResults) -> int:
    """Return how many trials the search will have; the job's plan counts those to confirm, too."""
    job, confirming = results.job, results.confirming
    planned = max(0, job.progress.trials - len(confirming))
    if job.spec.space.confirm is None:
        return planned
    # A confirmation begins after the last trial of its search; an extension leads back to that.
    last = max((trial.number for trial in results.trials), default=-1)
    is_confirmed = bool(confirming) and confirming[-1].number > last
    if job.ended_by or (is_confirmed and job.state is JobState.SUCCEEDED):
        return len(results.trials)
    return min(planned, job.spec.trials)


def _wall_seconds(results: JobResults) -> float | None:
    started, ended = results.job.started_at, results.job.finished_at
    if started is None or ended is None:
        return None
    whole = (ended - started).total_seconds()
    return max(0.0, whole - math.fsum(rest.seconds() for rest in results.rests))
