"""The one look of all plots, and the one place that renders them.

Only matplotlib's object-oriented interface is used: pyplot keeps global figures. Colors are
Okabe and Ito's palette for color-blind readers (jfly.uni-koeln.de/color, 2008) without its yellow;
dashes and markers tell the lines apart in black and white.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from threading import Lock
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ticker import MaxNLocator
from matplotlib.typing import RcKeyType

from results.plots.plot import Draw

Format = Literal["png", "svg"]

BEST_COLOR = "#0072b2"
ACCENT_COLOR = "#d55e00"
MUTED_COLOR = "#8c8c8c"
LIGHT_COLOR = "#b0b0b0"
COLORS = (
    BEST_COLOR, ACCENT_COLOR, "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#7f7f7f",
)  # fmt: skip
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
MARKERS = ("o", "s", "^", "D", "v", "X", "P", "*")

#: More marks than this are drawn as one picture inside the SVG: a path for each is megabytes.
MOST_MARKS = 2000
#: What the mark of a trial that ended early is called.
EARLY = "ended early, at its last epoch"
#: The most values that one plot lists in rows.
MOST_ROWS = 40

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
    """Return any text safe to draw: no TeX, no characters that the font lacks, not too long."""
    font = get_font(findfont(FontProperties(family=_STYLE["font.family"])))
    known = "".join(c if font.get_char_index(ord(c)) else "\N{REPLACEMENT CHARACTER}" for c in text)
    if len(known) > at_most:  # texts that differ often differ at their end
        end = at_most // 4
        known = known[: at_most - end - 1] + "\N{HORIZONTAL ELLIPSIS}" + known[-end:]
    return known.replace("$", r"\$")


def finish(axes: Axes, x: str, y: str) -> None:
    """Label both axes, and put the legend, if there is one, under them, where it covers no data."""
    axes.set_xlabel(plain(x, 46))
    axes.set_ylabel(plain(y, 46))
    labels, figure = axes.get_legend_handles_labels()[1], axes.get_figure(root=True)
    if labels and figure is not None:
        columns = max(1, min(3, 100 // (max(map(len, labels)) + 10)))
        figure.legend(loc="outside lower center", ncols=columns)


def draw_trials(
    axes: Axes,
    x: Sequence[float],
    y: Sequence[float],
    early: Sequence[tuple[float, float]] = (),
) -> None:
    """Draw a circle for each trial; very many become one picture inside an SVG.

    Beside trials that ended ``early``, which are hollow and light, the others are filled.
    """
    many = len(x) + len(early) > MOST_MARKS
    if early:
        axes.plot(
            *zip(*early, strict=True), "o", color=LIGHT_COLOR, fillstyle="none", label=EARLY,
            rasterized=many,
        )  # fmt: skip
    if x:
        axes.plot(
            x, y, "o", color=MUTED_COLOR, fillstyle="full" if early else "none",
            label="trained to the end" if early else "one trial", rasterized=many,
        )  # fmt: skip


def whole_ticks(axes: Axes) -> None:
    """Put the ticks of the x axis at whole numbers."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))


def write_beside(axes: Axes, text: str, x: float, y: float, right: int, size: float) -> None:
    """Write a text ``right`` points beside a place, on a light box that keeps lines off it."""
    axes.annotate(
        text,
        (x, y),
        xytext=(right, 0),
        textcoords="offset points",
        va="center",
        fontsize=size,
        bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "alpha": 0.8, "lw": 0},
        annotation_clip=False,
        zorder=4,
    )


def fit_rows(figure: Figure, rows: int, inches: float) -> None:
    """Make the figure as high as its rows need."""
    figure.set_figheight(max(2.4, 1.1 + inches * rows))


def spread(index: int) -> float:
    """Return a number from -1 to 1; consecutive ones lie apart (multiples of the golden ratio)."""
    return 2 * (index * 0.6180339887498949 % 1) - 1
