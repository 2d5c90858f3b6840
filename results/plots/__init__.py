"""Plots of a job as PNG or SVG: what there is to draw (``available``) and ``draw``."""

from results.plots.catalog import PlotInfo, available, draw
from results.plots.style import Format

__all__ = ["Format", "PlotInfo", "available", "draw"]
