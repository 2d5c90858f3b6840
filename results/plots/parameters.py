"""One parameter against the declared metric: a column per value, or a scatter over its range."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.analysis import JobResults
from results.comparison import Comparison, compare, value_key
from results.plots.curves import spans_decades
from results.plots.style import (
    BEST_COLOR,
    COLORS,
    MUTED_COLOR,
    legend_below,
    log_scale,
    plain,
    spread,
)
from results.wording import axis_label, number, parameter_value, prettify


def draw_parameter(figure: Figure, results: JobResults, parameter: str) -> None:
    """Draw the last value of the declared metric of each succeeded trial by the parameter."""
    axes = figure.add_subplot()
    comparison = compare(results, parameter)
    if comparison is None:
        _draw_range(axes, results, parameter)
    else:
        _draw_values(axes, results, comparison)
    if spans_decades(score for _, score in results.ranking()):
        log_scale(axes, "y")
    else:
        axes.margins(y=0.15)
    axes.set_xlabel(plain(prettify(parameter)))
    axes.set_ylabel(plain(axis_label(results.metric)))
    legend_below(axes, 3)


def _draw_range(axes: Axes, results: JobResults, parameter: str) -> None:
    pairs = [
        (t.parameters[parameter], s) for t, s in results.ranking() if parameter in t.parameters
    ]
    axes.scatter(
        [value for value, _ in pairs],
        [score for _, score in pairs],
        s=18,
        facecolors="none",
        edgecolors=MUTED_COLOR,
        label="one trial",
    )
    best = results.best
    score = None if best is None else results.score(best)
    if best is not None and score is not None and parameter in best.parameters:
        axes.plot(best.parameters[parameter], score, "o", color=BEST_COLOR, label="best trial")
    domain = results.job.spec["parameters"].get(parameter)
    if isinstance(domain, Mapping) and domain.get("log"):
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
        for trial, score in results.ranking()
        if parameter in trial.parameters
    ]
    places, scores = [place for place, _ in points], [score for _, score in points]
    axes.scatter(places, scores, s=8, color=MUTED_COLOR, alpha=0.6, label="one trial")


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
