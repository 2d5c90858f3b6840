"""A figure: what it is called and shows, and its parts in plotly's JSON.

https://plotly.com/javascript/reference describes the members. A trace names the color of the page
that it wants in ``meta.color``, such as ``--state-failed``; ``customdata`` has the trial of each of
its points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from results.plots.scales import Scale

#: Plotly's JSON: ``data``, a list of traces, and ``layout``.
Figure = dict[str, Any]

Item = TypeVar("Item")
#: The most trials that a figure draws a mark for; a browser draws each as an element of its own.
MOST_MARKS = 1000
#: What a mark says when it is pointed at, by the axes' names.
TRIAL_HOVER = (
    "trial %{customdata}<br>%{xaxis.title.text}: %{x}<br>%{yaxis.title.text}: %{y}<extra></extra>"
)
#: Readable for the color-blind, and in grey; dark is low.
COLORS = "Cividis"


@dataclass(frozen=True, slots=True)
class FigureInfo:
    """A figure's name (as in its address), its title, and a caption that says what it shows.

    ``why_not`` says why the job has no such figure, "" if it has. From ``least`` to ``most`` of the
    ``parameters`` may be chosen; none where the figure takes no choice.
    """

    name: str
    title: str
    caption: str
    why_not: str = ""
    parameters: tuple[str, ...] = ()
    least: int = 0
    most: int = 0


def figure(
    traces: Sequence[dict[str, Any]], x: dict[str, Any], y: dict[str, Any], **layout: Any
) -> Figure:
    """Return a figure with one pair of axes, and further members of its layout."""
    return {"data": list(traces), "layout": {"xaxis": x, "yaxis": y, **layout}}


def axis(title: str, scale: Scale | None = None, **more: Any) -> dict[str, Any]:
    """Return an axis; a scale says whether it is logarithmic."""
    kind = {} if scale is None else {"type": "log" if scale.log else "linear"}
    return {"title": {"text": title}, **kind, **more}


def marks(
    x: Sequence[Any], y: Sequence[Any], trials: Sequence[int], name: str, color: str, **more: Any
) -> dict[str, Any]:
    """Return a trace of a mark for each trial."""
    return {
        "type": "scatter", "mode": "markers", "name": name, "x": list(x), "y": list(y),
        "customdata": list(trials), "hovertemplate": TRIAL_HOVER, "meta": {"color": color}, **more,
    }  # fmt: skip


def steps(x: Sequence[Any], y: Sequence[Any], name: str, color: str) -> dict[str, Any]:
    """Return a trace of a staircase, which keeps each value until the next."""
    return {
        "type": "scatter", "mode": "lines", "line": {"shape": "hv"}, "name": name, "x": list(x),
        "y": list(y), "meta": {"color": color},
    }  # fmt: skip


def thinned(items: Sequence[Item], most: int = MOST_MARKS) -> list[Item]:
    """Return at most so many of the items, at even distances, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(place * (len(items) - 1) / (most - 1))] for place in range(most)]
