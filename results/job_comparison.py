"""Jobs side by side: how the best value grew, how values spread, what differs in their specs.

Jobs that differ only in their seed are repeats of one search: their mean and its band say how much
of a difference between searches is luck.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from results.analysis import JobResults
from results.figures.figure import thinned
from results.ranking import deviation_of, exact_mean
from results.records import JobRecord, TrialRecord
from search_spaces import pointer_to

#: The most points of a line.
MOST_POINTS = 400
#: Members of a spec that name or describe a job rather than change what it runs.
_NAMES = frozenset({"name", "description", "title", "tags", "source", "chosen"})
#: Members in which repeats of one search may differ besides.
_REPEATED = _NAMES | {"seed", "version"}
#: Stands for a member that a spec does not have.
_ABSENT = object()

AXES = ("trials", "epochs", "seconds")


@dataclass(frozen=True, slots=True)
class Course:
    """How the best value of a job grew: lists of one length, a point per improvement, and the end.

    ``best`` holds from the moment when so many ``trials`` of the search had ended, so many
    ``epochs`` of theirs were trained and so many ``seconds`` had passed since the job's start,
    without those in which it had ended or was paused. With several objectives it is the best value
    of the first.
    """

    trials: tuple[int, ...] = ()
    epochs: tuple[int, ...] = ()
    seconds: tuple[float, ...] = ()
    best: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Spread:
    """The empirical distribution of a job's values: ``shares`` are at or below ``values``."""

    values: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ComparedJob:
    """A job among others: its record and its metric with what was found."""

    job: JobRecord
    label: str
    course: Course
    spread: Spread


@dataclass(frozen=True, slots=True)
class Difference:
    """A member of the specs, as a JSON pointer, that is not the same in all of them.

    ``values`` has one for each job, None also where a job has no such member.
    """

    pointer: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """The mean of several jobs' best values with its standard deviation (n - 1), at places ``x``.

    Only where all of the jobs have a value.
    """

    x: tuple[float, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Repeats:
    """Jobs that differ only in their seed, and the band of their courses over each of `AXES`.

    ``final`` is the mean of their best values, with its ``deviation`` (n - 1).
    """

    jobs: tuple[str, ...]
    final: float
    deviation: float
    bands: Mapping[str, Band]


def compared(results: JobResults) -> ComparedJob:
    """Return what a comparison shows of a job. Its curves are not needed."""
    scores = sorted(score for _, score in results.ranked)
    shares = [(score, (i + 1) / len(scores)) for i, score in enumerate(scores)]
    points = thinned(shares, MOST_POINTS)
    spread = Spread(tuple(v for v, _ in points), tuple(share for _, share in points))
    return ComparedJob(results.job, results.metric.label, course_of(results), spread)


def course_of(results: JobResults) -> Course:
    """Return how the best value grew, in the order in which trials ended.

    A configuration has its value once all of its trials have ended.
    """
    better = max if results.metric.mode == "max" else min
    best: float | None = None
    epochs, waiting = 0, {one.trial.number: one.n for one in results.ranking.configurations}
    points: list[tuple[int, int, float, float]] = []
    ended = _ended(results)
    for place, trial in enumerate(ended, start=1):
        epochs += trial.epochs
        value = best
        one = results.ranking.by_trial.get(trial.number)
        if one is not None:
            waiting[one.trial.number] -= 1
            if waiting[one.trial.number] == 0:
                value = one.value if best is None else better(best, one.value)
        is_last = place == len(ended)
        if value is not None and (value != best or is_last):
            points.append((place, epochs, _since_start(results, trial), value))
        best = value
    return Course(*zip(*thinned(points, MOST_POINTS), strict=True)) if points else Course()


def _ended(results: JobResults) -> list[TrialRecord]:
    rows = [(t.finished_at, t.number, t) for t in results.trials
            if t.state.is_finished and t.finished_at is not None]  # fmt: skip
    return [trial for _, _, trial in sorted(rows, key=lambda row: row[:2])]


def _since_start(results: JobResults, trial: TrialRecord) -> float:
    started, ended = results.job.started_at, trial.finished_at
    if not started or not ended:
        return 0.0
    rested = sum(rest.seconds(ended) for rest in results.rests)
    return max(0.0, (ended - started).total_seconds() - rested)


# --- what differs -------------------------------------------------------------------------------


def differences(jobs: Sequence[JobRecord]) -> list[Difference]:
    """Return the members that differ among the jobs' specs, without names, tags and sources."""
    specs = [job.spec.to_json() for job in jobs]
    found: list[Difference] = []
    for name in dict.fromkeys(name for spec in specs for name in spec if name not in _NAMES):
        found += _different((name,), [spec.get(name, _ABSENT) for spec in specs])
    return found


def _different(place: tuple[str, ...], values: Sequence[Any]) -> list[Difference]:
    """Return the value at ``place`` if it differs, or its own members, one level down."""
    if len({_canonical(value) for value in values}) == 1:
        return []
    if len(place) == 1 and all(isinstance(value, Mapping) for value in values):
        members = dict.fromkeys(name for value in values for name in value)
        return [
            one
            for name in members
            for one in _different((*place, name), [value.get(name, _ABSENT) for value in values])
        ]
    given = (None if value is _ABSENT else value for value in values)
    return [Difference(pointer_to(*place), tuple(given))]


def _canonical(value: Any) -> str:
    return "" if value is _ABSENT else json.dumps(value, sort_keys=True)


# --- repeats ------------------------------------------------------------------------------------


def repeats(jobs: Iterable[ComparedJob]) -> list[Repeats]:
    """Return the groups of two or more jobs that differ only in their seed and have a value."""
    groups: dict[str, list[ComparedJob]] = {}
    for one in jobs:
        spec = {k: v for k, v in one.job.spec.to_json().items() if k not in _REPEATED}
        if one.course.best:
            groups.setdefault(_canonical(spec), []).append(one)
    return [_repeats(group) for group in groups.values() if len(group) > 1]


def _repeats(group: Sequence[ComparedJob]) -> Repeats:
    final = [one.course.best[-1] for one in group]
    bands = {axis: band([one.course for one in group], axis) for axis in AXES}
    ids = tuple(one.job.id for one in group)
    return Repeats(ids, exact_mean(final), deviation_of(final) or 0.0, bands)


def band(courses: Sequence[Course], axis: str) -> Band:
    """Return the mean of the courses over one of `AXES`, from where all have begun to have a value.

    It ends where the first of them ends.
    """
    lines: list[tuple[Sequence[float], Sequence[float]]] = [
        (getattr(course, axis), course.best) for course in courses
    ]
    first, last = max(x[0] for x, _ in lines), min(x[-1] for x, _ in lines)
    places = sorted({x for line, _ in lines for x in line if first <= x <= last})
    rows = []
    for place in thinned(places, MOST_POINTS):
        values = [best[bisect_right(x, place) - 1] for x, best in lines]
        rows.append((place, exact_mean(values), deviation_of(values) or 0.0))
    return Band(*zip(*rows, strict=True)) if rows else Band((), (), ())
