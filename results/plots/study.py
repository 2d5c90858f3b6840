"""A search seen as an Optuna study: its history, its coordinates and what mattered.

The study is rebuilt from our own records; Optuna computes the importances only. Its plots are not
used: they go through pyplot, which is not safe in threads.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from results.analysis import MOST_SHOWN, JobResults
from results.comparison import value_key
from results.formatting import parameter_value
from results.study import make_study
from search_spaces import Choice, Domain, Range

#: Fewer scored trials than this say nothing of what mattered.
FEWEST_TRIALS = 10


class HistoryPoint(NamedTuple):
    """A trial's score and the best score up to it."""

    trial: int
    score: float
    best: float


def history(results: JobResults) -> list[HistoryPoint]:
    """Return the scored trials by number with the running best."""
    pick = max if results.metric.mode == "max" else min
    points: list[HistoryPoint] = []
    for trial in results.trials:
        score = results.score(trial)
        if score is not None:
            best = pick(score, points[-1].best) if points else score
            points.append(HistoryPoint(trial.number, score, best))
    return points


@dataclass(frozen=True, slots=True)
class Coordinate:
    """One axis of a parallel-coordinates plot.

    ``places`` gives each ranked trial (best first) its place from 0 to 1, None where the parameter
    did not apply; ``ticks`` are places with their labels. ``is_listed``: the places are few.
    """

    name: str
    places: tuple[float | None, ...]
    ticks: tuple[tuple[float, str], ...]
    is_listed: bool


def coordinates(results: JobResults) -> list[Coordinate]:
    """Return an axis for each varied parameter of the ranked trials, of many the best."""
    ranked = [trial.parameters for trial, _ in results.ranked[:MOST_SHOWN]]
    names = [name for name in results.varied if any(name in p for p in ranked)]
    return [_coordinate(results, name, [p.get(name) for p in ranked]) for name in names]


def _coordinate(results: JobResults, name: str, values: Sequence[Any]) -> Coordinate:
    domain = _domain(results, name)
    present = [value for value in values if value is not None]
    if not isinstance(domain, Range):
        return _listed(name, values, present)
    scale = math.log if domain.log else float
    low, high = min(present), max(present)
    width = scale(high) - scale(low) or 1.0

    def place(value: float) -> float:
        return (scale(value) - scale(low)) / width

    middle = math.sqrt(low * high) if domain.log else (low + high) / 2
    ticks = tuple((place(v), f"{v:.3g}") for v in dict.fromkeys((low, middle, high)))
    places = tuple(None if v is None else place(v) for v in values)
    return Coordinate(name, places, ticks, is_listed=False)


def _listed(name: str, values: Sequence[Any], present: Sequence[Any]) -> Coordinate:
    distinct = {value_key(value): value for value in present}
    if all(isinstance(value, int | float) for value in present):
        distinct = dict(sorted(distinct.items(), key=lambda item: item[1]))
    step = 1 / max(1, len(distinct) - 1)
    place = {key: index * step for index, key in enumerate(distinct)}
    ticks = tuple((place[key], parameter_value(value)) for key, value in distinct.items())
    return Coordinate(name, tuple(place.get(value_key(v)) for v in values), ticks, is_listed=True)


def _domain(results: JobResults, name: str) -> Domain | None:
    return results.space.parameters.get(name)


def importances(results: JobResults) -> dict[str, float]:
    """Return how much each varied parameter decided whether a trial was among the best; sums to 1.

    PED-ANOVA (Watanabe, Bansal and Hutter, IJCAI 2023) compares how the best tenth of the trials
    (at least five) are spread over a parameter with how all are. A parameter that fewer than two
    trials had, or lacked, is left out. Empty where :func:`has_importances` is false.
    """
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    if not has_importances(results):
        return {}
    trials = [trial for trial, _ in results.ranked]
    evaluator = PedAnovaImportanceEvaluator(target_quantile=_quantile(len(trials)))
    shares: dict[str, float] = get_param_importances(
        make_study(results.space, trials),
        evaluator=evaluator,
        params=_comparable_parameters(results),
    )
    return shares


def has_importances(results: JobResults) -> bool:
    """Whether there are enough trials and parameters, and the best trials are not simply all."""
    scores = [score for _, score in results.ranked]
    if len(scores) < FEWEST_TRIALS or len(_comparable_parameters(results)) < 2:
        return False
    cutoff = scores[math.ceil(_quantile(len(scores)) * len(scores)) - 1]
    return cutoff != scores[-1]


def _quantile(trials: int) -> float:
    return max(0.1, 5 / trials)


def _comparable_parameters(results: JobResults) -> list[str]:
    ranked = [trial.parameters for trial, _ in results.ranked]
    drawn = [n for n in results.varied if isinstance(_domain(results, n), Choice | Range)]
    counts = {name: sum(name in p for p in ranked) for name in drawn}
    return [name for name, n in counts.items() if n >= 2 and len(ranked) - n != 1]
