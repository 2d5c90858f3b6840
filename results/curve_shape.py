"""The shape of one trial's curves: best points, the gap to held-out data, and both in sentences.

Values that are not finite are left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from results.analysis import JobResults
from results.formatting import number
from results.records import Curve, TrialRecord
from results.wording import (
    EXTREME,
    apart,
    in_sentence,
    listing,
    same_as_written,
    split_and_quantity,
)
from trainables.contract import Metric


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
    """Return the finite points of one metric's curve, by epoch; some epochs may have none."""
    values = curve.metrics.get(metric, ())
    pairs = zip(curve.epochs, values, strict=False)
    return [CurvePoint(epoch, v) for epoch, v in pairs if v is not None and math.isfinite(v)]


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


class Gap(NamedTuple):
    """One quantity on training and on held-out data, and their values (both) by epoch."""

    train: Metric
    held_out: Metric
    values: dict[int, tuple[float, float]]


def held_out_gap(results: JobResults, curve: Curve) -> Gap | None:
    """Return the first quantity that has values on training and on held-out data.

    Held out is the validation data, or the test data where there is no such validation metric.
    None where there is no such pair, or the better direction is unknown.
    """
    found: dict[tuple[str, str], str] = {}
    for name in curve.metrics:
        found.setdefault(split_and_quantity(name), name)
    for name in results.metric_names:
        split, quantity = split_and_quantity(name)
        held_out = found.get(("validation", quantity)) or found.get(("test", quantity))
        if split != "train" or held_out is None:
            continue
        info, trained = results.info(held_out), dict(curve_points(curve, name))
        points = curve_points(curve, held_out)
        values = {epoch: (trained[epoch], value) for epoch, value in points if epoch in trained}
        if values and info.mode:
            return Gap(results.info(name), info, values)
    return None


# --- in sentences ---------------------------------------------------------------------------


def describe_curves(results: JobResults, trial: TrialRecord) -> list[str]:
    """Return a paragraph on the declared metric and one on the gap, where there is one to write.

    Nothing is written about a single epoch.
    """
    curve = results.curve_of(trial.number)
    if curve is None or len(curve.epochs) == 1:
        return []
    gap = held_out_gap(results, curve)
    in_gap = gap is not None and results.metric.name in (gap.train.name, gap.held_out.name)
    texts = ["" if in_gap else _describe_declared(results, curve)]
    return [text for text in [*texts, _describe_gap(gap) if gap else ""] if text]


def _describe_declared(results: JobResults, curve: Curve) -> str:
    points = curve_points(curve, results.metric.name)
    best = best_point(points, results.metric.mode)
    if best is None:
        return ""
    text = _best_and_last(results.metric, points)
    if results.metric.split != "validation" or best == points[-1]:
        return text
    for info in map(results.info, curve.metrics):
        then = dict(curve_points(curve, info.name)).get(best.epoch)
        if info.split == "test" and then is not None:
            text += f" The {in_sentence(info)} at epoch {best.epoch} was {number(then)}."
    return text


def _best_and_last(info: Metric, points: list[CurvePoint]) -> str:
    best, last, name = best_point(points, info.mode), points[-1], in_sentence(info)
    if best is None or all(same_as_written(point.value, last.value) for point in points):
        return f"The {name} stayed at {number(last.value)}."
    text = f"The {name} was {EXTREME[info.mode]} at epoch {best.epoch} ({number(best.value)})"
    if best.epoch == last.epoch:
        return f"{text}, the last one."
    return f"{text} and ended at {number(last.value)}, {apart(last.value, best.value)}."


def _describe_gap(gap: Gap) -> str:
    points = [CurvePoint(epoch, held_out) for epoch, (_, held_out) in gap.values.items()]
    sign = -1 if gap.held_out.mode == "max" else 1
    best = min(points, key=lambda point: sign * point.value).epoch
    gaps = {epoch: held_out - train for epoch, (train, held_out) in gap.values.items()}
    closest = min(gaps, key=lambda epoch: abs(gaps[epoch]))
    shown = sorted({points[0].epoch, closest, best, points[-1].epoch})
    written = listing([f"{number(gaps[epoch])} at epoch {epoch}" for epoch in shown])
    text = _best_and_last(gap.held_out, points)
    text += f" The {in_sentence(gap.held_out)} minus the {in_sentence(gap.train)} was {written};"
    text += f" they were closest at epoch {closest}."
    late = list(gap.values)[-max(2, len(points) // 10) :]
    if all(epoch > best and _parts(gap, best, epoch) for epoch in late):
        text += f" In each of the last {len(late)} epochs the model was better on the training data"
        text += f" and worse on the {gap.held_out.split} data than at epoch {best}."
        text += " That may be overfitting, or the effect of a few samples that weigh heavily."
    return text


def _parts(gap: Gap, best: int, later: int) -> bool:
    """Whether training got better and held-out performance worse, by what a reader can see."""
    (train, held_out), (later_train, later_held_out) = gap.values[best], gap.values[later]
    sign = -1 if gap.held_out.mode == "max" else 1
    pairs = ((later_train, train), (held_out, later_held_out))
    return all(sign * (a - b) < 0 and not same_as_written(a, b) for a, b in pairs)
