"""All parameters of a search side by side: parallel coordinates."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from results.analysis import MOST_SHOWN, JobResults
from results.comparison import value_key
from results.formatting import parameter_value
from results.plots import style
from results.plots.plot import Plot, PlotInfo
from results.plots.scales import Scale
from results.plots.searches import FEWEST_TRIALS
from results.wording import axis_label, in_sentence, words
from search_spaces import Range

#: The most parameters that stand side by side, and values that one of them labels.
_MOST_AXES, _MOST_LABELS = 16, 14


@dataclass(frozen=True, slots=True)
class Coordinate:
    """One axis of a parallel-coordinates plot.

    ``places`` gives each ranked trial (best first) its place from 0 to 1, None where the parameter
    did not apply. ``ticks`` are places with their labels. ``is_listed`` tells an axis of a few
    places from one of a range.
    """

    name: str
    places: tuple[float | None, ...]
    ticks: tuple[tuple[float, str], ...]
    is_listed: bool


#: Stands for a parameter that did not apply; a value may be None.
_ABSENT = object()


def coordinates(results: JobResults) -> list[Coordinate]:
    """Return an axis for each varied parameter of the ranked trials, of many the best."""
    ranked = [trial.parameters for trial, _ in results.ranked[:MOST_SHOWN]]
    names = [name for name in results.varied if any(name in p for p in ranked)]
    return [_coordinate(results, name, [p.get(name, _ABSENT) for p in ranked]) for name in names]


def coordinate_plots(results: JobResults) -> Iterator[Plot]:
    """Yield the plot of enough scored trials with several parameters."""
    scored = len(results.ranked)
    columns = coordinates(results) if scored >= FEWEST_TRIALS else []
    if len(columns) > 1:
        line = "a trial" if scored <= MOST_SHOWN else f"one of the {MOST_SHOWN} best trials"
        caption = f"Each line is {line}, colored by its {in_sentence(results.metric)};"
        caption += " the best one is thick. A line breaks where a parameter did not apply."
        if len(columns) > _MOST_AXES:
            caption += f" The first {_MOST_AXES} of {len(columns)} parameters."
        info = PlotInfo("parallel_coordinates", "All parameters together", caption)
        draw = partial(draw_coordinates, results=results, columns=columns[:_MOST_AXES])
        yield Plot(info, draw)


def _coordinate(results: JobResults, name: str, values: Sequence[Any]) -> Coordinate:
    domain = results.space.parameters.get(name)
    present = [value for value in values if value is not _ABSENT]
    if not isinstance(domain, Range):
        return _listed(name, values, present)
    scale = math.log if domain.log else float
    low, high = min(present), max(present)
    width = scale(high) - scale(low) or 1.0
    middle = math.sqrt(low) * math.sqrt(high) if domain.log else low / 2 + high / 2

    def place(value: float) -> float:
        return (scale(value) - scale(low)) / width

    places = tuple(None if value is _ABSENT else place(value) for value in values)
    ticks = tuple((place(v), f"{v:.3g}") for v in dict.fromkeys((low, middle, high)))
    return Coordinate(name, places, ticks, is_listed=False)


def _listed(name: str, values: Sequence[Any], present: Sequence[Any]) -> Coordinate:
    distinct = {value_key(value): value for value in present}
    if all(isinstance(value, int | float) for value in present):
        distinct = dict(sorted(distinct.items(), key=lambda item: item[1]))
    place = {key: index / max(1, len(distinct) - 1) for index, key in enumerate(distinct)}
    labels = [(place[key], parameter_value(value)) for key, value in distinct.items()]
    every = math.ceil(len(labels) / _MOST_LABELS)
    places = tuple(None if value is _ABSENT else place[value_key(value)] for value in values)
    return Coordinate(name, places, tuple(labels[::every]), is_listed=True)


def draw_coordinates(figure: Figure, results: JobResults, columns: Sequence[Coordinate]) -> None:
    """Draw each scored trial, of many the best, as a line over the parameters' axes.

    A line is colored by its score.
    """
    axes = figure.add_subplot()
    figure.set_figwidth(max(6.4, 1.8 + 0.75 * len(columns)))
    scores = [score for _, score in results.ranked[:MOST_SHOWN]]
    scale = Scale.of(scores, results.metric.mode)
    # The map runs from light (worst) to dark (best), so that it reads the same in grey.
    colors = ScalarMappable(
        (LogNorm if scale.log else Normalize)(scale.low, scale.high),
        cmap="cividis_r" if results.metric.mode == "max" else "cividis",
    )
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
    _label_columns(axes, columns)
    figure.colorbar(colors, ax=axes, label=style.plain(axis_label(results.metric), 46), pad=0.08)


def _height(column: Coordinate, rank: int) -> float:
    place = column.places[rank]
    if place is None:
        return math.nan
    # Lines through few places would cover one another; the best one runs through their middle.
    return place + 0.04 * style.spread(rank) * (column.is_listed and rank > 0)


def _label_columns(axes: Axes, columns: Sequence[Coordinate]) -> None:
    for position, column in enumerate(columns):
        axes.axvline(position, color="#404040", linewidth=0.8, zorder=1)
        for place, label in column.ticks:
            style.write_beside(axes, style.plain(label, 16), position, place, 4, 7)
    names = [
        "\n".join(style.plain(w, 12) for w in words(column.name).split()) for column in columns
    ]
    axes.set_xticks(range(len(columns)), names)
    axes.set_yticks([])
    axes.set_ylim(-0.06, 1.06)
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
