"""The course of one trial over its epochs, in words that quote its curves."""

from __future__ import annotations

from collections.abc import Sequence

from results.analysis import (
    DISTANCE,
    CurvePoint,
    Gap,
    GapPoint,
    JobResults,
    curve_points,
    held_out_gap,
    summarize_curve,
)
from results.formatting import number
from results.records import Curve, TrialRecord
from results.wording import EXTREME, apart, capitalized, in_sentence, listing, same_as_written, when
from trainables.contract import Metric


def course(results: JobResults, best: TrialRecord) -> list[str]:
    """Return what the trial's curves did, a paragraph each; empty where there is nothing to say."""
    curve = results.curves.get(best.number)
    if curve is None:
        return []
    if len(curve.epochs) == 1:
        return ["Only one epoch was reported, so there is no course over the epochs to describe."]
    gap = held_out_gap(results, curve)
    pair = set() if gap is None else {gap.train_metric.name, gap.held_out_metric.name}
    told = pair | {results.metric.name, DISTANCE}
    moved = [_moved(results, curve, n) for n in results.metric_names if n not in told]
    return [
        "" if results.metric.name in pair else _declared_course(results, curve),
        " ".join(filter(None, moved)),
        "" if gap is None else _gap_course(gap),
        _distance_course(results, curve),
    ]


def _declared_course(results: JobResults, curve: Curve) -> str:
    info, summary = results.metric, summarize_curve(curve, results.metric)
    if summary is None or summary.best is None:
        return ""
    first, last, top = summary.first, summary.last, summary.best
    text = f"Its {in_sentence(info)} "
    if _is_constant([point.value for point in curve_points(curve, info.name)]):
        return f"{text}{_went(info, first, last)}."
    text += f"was {number(first.value)} {when(info, first.epoch)} and {EXTREME[info.mode]}"
    if top.epoch == last.epoch:
        return f"{text} in the last epoch, {last.epoch} ({number(last.value)})."
    text += f" at epoch {top.epoch} ({number(top.value)}); it ended at {number(last.value)}"
    text += f" {when(info, last.epoch)}, {apart(last.value, top.value)}."
    return text + _test_at(results, curve, top)


def _is_constant(values: Sequence[float]) -> bool:
    return all(same_as_written(value, values[0]) for value in values)


def _test_at(results: JobResults, curve: Curve, at: CurvePoint) -> str:
    if results.metric.split != "validation":
        return ""
    parts = []
    for name in results.metric_names:
        points = dict(curve_points(curve, name))
        if results.info(name).split == "test" and at.epoch in points:
            end = list(points)[-1]
            figures = f"{number(points[at.epoch])} at epoch {at.epoch} and {number(points[end])}"
            parts.append(f" The {in_sentence(results.info(name))} was {figures} at epoch {end}.")
    return "".join(parts)


def _moved(results: JobResults, curve: Curve, metric: str) -> str:
    info = results.info(metric)
    summary = summarize_curve(curve, info)
    if summary is None or info.split == "test":
        return ""
    text = f"Its {in_sentence(info)} {_went(info, summary.first, summary.last)}"
    return f"{text}{_during(info)}."


def _during(info: Metric) -> str:
    if info.measured != "during":
        return ""
    return " (mean over the epoch's samples as they are trained on, not of the model it ends with)"


def _went(info: Metric, first: CurvePoint, last: CurvePoint) -> str:
    if same_as_written(first.value, last.value):
        return f"was {number(last.value)} {when(info, first.epoch)} and {when(info, last.epoch)}"
    verb = "fell" if last.value < first.value else "rose"
    return (
        f"{verb} from {number(first.value)} {when(info, first.epoch)}"
        f" to {number(last.value)} {when(info, last.epoch)}"
    )


def _gap_course(gap: Gap) -> str:
    held_out, train = in_sentence(gap.held_out_metric), in_sentence(gap.train_metric)
    start, best, end = gap.points[0], gap.best, gap.points[-1]
    text = f"The {held_out} "
    if _is_constant([point.held_out for point in gap.points]):
        text += f"was {number(end.held_out)} throughout"
    else:
        text += f"was {EXTREME[gap.held_out_metric.mode]} at epoch {best.epoch}"
        text += f" ({number(best.held_out)})"
        if end != best:
            text += f"; it ended at {number(end.held_out)} after epoch {end.epoch}"
            text += f", {apart(end.held_out, best.held_out)}"
    trained = [f"{number(p.train)} at epoch {p.epoch}" for p in dict.fromkeys([start, best, end])]
    text += f". The {train} was {listing(trained)}."
    stations = sorted({start, gap.narrowest, best, end})
    gaps = [f"{number(point.gap)} at epoch {point.epoch}" for point in stations]
    split = gap.held_out_metric.split
    text += f" The difference between them, {split} minus training, was {listing(gaps)}"
    text += f"; it was narrowest at epoch {gap.narrowest.epoch}."
    return text + _overfitting(gap)


def _overfitting(gap: Gap) -> str:
    best, end = gap.best, gap.points[-1]
    name = capitalized(gap.held_out_metric.split)
    if end == best:
        return f" {name} performance was best in the last epoch."
    late = gap.points[-max(2, len(gap.points) // 10) :]
    if not all(point.epoch > best.epoch and _parts(gap, best, point) for point in late):
        return ""
    return (
        f" In each of the last {len(late)} epochs the model was better on the training data and"
        f" worse on the {name.lower()} data than at epoch {best.epoch}. Overfitting looks like"
        " this, but so do a few samples that weigh heavily: these figures do not tell which."
    )


def _parts(gap: Gap, best: GapPoint, later: GapPoint) -> bool:
    """Whether training got better and held-out performance worse, by what a reader can see."""
    pairs = ((later.train, best.train), (best.held_out, later.held_out))
    sign = -1 if gap.held_out_metric.mode == "max" else 1
    return all(sign * (a - b) < 0 and not same_as_written(a, b) for a, b in pairs)


def _distance_course(results: JobResults, curve: Curve) -> str:
    info = results.info(DISTANCE)
    summary = summarize_curve(curve, info)
    if summary is None:
        return ""
    first, last, top = summary.first, summary.last, summary.best
    text = f"The {in_sentence(info)} {_went(info, first, last)}"
    if 0 < last.value < first.value and not same_as_written(first.value, last.value):
        text += f", {100 * last.value / first.value:.1f} % of what it was"
    if top is not None and not any(same_as_written(top.value, end.value) for end in (first, last)):
        text += f"; it was smallest at epoch {top.epoch} ({number(top.value)})"
    return text + "."
