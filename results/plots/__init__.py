"""Plots of a job as PNG or SVG: ``available`` lists them and ``draw`` draws one."""

from results.plots.catalog import available, draw
from results.plots.plot import PlotInfo
from results.plots.style import Format

__all__ = ["Format", "PlotInfo", "available", "draw"]
