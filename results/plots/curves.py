"""Curves over the epochs: one metric of all trials, or one trial on all parts of the data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from results.analysis import CurvePoint, JobResults, best_point, curve_points
from results.comparison import describe_trial
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
from results.wording import axis_label, number

#: Up to this many trials each get a style and a label; of more, only the best does.
MOST_LABELLED = 8

_SPLITS = ("train", "validation", "test")


def trials_with(results: JobResults, metric: str) -> list[int]:
    """Return the numbers of the trials that have a finite value of the metric."""
    return [number for number, c in sorted(results.curves.items()) if curve_points(c, metric)]


def spans_decades(values: Iterable[float]) -> bool:
    """Whether positive values reach over two decades or more, and so want a logarithmic axis."""
    kept = list(values)
    return bool(kept) and min(kept) > 0 and max(kept) / min(kept) >= 100


def draw_metric(figure: Figure, results: JobResults, metric: str, *, log: bool) -> None:
    """Draw one metric of all trials over the epochs, the best trial in front."""
    axes = figure.add_subplot()
    numbers = trials_with(results, metric)
    if len(numbers) <= MOST_LABELLED:
        _draw_labelled(axes, results, metric, numbers)
    else:
        _draw_crowd(axes, results, metric, numbers)
    _limit_to_succeeded(axes, results, metric, numbers, log=log)
    _label(axes, axis_label(results.info(metric)))
    if axes.get_legend_handles_labels()[1]:
        legend_below(axes, _columns(axes))


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


def _draw_crowd(axes: Axes, results: JobResults, metric: str, numbers: Sequence[int]) -> None:
    best = results.best
    others = [n for n in numbers if best is None or n != best.number]
    for index, trial in enumerate(others):
        points = curve_points(results.curves[trial], metric)
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


def _limit_to_succeeded(
    axes: Axes, results: JobResults, metric: str, numbers: Sequence[int], *, log: bool
) -> None:
    # A diverging trial's last values would press all others flat.
    succeeded = {t.number for t in results.trials if t.state is TrialState.SUCCEEDED}
    shown = [n for n in numbers if n in succeeded] or list(numbers)
    values = [point.value for n in shown for point in curve_points(results.curves[n], metric)]
    if (log and max(values) > 0) or spans_decades(values):
        log_scale(axes, "y")
        return
    low, high = min(values), max(values)
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.05
    axes.set_ylim(low - margin, high + margin)


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


def draw_splits(figure: Figure, results: JobResults, trial: int, metrics: Sequence[str]) -> None:
    """Draw one trial's metrics in one pair of axes and mark the best held-out value of the last."""
    axes = figure.add_subplot()
    curve = results.curves[trial]
    for index, name in enumerate(metrics):
        label = plain(results.info(name).label)
        _line(axes, curve_points(curve, name), index, label=label, width=1.6, front=False)
    held_out = results.info(metrics[-1])
    best = best_point(curve_points(curve, held_out.name), held_out.mode)
    if best is not None:
        axes.axvline(best.epoch, color=MUTED_COLOR, linewidth=1, linestyle=":", zorder=1)
        axes.plot(
            *best,
            marker="o",
            markersize=9,
            fillstyle="none",
            color="black",
            linestyle="",
            label=f"best: epoch {best.epoch} ({number(best.value)})",
        )
    info = results.info(metrics[0])
    measured = quantity(metrics[0].partition("_")[2])
    _label(axes, f"{measured} [{info.unit}]" if info.unit else measured)
    legend_below(axes, len(metrics) + 1)


def quantity(suffix: str) -> str:
    """Name what a metric measures, without its split: ``RMSE``, ``Accuracy``."""
    return suffix.upper() if len(suffix) <= 4 else suffix.replace("_", " ").capitalize()
