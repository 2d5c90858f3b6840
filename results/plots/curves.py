"""Curves over the epochs: one metric of all trials, or one trial on all parts of the data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from results.analysis import DISTANCE, JobResults
from results.comparison import describe_trial
from results.curve_shape import CurvePoint, best_point, curve_points
from results.formatting import number
from results.plots.style import (
    COLORS,
    DASHES,
    MARKERS,
    MUTED_COLOR,
    legend_below,
    log_scale,
    plain,
)
from results.states import TrialState
from results.wording import EXTREME, axis_label, in_sentence
from trainables.contract import Metric

#: Up to this many trials each get a style and a label; of more, only the best does.
MOST_LABELLED = 8

_SPLITS = ("train", "validation", "test")
#: Columns of pixels of a line that is drawn at the size of a page; its PNG has about 1,700.
_COLUMNS = 1000


def trials_with(results: JobResults, metric: str) -> list[int]:
    """Return the numbers of the trials that have a finite value of the metric."""
    return [number for number, c in sorted(results.curves.items()) if curve_points(c, metric)]


def spans_decades(values: Iterable[float], mode: str) -> bool:
    """Whether positive values reach so far that they want a logarithmic axis.

    For a loss or an error (``mode`` "min") that is one decade, on a linear axis a curve that falls
    at once and is flat ever after; for anything else two.
    """
    kept = list(values)
    return bool(kept) and min(kept) > 0 and max(kept) / min(kept) >= (10 if mode == "min" else 100)


def collapsed(values: Mapping[int, float], mode: str) -> set[int]:
    """Return those whose values lie so far off that the others would be pressed flat.

    They are a minority at the worse end, beyond a gap of more than three times the range of the
    rest and a tenth of its size.
    """
    worst_last = sorted(values, key=lambda key: values[key], reverse=mode == "max")
    for kept in range(len(worst_last) // 2 + 1, len(worst_last)):
        inner = [values[key] for key in worst_last[:kept]]
        gap = abs(values[worst_last[kept]] - inner[-1])
        if gap > max(3 * (max(inner) - min(inner)), 0.1 * max(map(abs, inner))):
            return set(worst_last[kept:])
    return set()


@dataclass(frozen=True, slots=True)
class MetricAxis:
    """One metric's curves and the axis that they want: what is drawn, and what a caption says.

    ``trials`` are drawn; ``low`` and ``high`` are the axis's limits; ``outside`` are the trials
    that leave it, for they collapsed or diverged.
    """

    metric: str
    trials: tuple[int, ...]
    log: bool
    low: float
    high: float
    outside: tuple[int, ...]


def metric_axis(results: JobResults, metric: str) -> MetricAxis | None:
    """Choose trials and limits for a metric; None where there is nothing that may be shown.

    A test metric is drawn for the selected trial only (:meth:`JobResults.shows_all`).
    """
    info, best = results.info(metric), results.best
    numbers = trials_with(results, metric)
    if not results.shows_all(info):
        numbers = [n for n in numbers if best is not None and n == best.number]
    if not numbers:
        return None
    succeeded = {t.number for t in results.trials if t.state is TrialState.SUCCEEDED}
    shown = [n for n in numbers if n in succeeded] or numbers
    points = {n: [p.value for p in curve_points(results.curves[n], metric)] for n in numbers}
    left_out = collapsed({n: points[n][-1] for n in shown}, info.mode)
    values = [value for n in shown if n not in left_out for value in points[n]]
    low, high = min(values), max(values)
    log = low > 0 and (metric == DISTANCE or spans_decades(values, info.mode))
    outside = [n for n in numbers if min(points[n]) < low or max(points[n]) > high]
    return MetricAxis(metric, tuple(numbers), log, low, high, tuple(outside))


def draw_metric(figure: Figure, results: JobResults, shown: MetricAxis) -> None:
    """Draw one metric over the epochs, the best trial in front."""
    axes = figure.add_subplot()
    if len(shown.trials) <= MOST_LABELLED:
        _draw_labelled(axes, results, shown.metric, shown.trials)
    else:
        _draw_crowd(axes, results, shown.metric, shown.trials)
    _limit(axes, shown)
    _label(axes, axis_label(results.info(shown.metric)))
    if axes.get_legend_handles_labels()[1]:
        legend_below(axes, _columns(axes))


def _limit(axes: Axes, shown: MetricAxis) -> None:
    low, high = shown.low, shown.high
    if shown.log:
        log_scale(axes, "y")
        factor = (high / low) ** 0.05 if high > low else 1.05
        axes.set_ylim(low / factor, high * factor)
    else:
        margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.05
        axes.set_ylim(low - margin, high + margin)


def _draw_labelled(axes: Axes, results: JobResults, metric: str, numbers: Sequence[int]) -> None:
    best = results.best
    styles = sorted(results.trials, key=lambda trial: best is None or trial.number != best.number)
    for trial in results.trials:
        if trial.number not in numbers:
            continue
        described = plain(describe_trial(results, trial))
        chosen = best is not None and trial.number == best.number and len(results.trials) > 1
        _line(
            axes,
            curve_points(results.curves[trial.number], metric),
            styles.index(trial),
            label=f"{described} (best)" if chosen else described,
            width=2.6 if chosen else 1.4,
            front=chosen,
        )


def _line(
    axes: Axes, points: Sequence[CurvePoint], index: int, *, label: str, width: float, front: bool
) -> None:
    points = outline(points)
    # Markers about ten to a line, shifted from line to line so that close curves stay apart.
    every = max(1, len(points) // 10)
    axes.plot(
        [point.epoch for point in points],
        [point.value for point in points],
        color=COLORS[index % len(COLORS)],
        linestyle=DASHES[index % len(DASHES)],
        marker=MARKERS[index % len(MARKERS)],
        markevery=(index * every // MOST_LABELLED % every, every),
        linewidth=width,
        label=label,
        zorder=3 if front else 2,
    )


def outline(points: Sequence[CurvePoint]) -> Sequence[CurvePoint]:
    """Return fewer points through which the line looks the same, of so many that it would not.

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


