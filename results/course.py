"""The course of one trial over its epochs, in words that quote its curves."""

from __future__ import annotations

from results.analysis import (
    DISTANCE,
    CurvePoint,
    Gap,
    JobResults,
    curve_points,
    summarize_curve,
    train_test_gap,
)
from results.records import Curve, TrialRecord
from results.wording import EQUAL, EXTREME, apart, in_sentence, listing, number


def course(results: JobResults, best: TrialRecord) -> list[str]:
    """Return what the trial's curves did, a paragraph each; empty where there is nothing to say."""
    curve = results.curves.get(best.number)
    if curve is None:
        return []
    if len(curve.epochs) == 1:
        return ["Only one epoch was reported, so there is no course over the epochs to describe."]
    gap = train_test_gap(results, curve)
    pair = set() if gap is None else {gap.train_metric.name, gap.test_metric.name}
    told = pair | {results.metric.name, DISTANCE}
    moved = [_moved(results, curve, n) for n in results.metric_names if n not in told]
    return [
        "" if results.metric.name in pair else _declared_course(results, curve),
        " ".join(filter(None, moved)),
        "" if gap is None else _gap_course(gap),
        _distance_course(results, curve),
    ]


def _declared_course(results: JobResults, curve: Curve) -> str:
    summary = summarize_curve(curve, results.metric)
    if summary is None or summary.best is None:
        return ""
    name, first, last, top = in_sentence(results.metric), summary.first, summary.last, summary.best
    extreme = EXTREME[results.metric.mode]
    text = f"Its {name} was {number(first.value)} after epoch {first.epoch} and {extreme}"
    if top.epoch == last.epoch:
        return f"{text} in the last epoch, {last.epoch} ({number(last.value)})."
    text += f" at epoch {top.epoch} ({number(top.value)}); it ended at {number(last.value)}"
    text += f" after epoch {last.epoch}, {apart(last.value, top.value)}."
    return text + _test_at(results, curve, top)


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
    return f"Its {in_sentence(info)} {_went(summary.first, summary.last)}."


def _went(first: CurvePoint, last: CurvePoint) -> str:
    if abs(first.value - last.value) < EQUAL * abs(first.value):
        return f"stayed at {number(last.value)} from epoch {first.epoch} to {last.epoch}"
    verb = "fell" if last.value < first.value else "rose"
    return (
        f"{verb} from {number(first.value)} after epoch {first.epoch}"
        f" to {number(last.value)} after epoch {last.epoch}"
    )


def _gap_course(gap: Gap) -> str:
    test, train = in_sentence(gap.test_metric), in_sentence(gap.train_metric)
    stations = list(dict.fromkeys([gap.start, gap.best, gap.end]))
    trained = [f"{number(p.train)} at epoch {p.epoch}" for p in stations]
    gaps = [f"{number(p.gap)} at epoch {p.epoch}" for p in stations]
    text = f"The {test} was {EXTREME[gap.test_metric.mode]} at epoch {gap.best.epoch}"
    text += f" ({number(gap.best.test)})"
    if gap.end != gap.best:
        text += f"; it ended at {number(gap.end.test)} after epoch {gap.end.epoch}"
        text += f", {apart(gap.end.test, gap.best.test)}"
    text += f". The {train} was {listing(trained)}."
    text += f" The difference between them, test minus training, was {listing(gaps)}."
    return text + _overfitting(gap)


def _overfitting(gap: Gap) -> str:
    sign = -1 if gap.test_metric.mode == "max" else 1
    worse = sign * (gap.end.test - gap.best.test) > EQUAL
    better = sign * (gap.best.train - gap.end.train) > 0
    if gap.end == gap.best:
        return " Test performance was at its best in the last epoch: it had not begun to worsen."
    if worse and better:
        return (
            f" From epoch {gap.best.epoch} to {gap.end.epoch} the model improved on the training"
            " data and got worse on the test data, which is overfitting."
        )
    return ""


def _distance_course(results: JobResults, curve: Curve) -> str:
    info = results.info(DISTANCE)
    summary = summarize_curve(curve, info)
    if summary is None:
        return ""
    text = f"The {in_sentence(info)} {_went(summary.first, summary.last)}"
    if summary.last.value < summary.first.value:
        text += f", {100 * summary.last.value / summary.first.value:.1f} % of what it was"
    top = summary.best
    if top is not None and top.epoch not in (summary.first.epoch, summary.last.epoch):
        text += f"; it was smallest at epoch {top.epoch} ({number(top.value)})"
    return text + "."
