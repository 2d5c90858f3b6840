"""The one look of all plots, and the one place that renders them.

Only matplotlib's object-oriented interface is used: pyplot keeps global figures. Colors are
Okabe and Ito's palette for color-blind readers (jfly.uni-koeln.de/color, 2008) without its yellow;
dashes and markers tell the lines apart in black and white.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from threading import Lock
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from matplotlib.typing import RcKeyType

Format = Literal["png", "svg"]
Draw = Callable[[Figure], None]

BEST_COLOR = "#0072b2"
MUTED_COLOR = "#8c8c8c"
COLORS = (BEST_COLOR, "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#7f7f7f")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
MARKERS = ("o", "s", "^", "D", "v", "X", "P", "*")

_STYLE: dict[RcKeyType, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.labelsize": 10,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#d9d9d9",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 3.2,
    "figure.figsize": (6.4, 4.0),
    "figure.constrained_layout.use": True,
    "savefig.dpi": 300,
    # Glyphs as paths look the same everywhere.
    "svg.fonttype": "path",
    "svg.hashsalt": "argbest",
}

#: More marks than this are drawn as one picture inside the SVG: a path for each is megabytes.
MOST_MARKS = 2000

# rcParams and the font cache are global to the process, and matplotlib is not thread-safe.
_LOCK = Lock()

_METADATA: dict[Format, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
}


def render(draw: Draw, title: str, format: Format) -> bytes:  # noqa: A002 - the word of the API
    """Draw on a fresh figure and return it as a file: the same input gives the same bytes.

    PNG has 300 dots per inch. Safe to call from several threads; they take turns.
    """
    buffer = io.BytesIO()
    with _LOCK, mpl.rc_context(_STYLE):
        figure = Figure()
        FigureCanvasAgg(figure)
        draw(figure)
        figure.savefig(buffer, format=format, metadata=_METADATA[format] | {"Title": title})
    return buffer.getvalue()


def plain(text: str, at_most: int = 60) -> str:
    """Make any text safe to draw: no TeX, no characters that the font lacks, and not too long."""
    font = get_font(findfont(FontProperties(family=_STYLE["font.family"])))
    known = "".join(c if font.get_char_index(ord(c)) else "\N{REPLACEMENT CHARACTER}" for c in text)
    short = known if len(known) <= at_most else known[: at_most - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return short.replace("$", r"\$")


def log_scale(axes: Axes, which: Literal["x", "y"]) -> None:
    """Make an axis logarithmic, with plain numbers at 1, 2 and 5 of each decade."""
    axes.set(**{f"{which}scale": "log"})
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def spread(index: int) -> float:
    """Return a number from -1 to 1; consecutive ones lie apart (multiples of the golden ratio)."""
    return 2 * (index * 0.6180339887498949 % 1) - 1


def legend_below(axes: Axes, columns: int) -> None:
    """Put the legend under the axes, where it covers no data."""
    figure = axes.get_figure(root=True)
    if figure is not None:
        figure.legend(loc="outside lower center", ncols=columns)
