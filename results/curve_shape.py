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
from results.wording import EXTREME, apart, in_sentence, listing, same_as_written
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
    """One quantity on training and on held-out data; ``points`` are by epoch, at least one."""

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
    """Return the first quantity that was reported on training and on held-out data.

    That is ``train_x`` with ``validation_x``, or with ``test_x`` where there is no such validation
    metric. None where neither pair was reported, or the better direction is unknown.
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


# --- in sentences ---------------------------------------------------------------------------


def describe_curves(results: JobResults, trial: TrialRecord) -> list[str]:
    """Return a paragraph on the declared metric and one on the gap, where there is one to write.

    Nothing is written about a single epoch.
    """
    curve = results.curves.get(trial.number)
    if curve is None or len(curve.epochs) == 1:
        return []
    gap = held_out_gap(results, curve)
    paragraphs = [] if gap is None else [_describe_gap(gap)]
    if gap is None or results.metric.name not in (gap.train_metric.name, gap.held_out_metric.name):
        paragraphs.insert(0, _describe_declared(results, curve))
    return list(filter(None, paragraphs))


def _describe_declared(results: JobResults, curve: Curve) -> str:
    points = curve_points(curve, results.metric.name)
    best = best_point(points, results.metric.mode)
    if best is None:
        return ""
    text = _best_and_last(results.metric, points)
    if results.metric.split != "validation" or best == points[-1]:
        return text
    tests = [results.info(name) for name in curve.metrics if results.info(name).split == "test"]
    for info in tests:
        then = dict(curve_points(curve, info.name)).get(best.epoch)
        if then is not None:
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
    start, best, end = gap.points[0], gap.best, gap.points[-1]
    text = _best_and_last(
        gap.held_out_metric, [CurvePoint(point.epoch, point.held_out) for point in gap.points]
    )
    shown = sorted({start, gap.narrowest, best, end})
    written = [f"{number(point.gap)} at epoch {point.epoch}" for point in shown]
    held_out, train = in_sentence(gap.held_out_metric), in_sentence(gap.train_metric)
    text += f" The {held_out} minus the {train} was {listing(written)};"
    text += f" they were closest at epoch {gap.narrowest.epoch}."
    late = gap.points[-max(2, len(gap.points) // 10) :]
    if all(point.epoch > best.epoch and _parts_from(gap, point) for point in late):
        text += f" In each of the last {len(late)} epochs the model was better on the training data"
        text += f" and worse on the {gap.held_out_metric.split} data than at epoch {best.epoch}."
        text += " That may be overfitting, or the effect of a few samples that weigh heavily."
    return text


def _parts_from(gap: Gap, later: GapPoint) -> bool:
    """Whether training is better and held-out performance worse than at the best, as written."""
    best, sign = gap.best, -1 if gap.held_out_metric.mode == "max" else 1
    pairs = ((later.train, best.train), (best.held_out, later.held_out))
    return all(sign * (a - b) < 0 and not same_as_written(a, b) for a, b in pairs)
