"""The plots that a job has, by name."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

from results.analysis import JobResults
from results.errors import UnknownPlot
from results.plots.coordinates import coordinate_plots
from results.plots.curves import curve_plots
from results.plots.names import plot_names
from results.plots.parameters import parameter_plots
from results.plots.pareto import pareto_plots
from results.plots.plot import Plot, PlotInfo
from results.plots.searches import search_plots
from results.plots.splits import split_plots
from results.plots.style import Format, render
from results.ranking import LARGEST

#: Names of our own plots; no metric's plot gets one of them, even where we have no such plot.
_OWN = (
    "parameters", "history", "importance", "parallel_coordinates", "pareto_front", "hypervolume",
)  # fmt: skip


def available(results: JobResults) -> tuple[PlotInfo, ...]:
    """Return the plots that the job's numbers allow so far; none before the first report."""
    return tuple(plot.info for plot in _catalog(results).values())


def draw(name: str, results: JobResults, format: Format) -> bytes:  # noqa: A002 - the API's word
    """Return the plot as a file; raise :class:`results.errors.UnknownPlot` if there is none.

    PNG has 300 dots per inch. A plot is 6.4 inches wide and 4.0 high; one of parameters is as high
    or as wide as it has values.
    """
    plots = _catalog(results)
    if name not in plots:
        known = ", ".join(plots) or "none yet"
        raise UnknownPlot(f"the job has no plot called {name!r}; there are: {known}")
    return render(plots[name].draw, plots[name].info.title, format)


@lru_cache(maxsize=1)
def _catalog(results: JobResults) -> dict[str, Plot]:
    drawable = _drawable(results)
    metrics, splits = list(curve_plots(drawable)), list(split_plots(drawable))
    search = [
        plot
        for plots in (pareto_plots, parameter_plots, search_plots, coordinate_plots)
        for plot in plots(drawable)
    ]
    parameters = dict.fromkeys(name for trial in results.trials for name in trial.parameters)
    own = [*_OWN, *(f"parameter_{name}" for name in parameters)]
    own_names = dict(zip(own, plot_names(own), strict=True))
    # Metrics are named before splits: a metric's plot keeps its name when others are reported.
    names = plot_names((plot.info.name for plot in [*metrics, *splits]), own_names.values())
    names += [own_names[plot.info.name] for plot in search]
    return {
        name: replace(plot, info=replace(plot.info, name=name))
        for name, plot in zip(names, [*metrics, *splits, *search], strict=True)
    }


def _drawable(results: JobResults) -> JobResults:
    """Return the results without numbers that overflow in the arithmetic of axes and colors."""
    trials = tuple(
        replace(t, metrics={name: _tamed(value) for name, value in t.metrics.items()})
        for t in results.trials
    )
    curves = {
        number: replace(c, metrics={name: tuple(map(_tamed, v)) for name, v in c.metrics.items()})
        for number, c in results.curves.items()
    }
    return replace(results, trials=trials, curves=curves)


def _tamed(value: float | None) -> float:
    """Return NaN for no value and for one above `LARGEST`, which a diverging loss may reach."""
    if value is None or abs(value) > LARGEST:
        return math.nan
    return 0.0 if abs(value) < 1e-100 else value
