"""Interactive figures of a job as plotly's JSON: ``available`` lists them and ``draw`` makes one.

``results.plots`` draws pictures for reports; these are for a browser, which shows each trial's
number where it is pointed at, and lets marks in one figure show in the others.
"""

from results.figures.catalog import available, draw
from results.figures.figure import Figure, FigureInfo

__all__ = ["Figure", "FigureInfo", "available", "draw"]
