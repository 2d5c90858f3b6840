"""One metric over the epochs, a line per trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.analysis import DISTANCE, JobResults
from results.comparison import describe_trial, name_of
from results.curve_shape import CurvePoint, curve_points
from results.formatting import count
from results.plots import style
from results.plots.plot import Plot, PlotInfo
from results.plots.scales import Scale, collapsed
from results.records import TrialRecord
from results.states import TrialState
from results.wording import axis_label, capitalized, in_sentence, listing
from trainables.contract import Metric

#: Up to this many trials each get a style and a label; of more, only the best does.
MOST_LABELLED = 8
#: Columns of pixels of a line that is drawn at the size of a page; its PNG has about 1,700.
_COLUMNS = 1000


#: How the lines of many trials are drawn, by how a trial ended: dashes, and their name.
DRAWN = {"": ("-", "solid"), "ended early": ("--", "dashed"), "failed": (":", "dotted")}


def kind_of(trial: TrialRecord) -> str:
    """Return ``ended early`` or ``failed`` for such a trial, "" for another one.

    A paused trial counts as one that ended early: it may never go on.
    """
    if trial.state in (TrialState.STOPPED, TrialState.PAUSED):
        return "ended early"
    return "failed" if trial.state is TrialState.FAILED else ""


@dataclass(frozen=True, slots=True)
class MetricCurves:
    """What a plot of one metric shows.

    ``points`` are those of the trials drawn, by number. ``outside`` are the trials that leave the
    scale, because they collapsed or diverged.
    """

    metric: Metric
    points: dict[int, list[CurvePoint]]
    scale: Scale
    outside: tuple[int, ...]


def metric_curves(results: JobResults, metric: str) -> MetricCurves | None:
    """Choose trials and scale for a metric; None if no trial has a value that may be shown.

    A test metric is drawn for the selected trial only (:meth:`JobResults.shows_all`).
    """
    info, best = results.info(metric), results.best
    points = {n: p for n in sorted(results.curves) if (p := _points(results, n, metric))}
    if not results.shows_all(info):
        points = {n: p for n, p in points.items() if best is not None and n == best.number}
    if not points:
        return None
    values = {n: [point.value for point in p] for n, p in points.items()}
    # Of many trials that ended early, the few others would limit the axis to themselves.
    sound = {
        t.number
        for t in results.trials
        if t.state is TrialState.SUCCEEDED or kind_of(t) == "ended early"
    }
    judged = [n for n in points if n in sound] or list(points)
    left_out = collapsed({n: values[n][-1] for n in judged}, info.mode)
    within = [value for n in judged if n not in left_out for value in values[n]]
    scale = Scale.of(within, info.mode, log=metric == DISTANCE)
    outside = tuple(n for n in points if scale.leaves_out(values[n]))
    return MetricCurves(info, points, scale, outside)


def _points(results: JobResults, number: int, metric: str) -> list[CurvePoint]:
    """Return a trial's points, of one that went on from another trial with the point there."""
    points = curve_points(results.curves[number], metric)
    trial = results.trial(number)
    if not points or trial is None or trial.parent is None:
        return points
    parent = results.curves.get(trial.parent)
    before = [] if parent is None else curve_points(parent, metric)
    return [*(point for point in before if point.epoch == trial.start_epoch), *points]


def curve_plots(results: JobResults) -> Iterator[Plot]:
    """Yield a plot for each metric that has a value."""
    for name in results.metric_names:
        curves = metric_curves(results, name)
        if curves is not None:
            info = PlotInfo(name, curves.metric.label, _caption(results, curves))
            yield Plot(info, partial(draw_curves, results=results, curves=curves))


