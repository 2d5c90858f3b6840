"""Draws mean regret over the budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.searches.figures import Row
from benchmarks.searches.page import FAMILIES


def draw(rows: Sequence[Row], titles: Mapping[str, str], file: Path) -> None:
    """Draw those rows of one collection that have a curve into an SVG file."""
    family = FAMILIES[rows[0].family]
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for row in rows:
        if row.curve is not None:
            (line,) = axes.plot(row.curve.budgets, row.curve.mean, label=titles[row.method])
            color = line.get_color()
            axes.fill_between(
                row.curve.budgets, row.curve.low, row.curve.high, color=color, alpha=0.15, lw=0
            )
    axes.set_xlabel(f"budget, {family.unit}")
    axes.set_ylabel("mean regret")
    axes.set_title(f"{family.title}: {len(rows[0].by_problem)} data sets, 95 % over seeds")
    axes.set_ylim(top=min(1.0, axes.get_ylim()[1]))
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    # The same figures give the same file.
    with mpl.rc_context(rc={"svg.hashsalt": "argbest", "svg.fonttype": "none"}):
        figure.savefig(file, metadata={"Date": None})
