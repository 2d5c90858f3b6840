"""What the numbers of a job say: rankings, curves, and the gap between train and held-out data.

Pure functions over records; nothing here draws, writes or asks a database. Values that are not
finite (a diverged trial's) are never ranked, averaged or called best.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate
from typing import Any, NamedTuple

from results.memory import remembered
from results.ranking import ranked, score_of
from results.records import Curve, JobRecord, TrialRecord
from results.states import FailureKind
from results.wording import fallback_info
from search_spaces import SearchSpace
from trainables.contract import Metric

#: The metric of a linear model that says how far its weights are from the least-squares solution.
DISTANCE = "distance_to_analytic"

#: Of more trials than this, tables list the best, and only theirs are the curves that are drawn.
MOST_SHOWN = 200
#: So many epochs may the trials shown have together; a few trials are shown whatever they have.
_MOST_EPOCHS = 200_000
_FEW = 8


@dataclass(frozen=True, slots=True)
class JobResults:
    """A job with its trials, its curves by trial number and what is known of its metrics.

    ``curves`` may be those of the trials ``shown`` alone; ``memory`` is for :func:`remembered`.
    """

    job: JobRecord
    trials: tuple[TrialRecord, ...]
    curves: Mapping[int, Curve]
    metrics: Mapping[str, Metric]
    memory: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        job: JobRecord,
        trials: Iterable[TrialRecord],
        curves: Iterable[Curve],
        metrics: Mapping[str, Metric],
    ) -> JobResults:
        """Bring what a store returns together, trials by number."""
        ordered = tuple(sorted(trials, key=lambda trial: trial.number))
        return cls(job, ordered, {c.trial: c for c in curves if c.epochs}, metrics)

    @property
    @remembered
    def metric(self) -> Metric:
        """The declared metric, which selects; its mode is the one that the job declares."""
        return replace(self.info(self.space.metric), mode=self.space.mode)

    @property
    def space(self) -> SearchSpace:
        """What the job searches."""
        return self.job.spec.space

    @property
    def best(self) -> TrialRecord | None:
        """The trial that the job's record calls best; None while there is none."""
        best = self.job.best
        return None if best is None else self.trial(best.trial)

    @property
    @remembered
    def metric_names(self) -> tuple[str, ...]:
        """The metrics that were reported, in the order declared, then as first seen."""
        reported = dict.fromkeys(name for c in self.curves.values() for name in c.metrics)
        return tuple(sorted(reported, key=rank_in(list(self.metrics))))

    def trial(self, number: int) -> TrialRecord | None:
        """Return the trial of that number, or None."""
        return next((trial for trial in self.trials if trial.number == number), None)

    def info(self, name: str) -> Metric:
        """Return what is known of a metric, or what its name tells."""
        return self.metrics.get(name) or fallback_info(name)

    def may_mark_best(self, info: Metric) -> bool:
        """Whether a metric's best epoch may be pointed out.

        Of a test metric only where no validation metric was reported, and then for reference.
        """
        validated = any(self.info(name).split == "validation" for name in self.metric_names)
        return bool(info.mode) and not (info.split == "test" and validated)

    def shows_all(self, info: Metric) -> bool:
        """Whether a metric may be shown for every trial; a test metric is the selected one's only.

        A search that declared a test metric has selected by it, which is then what it shows.
        """
        return info.split != "test" or info.name == self.metric.name or len(self.trials) < 2

    def score(self, trial: TrialRecord) -> float | None:
        """Return the declared metric's last value, or None unless the trial succeeded with one."""
        return score_of(trial, self.metric.name)

    @remembered
    def ranking(self) -> tuple[tuple[TrialRecord, float], ...]:
        """Return the scored trials with their scores, best first, equal ones by number."""
        return ranked(self.trials, self.metric.name, self.metric.mode)

    @property
    @remembered
    def shown(self) -> tuple[TrialRecord, ...]:
        """The trials that tables list and whose curves are drawn: all, or the best of many.

        Those without a score come behind the ranked ones, by number.
        """
        ranked = [trial for trial, _ in self.ranking()]
        numbers = {trial.number for trial in ranked}
        ordered = [*ranked, *(trial for trial in self.trials if trial.number not in numbers)]
        epochs = accumulate(trial.epochs for trial in ordered)
        return tuple(
            trial
            for rank, (trial, so_far) in enumerate(zip(ordered, epochs, strict=True))
            if rank < _FEW or (rank < MOST_SHOWN and so_far <= _MOST_EPOCHS)
        )