def _caption(results: JobResults, curves: MetricCurves) -> str:
    info, drawn = curves.metric, len(curves.points)
    during = "during each epoch, mean over its samples as they are trained on"
    of = count(drawn, "trial")
    if len(results.shown) < len(results.trials):
        of = f"{drawn} of {len(results.trials)} trials, the best among them"
    if not results.shows_all(info):
        of = "the selected trial only"
    caption = f"{capitalized(in_sentence(info))}"
    caption += f" {during if info.measured == 'during' else 'after each epoch'}, {of}"
    caption += ", logarithmic axis." if curves.scale.log else "."
    if drawn > MOST_LABELLED:
        if results.best is not None and results.best.number in curves.points:
            caption += " The best one is blue, in front of the others in gray."
        ended = {kind_of(trial) for trial in results.trials if trial.number in curves.points}
        said = [f"{kind} are {DRAWN[kind][1]}" for kind in DRAWN if kind and kind in ended]
        caption += f" Those that {listing(said)}." if said else ""
    copies = sum(t.parent is not None for t in results.trials if t.number in curves.points)
    if copies:
        caption += f" {count(copies, 'trial')} went on from another one, where its line begins."
    if curves.outside:
        named = (trial for trial in results.trials if trial.number in curves.outside[:4])
        names = [name_of(results, trial) for trial in named]
        more = len(curves.outside) - len(names)
        names += [count(more, "other")] if more else []
        caption += " The axis is limited to the other trials;"
        caption += f" it leaves out parts of {listing(names)}."
    return caption


def draw_curves(figure: Figure, results: JobResults, curves: MetricCurves) -> None:
    """Draw one metric over the epochs, the best trial in front."""
    axes = figure.add_subplot()
    if len(curves.points) <= MOST_LABELLED:
        _draw_labelled(axes, results, curves.points)
    else:
        _draw_crowd(axes, results, curves.points)
    curves.scale.set_on(axes, "y")
    style.whole_ticks(axes)
    style.finish(axes, "Epoch", axis_label(curves.metric))


def _draw_labelled(axes: Axes, results: JobResults, points: dict[int, list[CurvePoint]]) -> None:
    best = None if results.best is None else results.best.number
    trials = [trial for trial in results.trials if trial.number in points]
    # A trial looks the same in all plots of few trials; the best one has the first style.
    styled = results.trials if len(results.trials) <= MOST_LABELLED else trials
    styles = sorted((trial.number for trial in styled), key=lambda n: n != best)
    alone = len(results.trials) == 1
    for trial in trials:
        number, chosen = trial.number, trial.number == best and not alone
        described = describe_trial(results, trial) or ("" if alone else f"trial {number}")
        ended = kind_of(trial)
        label = style.plain(described) + " (best)" * chosen + (f" ({ended})" if ended else "")
        draw_line(axes, points[number], styles.index(number), label, 2.6 if chosen else 1.4)


def _draw_crowd(axes: Axes, results: JobResults, points: dict[int, list[CurvePoint]]) -> None:
    best = None if results.best is None else results.best.number
    for kind, (dashes, _) in DRAWN.items():
        others = [
            outline(points[trial.number])
            for trial in results.trials
            if trial.number in points and trial.number != best and kind_of(trial) == kind
        ]
        for index, line in enumerate(others):
            axes.plot(
                *zip(*line, strict=True),
                color=style.MUTED_COLOR,
                linestyle=dashes,
                linewidth=0.6,
                alpha=0.6,
                marker="." if len(line) == 1 else "",
                label="" if index else f"{count(len(others), 'trial')} {kind}".strip(),
            )
    if best in points:
        draw_line(axes, points[best], 0, f"trial {best} (best)", 2.6)


def draw_line(
    axes: Axes, points: Sequence[CurvePoint], index: int, label: str, width: float
) -> None:
    """Draw a line in one of the eight styles, with a legend's label; wide lines are in front."""
    line = outline(points)
    # About ten markers a line, shifted from line to line so that close curves stay apart.
    every = max(1, len(line) // 10)
    axes.plot(
        *zip(*line, strict=True),
        color=style.COLORS[index % len(style.COLORS)],
        linestyle=style.DASHES[index % len(style.DASHES)],
        marker=style.MARKERS[index % len(style.MARKERS)],
        markevery=(index * every // MOST_LABELLED % every, every),
        linewidth=width,
        label=label,
        zorder=2 + width / 10,
    )


def outline(points: Sequence[CurvePoint]) -> Sequence[CurvePoint]:
    """Return so few of very many points that the line still looks the same.

    Each column of pixels keeps its first, lowest, highest and last point.
    """
    if len(points) <= 4 * _COLUMNS:
        return points
    first, width = points[0].epoch, points[-1].epoch - points[0].epoch + 1
    kept: list[CurvePoint] = []
    for _, group in groupby(points, lambda point: (point.epoch - first) * _COLUMNS // width):
        column = list(group)
        lowest, highest = (pick(column, key=lambda point: point.value) for pick in (min, max))
        kept += sorted({column[0], lowest, highest, column[-1]})
    return kept
