"""Drawings of a whole search: its history, what mattered, and all parameters side by side."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from results.analysis import MOST_SHOWN, JobResults
from results.plots.curves import spans_decades
from results.plots.study import Coordinate, coordinates, history, importances
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
from results.wording import axis_label, prettify


def draw_history(figure: Figure, results: JobResults) -> None:
    """Draw each trial's score by its number and the best so far as a staircase."""
    axes = figure.add_subplot()
    points = history(results)
    numbers = [point.trial for point in points]
    axes.plot(
        numbers,
        [point.score for point in points],
        "o",
        color=MUTED_COLOR,
        fillstyle="none",
        label="one trial",
        rasterized=len(points) > MOST_MARKS,
    )
    axes.step(
        numbers,
        [point.best for point in points],
        where="post",
        color=COLORS[1],
        linewidth=2,
        label="best so far",
    )
    if spans_decades((point.score for point in points), results.metric.mode):
        log_scale(axes, "y")
    axes.set_xlabel("Trial")
    axes.set_ylabel(plain(axis_label(results.metric)))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    legend_below(axes, 2)


def draw_importance(figure: Figure, results: JobResults) -> None:
    """Draw the parameters' importances as bars, the most important one on top."""
    axes = figure.add_subplot()
    ranked = sorted(importances(results).items(), key=lambda item: item[1])
    bars = axes.barh(
        [plain(prettify(name), 30) for name, _ in ranked],
        [value for _, value in ranked],
        color=BEST_COLOR,
        height=0.6,
    )
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.set_xlabel("Importance, as a share of all (PED-ANOVA)")
    axes.margins(x=0.12)
    axes.grid(visible=False, axis="y")


def draw_parallel_coordinates(figure: Figure, results: JobResults) -> None:
    """Draw each scored trial, of many the best, as a line over one axis per parameter.

    It is colored by its score.
    """
    axes = figure.add_subplot()
    columns = coordinates(results)
    scores = [score for _, score in results.ranked[:MOST_SHOWN]]
    norm = LogNorm if spans_decades(scores, results.metric.mode) else Normalize
    # The map runs from light (worst) to dark (best), so that it reads the same in grey.
    name = "cividis_r" if results.metric.mode == "max" else "cividis"
    colors = ScalarMappable(norm(min(scores), max(scores)), cmap=name)
    shades = [tuple(shade) for shade in np.asarray(colors.to_rgba(np.array(scores)))]
    for rank in reversed(range(len(scores))):
        axes.plot(
            range(len(columns)),
            [_height(column, rank) for column in columns],
            color=shades[rank],
            linewidth=2.8 if rank == 0 else 0.9,
            alpha=1.0 if rank == 0 else 0.75,
            marker="o",
            markersize=5 if rank == 0 else 2,
        )
    _dress(axes, columns)
    figure.colorbar(colors, ax=axes, label=plain(axis_label(results.metric)), pad=0.08)


def _height(column: Coordinate, rank: int) -> float:
    place = column.places[rank]
    if place is None:
        return math.nan
    # Lines through few places would cover one another; the best one runs through their middle.
    return place + 0.04 * spread(rank) * (column.is_listed and rank > 0)


def _dress(axes: Axes, columns: list[Coordinate]) -> None:
    for position, column in enumerate(columns):
        axes.axvline(position, color="#404040", linewidth=0.8, zorder=1)
        for place, label in column.ticks:
            axes.annotate(
                plain(label, 16),
                (position, place),
                xytext=(4, 0),
                textcoords="offset points",
                fontsize=7,
                va="center",
                bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "alpha": 0.8, "lw": 0},
                zorder=4,
            )
    names = ["\n".join(plain(w, 16) for w in column.name.split("_")) for column in columns]
    axes.set_xticks(range(len(columns)), names)
    axes.set_yticks([])
    axes.set_ylim(-0.06, 1.06)
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