def rank_in(names: Sequence[str]) -> Callable[[str], int]:
    """Return a sort key: a name's place among ``names``, behind them all if it is none."""
    ranks = {name: rank for rank, name in enumerate(names)}
    return lambda name: ranks.get(name, len(ranks))


# --- curves ---------------------------------------------------------------------------------


class CurvePoint(NamedTuple):
    """A metric's value at an epoch."""

    epoch: int
    value: float


@dataclass(frozen=True, slots=True)
class CurveSummary:
    """The first, last and best point of one metric's curve; ``best`` is None without a mode."""

    trial: int
    metric: str
    first: CurvePoint
    last: CurvePoint
    best: CurvePoint | None


def curve_points(curve: Curve, metric: str) -> list[CurvePoint]:
    """Return the finite points of one metric's curve, by epoch."""
    values = curve.metrics.get(metric, ())
    pairs = zip(curve.epochs, values, strict=False)
    return [CurvePoint(epoch, value) for epoch, value in pairs if math.isfinite(value)]


def best_point(points: Sequence[CurvePoint], mode: str) -> CurvePoint | None:
    """Return the earliest of the best points; None for no points or an unknown ``mode``."""
    if not points or mode not in ("min", "max"):
        return None
    sign = -1 if mode == "max" else 1
    return min(points, key=lambda point: sign * point.value)


def summarize_curve(curve: Curve, info: Metric) -> CurveSummary | None:
    """Summarize one metric's curve; None where it has no finite value."""
    points = curve_points(curve, info.name)
    if not points:
        return None
    return CurveSummary(
        curve.trial, info.name, points[0], points[-1], best_point(points, info.mode)
    )


class GapPoint(NamedTuple):
    """The same quantity on training and on held-out data after an epoch."""

    epoch: int
    train: float
    held_out: float

    @property
    def gap(self) -> float:
        """Held-out minus training."""
        return self.held_out - self.train


@dataclass(frozen=True, slots=True)
class Gap:
    """How training and held-out performance part over the epochs, which ``points`` has in order."""

    train_metric: Metric
    held_out_metric: Metric
    points: tuple[GapPoint, ...]

    @property
    def best(self) -> GapPoint:
        """Where held-out performance was best, the earliest of equals."""
        sign = -1 if self.held_out_metric.mode == "max" else 1
        return min(self.points, key=lambda point: sign * point.held_out)

    @property
    def narrowest(self) -> GapPoint:
        """Where the two lay closest together, the earliest of equals."""
        return min(self.points, key=lambda point: abs(point.gap))


def held_out_gap(results: JobResults, curve: Curve) -> Gap | None:
    """Follow the first quantity that was reported on training and on held-out data.

    That is ``train_x`` with ``validation_x``, or with ``test_x`` where there is no such validation
    metric; None where neither pair was reported, or nobody knows the better direction.
    """
    for name in results.metric_names:
        suffix = name.removeprefix("train_")
        pairs = [f"{split}_{suffix}" for split in ("validation", "test")]
        held_out = next((pair for pair in pairs if pair in curve.metrics), None)
        if suffix == name or held_out is None:
            continue
        info, trained = results.info(held_out), dict(curve_points(curve, name))
        points = tuple(
            GapPoint(epoch, trained[epoch], value)
            for epoch, value in curve_points(curve, held_out)
            if epoch in trained
        )
        if points and info.mode:
            return Gap(results.info(name), info, points)
    return None


# --- the whole job --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Summary:
    """A job in numbers; the statistics are over the scored trials' last values.

    ``planned`` is the number of trials that the job is to have, ``states`` counts those that it
    has; ``standard_deviation`` is the population's. ``trial_seconds`` adds up what the trials
    trained, ``wall_seconds`` is from the job's start to its end.
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
    job, scores = results.job, [score for _, score in results.ranking()]
    return Summary(
        planned=job.progress.trials,
        states=dict(Counter(trial.state.value for trial in results.trials)),
        diverged=sum(_diverged(trial) for trial in results.trials),
        scored=len(scores),
        best=scores[0] if scores else None,
        worst=scores[-1] if scores else None,
        mean=statistics.mean(scores) if scores else None,
        median=statistics.median(scores) if scores else None,
        standard_deviation=statistics.pstdev(scores) if scores else None,
        trial_seconds=math.fsum(trial.seconds for trial in results.trials),
        wall_seconds=_seconds_between(job.started_at, job.finished_at),
    )


def _diverged(trial: TrialRecord) -> bool:
    return trial.error is not None and trial.error.kind is FailureKind.DIVERGED


def _seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds()
