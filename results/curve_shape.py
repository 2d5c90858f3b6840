"""The shape of one trial's curves in sentences that quote them."""

from __future__ import annotations

from results.analysis import (
    CurvePoint,
    Gap,
    GapPoint,
    JobResults,
    best_point,
    curve_points,
    held_out_gap,
)
from results.formatting import number
from results.records import Curve, TrialRecord
from results.wording import EXTREME, apart, in_sentence, listing, same_as_written
from trainables.contract import Metric


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
