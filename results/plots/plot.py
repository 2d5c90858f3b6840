"""A plot: its name, title and caption, and the function that draws it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

Draw = Callable[[Figure], None]


@dataclass(frozen=True, slots=True)
class PlotInfo:
    """A plot's name (as in its URL), its title, and a caption that says what it shows."""

    name: str
    title: str
    caption: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot that a job's numbers allow; ``draw`` draws it on an empty figure."""

    info: PlotInfo
    draw: Draw