def _draw_crowd(axes: Axes, results: JobResults, metric: str, numbers: Sequence[int]) -> None:
    best = results.best
    others = [n for n in numbers if best is None or n != best.number]
    for index, trial in enumerate(others):
        points = outline(curve_points(results.curves[trial], metric))
        axes.plot(
            [point.epoch for point in points],
            [point.value for point in points],
            color=MUTED_COLOR,
            linewidth=0.6,
            alpha=0.6,
            marker="." if len(points) == 1 else "",
            label="" if index else f"{len(others)} trials",
        )
    if best is not None and best.number in numbers:
        points = curve_points(results.curves[best.number], metric)
        _line(axes, points, 0, label=f"trial {best.number} (best)", width=2.6, front=True)


def _label(axes: Axes, label: str) -> None:
    axes.set_xlabel("Epoch")
    axes.set_ylabel(plain(label))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))


def _columns(axes: Axes) -> int:
    longest = max(len(label) for label in axes.get_legend_handles_labels()[1])
    return max(1, min(3, 100 // (longest + 10)))


# --- one trial, several parts of the data ---------------------------------------------------


def split_groups(results: JobResults) -> dict[str, list[str]]:
    """Return metrics that measure one thing on several parts of the data, by what they measure.

    ``train_rmse`` and ``test_rmse`` are ``{"rmse": ["train_rmse", "test_rmse"]}``.
    """
    groups: dict[str, list[str]] = {}
    for split in _SPLITS:
        for name in results.metric_names:
            if name.startswith(f"{split}_"):
                groups.setdefault(name.removeprefix(f"{split}_"), []).append(name)
    names = results.metric_names
    return {k: found for k, found in groups.items() if len(found) > 1 and k not in names}


def marked_metric(results: JobResults, metrics: Sequence[str]) -> Metric | None:
    """Return the metric whose best epoch is marked: held out, of a known direction.

    That is the validation metric; a test metric only where the job has no validation metric.
    """
    infos = [results.info(name) for name in metrics]
    held_out = [info for info in infos if info.split in ("validation", "test")]
    return next((info for info in held_out if results.may_mark_best(info)), None)


def mark_label(info: Metric) -> str:
    """Name the mark: ``highest validation accuracy``, ``lowest test RMSE (for reference)``."""
    aside = " (for reference)" if info.split == "test" else ""
    return f"{EXTREME[info.mode]} {in_sentence(info)}{aside}"


def draw_splits(figure: Figure, results: JobResults, trial: int, metrics: Sequence[str]) -> None:
    """Draw one trial's metrics in one pair of axes, and mark the best of :func:`marked_metric`."""
    axes = figure.add_subplot()
    curve = results.curves[trial]
    for index, name in enumerate(metrics):
        label = plain(results.info(name).label)
        _line(axes, curve_points(curve, name), index, label=label, width=1.6, front=False)
    marked = marked_metric(results, metrics)
    best = None if marked is None else best_point(curve_points(curve, marked.name), marked.mode)
    if marked is not None and best is not None:
        axes.axvline(best.epoch, color=MUTED_COLOR, linewidth=1, linestyle=":", zorder=1)
        axes.plot(
            *best,
            marker="o",
            markersize=9,
            fillstyle="none",
            color="black",
            linestyle="",
            label=f"{mark_label(marked)}: epoch {best.epoch}, {number(best.value)}",
        )
    if splits_want_log(results, trial, metrics):
        log_scale(axes, "y")
    info = results.info(metrics[0])
    measured = quantity(metrics[0].partition("_")[2])
    _label(axes, f"{measured} [{info.unit}]" if info.unit else measured)
    legend_below(axes, _columns(axes))


def splits_want_log(results: JobResults, trial: int, metrics: Sequence[str]) -> bool:
    """Whether one trial's metrics together want a logarithmic axis."""
    curve = results.curves[trial]
    values = [point.value for name in metrics for point in curve_points(curve, name)]
    return spans_decades(values, results.info(metrics[0]).mode)


def quantity(suffix: str) -> str:
    """Name what a metric measures, without its split: ``RMSE``, ``Accuracy``."""
    return suffix.upper() if len(suffix) <= 4 else suffix.replace("_", " ").capitalize()
