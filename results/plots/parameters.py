"""One parameter against the declared metric: a column per value, or a scatter over its range."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.analysis import JobResults
from results.comparison import Comparison, ValueResult, value_key
from results.formatting import number, parameter_value
from results.plots.curves import collapsed, spans_decades
from results.plots.style import (
    BEST_COLOR,
    COLORS,
    MOST_MARKS,
    MUTED_COLOR,
    legend_below,
    log_scale,
    plain,
    spread,
)
from results.wording import axis_label, prettify, words
from search_spaces import Range


def draw_parameter(figure: Figure, results: JobResults, parameter: str) -> None:
    """Draw the last value of the declared metric of each succeeded trial by the parameter."""
    axes = figure.add_subplot()
    comparison = results.comparisons.get(parameter)
    if comparison is None:
        _draw_range(axes, results, parameter)
    else:
        _draw_values(axes, results, comparison)
    if spans_decades((score for _, score in results.ranked), results.metric.mode):
        log_scale(axes, "y")
    else:
        axes.margins(y=0.15)
    axes.set_xlabel(plain(prettify(parameter)))
    axes.set_ylabel(plain(axis_label(results.metric)))
    legend_below(axes, 3)


@dataclass(frozen=True, slots=True)
class ValueDot:
    """A value of a parameter and its mean; ``outside`` the axis if it lies far off the others."""

    parameter: str
    row: ValueResult
    mean: float
    outside: bool


@lru_cache(maxsize=1)
def value_dots(results: JobResults) -> list[ValueDot]:
    """Return the values of all compared parameters that have a mean, in reading order."""
    compared = [results.comparisons.get(name) for name in results.varied]
    pairs = [
        (comparison.parameter, row, row.mean)
        for comparison in compared
        if comparison is not None and len(comparison.ranked(results.metric.mode)) > 1
        for row in comparison.rows
        if row.mean is not None
    ]
    far = collapsed({i: mean for i, (_, _, mean) in enumerate(pairs)}, results.metric.mode)
    return [ValueDot(*pair, index in far) for index, pair in enumerate(pairs)]


def draw_parameters(figure: Figure, results: JobResults) -> None:
    """Draw the mean of each value of all compared parameters as dots in one pair of axes."""
    dots = value_dots(results)
    axes = figure.add_subplot()
    figure.set_figheight(max(2.4, 0.9 + 0.3 * len(dots)))
    inside = [dot.mean for dot in dots if not dot.outside]
    margin = 0.12 * (max(inside) - min(inside)) or 0.05
    low, high = min(inside) - margin, max(inside) + 2 * margin
    for height, dot in enumerate(dots):
        _draw_dot(axes, dot, height, min(max(dot.mean, low), high))
    for height in range(1, len(dots)):
        if dots[height].parameter != dots[height - 1].parameter:
            axes.axhline(height - 0.5, color=MUTED_COLOR, linewidth=0.6)
    labels = [f"{words(d.parameter)} {parameter_value(d.row.value)}" for d in dots]
    axes.set_yticks(range(len(dots)), [plain(label, 40) for label in labels])
    axes.set_xlim(low, high)
    axes.set_ylim(len(dots) - 0.4, -0.6)
    axes.set_xlabel(plain(axis_label(results.metric)))
    axes.grid(visible=False, axis="y")


def _draw_dot(axes: Axes, dot: ValueDot, height: int, place: float) -> None:
    beyond = "<" if place > dot.mean else ">"
    axes.plot(
        place,
        height,
        marker=beyond if dot.outside else "D" if dot.row.is_default else "o",
        markersize=7,
        fillstyle="none" if dot.row.is_default else "full",
        markeredgewidth=1.6,
        color=COLORS[1] if dot.row.is_default or dot.outside else COLORS[0],
        clip_on=False,
        zorder=3,
    )
    axes.annotate(
        number(dot.mean),
        (place, height),
        xytext=(9, -3),
        textcoords="offset points",
        annotation_clip=False,
        fontsize=8,
    )


def _draw_range(axes: Axes, results: JobResults, parameter: str) -> None:
    pairs = [(t.parameters[parameter], s) for t, s in results.ranked if parameter in t.parameters]
    axes.scatter(
        [value for value, _ in pairs],
        [score for _, score in pairs],
        s=18,
        facecolors="none",
        edgecolors=MUTED_COLOR,
        label="one trial",
        rasterized=len(pairs) > MOST_MARKS,
    )
    best = results.best
    score = None if best is None else results.score(best)
    if best is not None and score is not None and parameter in best.parameters:
        axes.plot(best.parameters[parameter], score, "o", color=BEST_COLOR, label="best trial")
    domain = results.space.parameters.get(parameter)
    if isinstance(domain, Range) and domain.log:
        log_scale(axes, "x")


def _draw_values(axes: Axes, results: JobResults, comparison: Comparison) -> None:
    alone = all(row.trials == 1 for row in comparison.rows)
    if not alone:
        _draw_crowd(axes, results, comparison)
    for position, row in enumerate(comparison.rows):
        if row.mean is None:
            axes.text(
                position, 0.03, "no result", transform=axes.get_xaxis_transform(), ha="center"
            )
            continue
        axes.plot(
            position,
            row.mean,
            marker="D" if row.is_default else "o",
            markersize=8,
            fillstyle="none" if row.is_default else "full",
            markeredgewidth=1.8,
            linestyle="",
            color=COLORS[0] if not row.is_default else COLORS[1],
            zorder=3,
        )
        axes.annotate(
            number(row.mean),
            (position, row.mean),
            xytext=(9, -3),
            textcoords="offset points",
            bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "alpha": 0.8, "lw": 0},
        )
    _legend_keys(axes, alone=alone, with_default=any(row.is_default for row in comparison.rows))
    labels = [plain(parameter_value(row.value), 24) for row in comparison.rows]
    axes.set_xticks(range(len(labels)), labels)
    axes.set_xlim(-0.6, len(labels) - 0.4)
    axes.grid(visible=False, axis="x")


def _draw_crowd(axes: Axes, results: JobResults, comparison: Comparison) -> None:
    positions = {value_key(row.value): x for x, row in enumerate(comparison.rows)}
    parameter = comparison.parameter
    points = [
        (positions[value_key(trial.parameters[parameter])] + 0.22 * spread(trial.number), score)
        for trial, score in results.ranked
        if parameter in trial.parameters
    ]
    places, scores = [place for place, _ in points], [score for _, score in points]
    axes.scatter(
        places, scores, s=8, color=MUTED_COLOR, alpha=0.6, label="one trial",
        rasterized=len(points) > MOST_MARKS,
    )  # fmt: skip


def _legend_keys(axes: Axes, *, alone: bool, with_default: bool) -> None:
    what = "trial" if alone else "mean"
    axes.plot([], [], "o", color=COLORS[0], markersize=8, label=what)
    if with_default:
        axes.plot(
            [],
            [],
            "D",
            color=COLORS[1],
            markersize=8,
            fillstyle="none",
            markeredgewidth=1.8,
            label=f"{what} with the default",
        )
