"""One trial's metrics that measure the same on several parts of the data, over the epochs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from matplotlib.figure import Figure

from results.analysis import JobResults
from results.curve_shape import CurvePoint, best_point, curve_points
from results.formatting import number
from results.plots import style
from results.plots.curves import draw_line
from results.plots.plot import Plot, PlotInfo
from results.plots.scales import Scale
from results.wording import (
    EXTREME,
    axis_label,
    capitalized,
    in_sentence,
    listing,
    split_and_quantity,
    words,
)
from trainables.contract import Metric


@dataclass(frozen=True, slots=True)
class Splits:
    """A trial's metrics of one quantity, with their points; ``marked`` is described in the legend.

    ``marked`` is the metric whose best epoch gets a circle, None without such a metric.
    """

    quantity: str
    lines: tuple[tuple[Metric, list[CurvePoint]], ...]
    scale: Scale
    marked: Metric | None


def split_groups(results: JobResults) -> dict[str, list[str]]:
    """Return the metrics of each quantity that was measured on several parts of the data.

    ``train_rmse`` and ``test_rmse`` are ``{"rmse": ["train_rmse", "test_rmse"]}``.
    """
    groups: dict[str, dict[str, str]] = {}
    for name in results.metric_names:
        split, quantity = split_and_quantity(name)
        if split != "none":
            groups.setdefault(quantity, {}).setdefault(split, name)
    return {
        quantity: [found[split] for split in ("train", "validation", "test") if split in found]
        for quantity, found in groups.items()
        if len(found) > 1
    }


def splits(results: JobResults, trial: int, quantity: str, names: Sequence[str]) -> Splits | None:
    """Return what a plot of one trial's metrics shows; None if none of them has a value."""
    curve = results.curve_of(trial)
    if curve is None:
        return None
    pairs = [(results.info(name), curve_points(curve, name)) for name in names]
    lines = tuple((info, points) for info, points in pairs if points)
    values = [point.value for _, points in lines for point in points]
    if not values:
        return None
    scale = Scale.of(values, lines[0][0].mode)
    held_out = [info for info, _ in lines if info.split in ("validation", "test")]
    marked = next((info for info in held_out if results.may_mark_best(info)), None)
    return Splits(quantity, lines, scale, marked)


def split_plots(results: JobResults) -> Iterator[Plot]:
    """Yield a plot for each quantity, of the selected trial or the only one."""
    best = results.best
    trial = best.number if best is not None else min(results.curves, default=None)
    is_any = best is None and len(results.trials) > 1
    if trial is None or trial not in results.curves or is_any:
        return
    for quantity, names in split_groups(results).items():
        shown = splits(results, trial, quantity, names)
        if shown is not None:
            title = f"{_measured(shown)} on each part of the data"
            caption = _caption(shown, "" if len(results.trials) == 1 else f" of trial {trial}")
            yield Plot(PlotInfo(quantity, title, caption), partial(draw_splits, shown=shown))


def _caption(shown: Splits, whose: str) -> str:
    text = capitalized(listing([in_sentence(info) for info, _ in shown.lines]))
    caption = f"{text}{whose} by epoch{', logarithmic axis' if shown.scale.log else ''}"
    return caption + (f"; the circle marks the {_mark(shown.marked)}." if shown.marked else ".")


def _mark(info: Metric) -> str:
    """Name the mark: ``highest validation accuracy``, ``lowest test RMSE (for reference)``."""
    aside = " (for reference)" if info.split == "test" else ""
    return f"{EXTREME[info.mode]} {in_sentence(info)}{aside}"


def _measured(shown: Splits) -> str:
    """Name the quantity as the metrics' labels do: ``RMSE``, ``Accuracy``."""
    in_capitals = shown.quantity.upper()
    named = any(in_capitals in info.label.split() for info, _ in shown.lines)
    return in_capitals if named else capitalized(words(shown.quantity))


def draw_splits(figure: Figure, shown: Splits) -> None:
    """Draw the lines in one pair of axes, and a circle at the best epoch of the marked metric."""
    axes = figure.add_subplot()
    for index, (info, points) in enumerate(shown.lines):
        draw_line(axes, points, index, style.plain(info.label), 1.6)
    for info, points in shown.lines:
        best = best_point(points, info.mode)
        if info == shown.marked and best is not None:
            label = f"{_mark(info)}: epoch {best.epoch}, {number(best.value)}"
            axes.axvline(best.epoch, color=style.MUTED_COLOR, linewidth=1, linestyle=":", zorder=1)
            axes.plot(
                *best, "o", color="black", fillstyle="none", markersize=9, label=style.plain(label)
            )
    shown.scale.set_on(axes, "y")
    style.whole_ticks(axes)
    measured = replace(shown.lines[0][0], label=_measured(shown))
    style.finish(axes, "Epoch", axis_label(measured))
