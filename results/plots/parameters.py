"""The declared metric by the values of one parameter or of all: rows of means, or a scatter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.analysis import JobResults
from results.comparison import (
    Comparison,
    ValueResult,
    basis,
    value_key,
)
from results.formatting import number, parameter_value
from results.plots import style
from results.plots.early import ended_early, said
from results.plots.plot import Plot, PlotInfo
from results.plots.scales import Scale, collapsed
from results.records import TrialRecord
from results.wording import axis_label, in_sentence, prettify, words
from search_spaces import Range


@dataclass(frozen=True, slots=True)
class Row:
    """A value of a parameter; ``outside`` the axis if its mean lies far off the others."""

    parameter: str
    result: ValueResult
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """The values that a plot shows, in reading order, and the scale of the metric.

    ``of`` is the number of values that could be shown. ``trials`` are the places and scores of
    single trials, none where each value has one trial, ``early`` those of trials that ended early.
    """

    rows: tuple[Row, ...]
    of: int
    scale: Scale
    trials: tuple[tuple[float, float], ...] = ()
    early: tuple[tuple[float, float], ...] = ()


def value_rows(results: JobResults, comparison: Comparison) -> Rows | None:
    """Return the values of one parameter, of many the best; None for fewer than two results.

    A trial that ended early has one too.
    """
    name = comparison.parameter
    rows = _best([Row(name, row) for row in comparison.rows], results.metric.mode)
    means = [row.result.mean for row in rows if row.result.mean is not None]
    places = {value_key(row.result.value): place for place, row in enumerate(rows)}
    alone = all(row.trials == 1 and row.best == row.mean for row in comparison.rows)

    def dots(found: Sequence[tuple[TrialRecord, float]]) -> tuple[tuple[float, float], ...]:
        return tuple(
            (places[key] + 0.25 * style.spread(trial.number), score)
            for trial, score in found
            if name in trial.parameters and (key := value_key(trial.parameters[name])) in places
        )

    early = dots(ended_early(results).trials)
    trials = dots([] if alone else results.ranked)
    scores = [*means, *(score for _, score in (*trials, *early))]
    if not scores or len(results.ranked) + len(early) < 2:
        return None
    scale = Scale.of(scores, results.metric.mode)
    return Rows(tuple(rows), len(comparison.rows), scale, trials, early)


def all_value_rows(results: JobResults) -> Rows | None:
    """Return the values of all parameters, of many the best.

    None if fewer than two parameters have two values with a mean.
    """
    mode = results.metric.mode
    found = [
        Row(comparison.parameter, row)
        for comparison in results.comparisons.values()
        if comparison is not None and len(comparison.ranked(mode)) > 1
        for row in comparison.rows
        if row.mean is not None
    ]
    if len({row.parameter for row in found}) < 2:
        return None
    rows = _best(found, mode)
    means = {i: row.result.mean for i, row in enumerate(rows) if row.result.mean is not None}
    far = collapsed(means, mode)
    inside = [mean for i, mean in means.items() if i not in far]
    shown = tuple(replace(row, outside=i in far) for i, row in enumerate(rows))
    return Rows(shown, len(found), Scale.of(inside, mode))


def _best(rows: Sequence[Row], mode: str) -> list[Row]:
    """Return the rows with the best means in the order given, those without a mean last."""
    sign = -1 if mode == "max" else 1
    means = [row.result.mean for row in rows]
    ranked = sorted((mean is None, sign * (mean or 0.0), i) for i, mean in enumerate(means))
    return [rows[i] for i in sorted(i for _, _, i in ranked[: style.MOST_ROWS])]


@dataclass(frozen=True, slots=True)
class Points:
    """The trials' values of a parameter that was sampled from a range, and their scores.

    ``early`` are those of trials that ended early.
    """

    parameter: str
    points: tuple[tuple[float, float], ...]
    best: tuple[float, float] | None
    values: Scale
    scale: Scale
    early: tuple[tuple[float, float], ...] = ()


def value_points(results: JobResults, parameter: str) -> Points | None:
    """Return the trials' values of a parameter; None if fewer than two have a score and a number.

    The values' scale is logarithmic if their range is.
    """

    def points(pairs: Sequence[tuple[TrialRecord, float]]) -> dict[int, tuple[float, float]]:
        return {
            trial.number: (float(value), score)
            for trial, score in pairs
            if isinstance(value := trial.parameters.get(parameter), int | float)
        }

    found, early = points(results.ranked), points(ended_early(results).trials)
    if len(found) + len(early) < 2:
        return None
    domain = results.space.parameters.get(parameter)
    values, scores = zip(*found.values(), *early.values(), strict=True)
    best = None if results.best is None else found.get(results.best.number)
    log = isinstance(domain, Range) and domain.log and min(values) > 0
    x, y = Scale(min(values), max(values), log), Scale.of(scores, results.metric.mode)
    return Points(parameter, tuple(found.values()), best, x, y, tuple(early.values()))


def parameter_plots(results: JobResults) -> Iterator[Plot]:
    """Yield a plot for each varied parameter that has results, and one of all their values.

    Where no configuration meets the constraints, there is nothing to compare.
    """
    if results.breaks_all:
        return
    for name, comparison in results.comparisons.items():
        plot = _parameter_plot(results, name, comparison)
        if plot is not None:
            yield plot
    together = all_value_rows(results)
    if together is not None:
        info = PlotInfo("parameters", "Effect of each parameter", _caption(results, together))
        yield Plot(info, partial(draw_rows, results=results, shown=together))


def _parameter_plot(results: JobResults, name: str, comparison: Comparison | None) -> Plot | None:
    shown = value_rows(results, comparison) if comparison else value_points(results, name)
    if shown is None:
        return None
    whole = " that trained to the end" if shown.early else ""
    caption = f"Last {in_sentence(results.metric)} of each trial{whole} by {words(name)}"
    if comparison is None or any(row.mean is not None for row in comparison.rows):
        caption += f" ({basis(results, comparison)})"
    if isinstance(shown, Points):
        caption, draw = caption + _axis(shown.scale), partial(draw_points, shown=shown)
    else:
        with_means = shown.trials and any(row.result.mean is not None for row in shown.rows)
        caption += ", with the mean for each value" if with_means else ""
        caption += _axis(shown.scale) + _shortened(shown)
        draw = partial(draw_rows, shown=shown)
    caption += said(ended_early(results)) if shown.early else ""
    info = PlotInfo(f"parameter_{name}", f"Effect of the {words(name)}", caption)
    return Plot(info, partial(draw, results=results))


def _caption(results: JobResults, shown: Rows) -> str:
    names = dict.fromkeys(row.parameter for row in shown.rows)
    bases = dict.fromkeys(basis(results, results.comparisons[name]) for name in names)
    caption = f"Last {in_sentence(results.metric)} by the value of each parameter"
    caption += f" ({'; '.join(bases)}){_axis(shown.scale)}"
    if any(row.result.is_default for row in shown.rows):
        caption += " A hollow diamond is the default."
    if any(row.outside for row in shown.rows):
        caption += " Triangles lie outside the axis, at the value written beside them."
    return caption + _shortened(shown)


def _axis(scale: Scale) -> str:
    return ", logarithmic axis." if scale.log else "."


def _shortened(shown: Rows) -> str:
    shown_rows = len(shown.rows)
    return f" The best {shown_rows} of {shown.of} values." if shown_rows < shown.of else ""


# --- drawing --------------------------------------------------------------------------------


def draw_rows(figure: Figure, results: JobResults, shown: Rows) -> None:
    """Draw a row for each value: a mark at its mean, and dots for single trials."""
    axes, rows = figure.add_subplot(), shown.rows
    style.fit_rows(figure, len(rows), 0.42 if shown.trials or shown.early else 0.32)
    _draw_dots(axes, shown)
    shown.scale.set_on(axes, "x", margin=0.12)
    begun = {round(place) for place, _ in shown.early}
    for height, row in enumerate(rows):
        if row.result.scored == 0 and height not in begun:
            _write_none(axes, height)
        _draw_row(axes, row, height)
        if height and row.parameter != rows[height - 1].parameter:
            axes.axhline(height - 0.5, color=style.MUTED_COLOR, linewidth=0.6)
    one = len({row.parameter for row in rows}) == 1
    labels = [_label(row.result.value, "" if one else row.parameter) for row in rows]
    axes.set_yticks(range(len(rows)), labels)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    _explain_marks(axes, shown)
    style.finish(axes, axis_label(results.metric), prettify(rows[0].parameter) if one else "")


def _label(value: Any, parameter: str) -> str:
    return style.plain(f"{words(parameter)} {parameter_value(value)}".strip(), 40)


def _draw_dots(axes: Axes, shown: Rows) -> None:
    """Draw a dot for each single trial, light and hollow if it ended early."""
    many = len(shown.trials) + len(shown.early) > style.MOST_MARKS
    if shown.early:
        places, values = zip(*shown.early, strict=True)
        axes.scatter(
            values, places, s=12, facecolors="none", edgecolors=style.LIGHT_COLOR, rasterized=many
        )
    if shown.trials:
        places, scores = zip(*shown.trials, strict=True)
        axes.scatter(scores, places, s=8, color=style.MUTED_COLOR, alpha=0.6, rasterized=many)


def _write_none(axes: Axes, height: int) -> None:
    axes.text(0.01, height, "no result", transform=axes.get_yaxis_transform(), va="center")


def _draw_row(axes: Axes, row: Row, height: int) -> None:
    mean = row.result.mean
    if mean is None:
        return
    low, high = axes.get_xlim()
    place = min(max(mean, low), high)
    beyond = "<" if place > mean else ">"
    mark = _DEFAULT_MARK if row.result.is_default else _MARK
    if row.outside:
        mark = mark | {"marker": beyond, "color": style.ACCENT_COLOR, "clip_on": False}
    axes.plot(place, height, **mark)
    style.write_beside(axes, number(mean), place, height, 9, 8)


#: How the mean of a value looks, and that of the default.
_MARK: dict[str, Any] = {
    "marker": "o", "color": style.BEST_COLOR, "markersize": 7, "markeredgewidth": 1.6, "zorder": 3,
    "linestyle": "",
}  # fmt: skip
_DEFAULT_MARK = {**_MARK, "marker": "D", "color": style.ACCENT_COLOR, "fillstyle": "none"}


def _explain_marks(axes: Axes, shown: Rows) -> None:
    """Put the marks into a legend."""
    if shown.early:
        axes.plot(
            [], [], "o", color=style.LIGHT_COLOR, fillstyle="none", markersize=3.5,
            label=style.EARLY,
        )  # fmt: skip
    if shown.trials:
        axes.plot([], [], "o", color=style.MUTED_COLOR, markersize=3, alpha=0.6, label="one trial")
    what = "trial" if all(row.result.trials == 1 for row in shown.rows) else "mean"
    defaults = {row.result.is_default for row in shown.rows if row.result.mean is not None}
    if False in defaults:
        axes.plot([], [], **_MARK, label=what)
    if True in defaults:
        axes.plot([], [], **_DEFAULT_MARK, label=f"{what} with the default")


def draw_points(figure: Figure, results: JobResults, shown: Points) -> None:
    """Draw a circle for each trial, the best one filled."""
    axes = figure.add_subplot()
    style.draw_trials(axes, [x for x, _ in shown.points], [y for _, y in shown.points], shown.early)
    if shown.best is not None:
        axes.plot(*shown.best, "o", color=style.BEST_COLOR, label="best trial")
    shown.values.set_on(axes, "x")
    shown.scale.set_on(axes, "y", margin=0.1)
    style.finish(axes, prettify(shown.parameter), axis_label(results.metric))
