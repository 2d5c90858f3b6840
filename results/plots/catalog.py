"""Which plots a job has, under which names, and what they show."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from matplotlib.figure import Figure

from results.analysis import DISTANCE, LISTING_STRATEGIES, JobResults
from results.comparison import compare, varied_parameters
from results.errors import UnknownPlot
from results.plots import curves, searches
from results.plots.parameters import draw_parameter
from results.plots.study import FEWEST_TRIALS, has_importances
from results.plots.style import Format, render
from results.records import Curve, JobRecord, MetricInfo, TrialRecord
from results.wording import count, in_sentence, listing


@dataclass(frozen=True, slots=True)
class PlotInfo:
    """A plot's name (as in its URL), its title and a caption that says what is seen."""

    name: str
    title: str
    caption: str


@dataclass(frozen=True, slots=True)
class _Plot:
    info: PlotInfo
    draw: Callable[[Figure], None]


def available(
    job: JobRecord,
    trials: Sequence[TrialRecord],
    curves: Sequence[Curve],
    metrics: Mapping[str, MetricInfo],
) -> tuple[PlotInfo, ...]:
    """Return the plots that the job's numbers allow so far; none before the first report."""
    return tuple(plot.info for plot in _catalog(_drawable(job, trials, curves, metrics)))


def draw(
    name: str,
    job: JobRecord,
    trials: Sequence[TrialRecord],
    curves: Sequence[Curve],
    metrics: Mapping[str, MetricInfo],
    format: Format,  # noqa: A002 - the word of the API
) -> bytes:
    """Return the plot as a file; raise :class:`results.errors.UnknownPlot` if there is none.

    PNG is 1920 by 1200 pixels; SVG and PDF are 6.4 by 4.0 inches.
    """
    plots = {p.info.name: p for p in _catalog(_drawable(job, trials, curves, metrics))}
    if name not in plots:
        known = ", ".join(plots) or "none yet"
        raise UnknownPlot(f"the job has no plot called {name!r}; there are: {known}")
    return render(plots[name].draw, plots[name].info.title, format)


def _drawable(
    job: JobRecord,
    trials: Sequence[TrialRecord],
    curves: Sequence[Curve],
    metrics: Mapping[str, MetricInfo],
) -> JobResults:
    tamed_trials = [
        replace(trial, metrics={name: _tamed(value) for name, value in trial.metrics.items()})
        for trial in trials
    ]
    tamed_curves = [
        replace(c, metrics={name: tuple(map(_tamed, v)) for name, v in c.metrics.items()})
        for c in curves
    ]
    return JobResults.of(job, tamed_trials, tamed_curves, metrics)


def _tamed(value: float) -> float:
    # A diverging loss may reach 1e300: finite, but the arithmetic of axes and colors overflows.
    if abs(value) > 1e100:
        return math.nan
    return 0.0 if abs(value) < 1e-100 else value


def _catalog(results: JobResults) -> Iterator[_Plot]:
    yield from _metric_plots(results)
    yield from _split_plots(results)
    if results.ranking():
        yield from _parameter_plots(results)
        yield from _search_plots(results)


def _metric_plots(results: JobResults) -> Iterator[_Plot]:
    for name in results.metric_names:
        numbers = curves.trials_with(results, name)
        if not numbers:
            continue
        label = in_sentence(results.info(name))
        log = name == DISTANCE
        caption = f"{label[:1].upper()}{label[1:]} after each epoch, {count(len(numbers), 'trial')}"
        caption += ", logarithmic axis." if log else "."
        if len(numbers) > curves.MOST_LABELLED:
            caption += " The best one is blue, in front of the others in gray."
        info = PlotInfo(name, results.info(name).label, caption)
        yield _Plot(info, partial(curves.draw_metric, results=results, metric=name, log=log))


def _split_plots(results: JobResults) -> Iterator[_Plot]:
    best = results.best
    shown = best.number if best is not None else min(results.curves, default=None)
    if shown is None or shown not in results.curves:
        return
    for quantity, names in curves.split_groups(results).items():
        labels = [in_sentence(results.info(name)) for name in names]
        text = listing(labels)
        whose = "" if len(results.trials) == 1 else f" of trial {shown}"
        caption = f"{text[:1].upper()}{text[1:]}{whose} after each epoch;"
        caption += f" the circle marks the best {labels[-1]}."
        info = PlotInfo(quantity, f"{curves.quantity(quantity)} on each part of the data", caption)
        yield _Plot(info, partial(curves.draw_splits, results=results, trial=shown, metrics=names))


def _parameter_plots(results: JobResults) -> Iterator[_Plot]:
    label = in_sentence(results.metric)
    for name in varied_parameters(results):
        comparison = compare(results, name)
        caption = f"Last {label} of each trial by {name}"
        if comparison is not None and all(row.trials == 1 for row in comparison.rows):
            caption += ", the other parameters at their defaults"
        elif comparison is not None:
            caption += ", with the mean for each value"
        info = PlotInfo(f"parameter_{name}", f"Effect of {name}", f"{caption}.")
        yield _Plot(info, partial(draw_parameter, results=results, parameter=name))


def _search_plots(results: JobResults) -> Iterator[_Plot]:
    scored, label = len(results.ranking()), in_sentence(results.metric)
    if results.strategy not in LISTING_STRATEGIES:
        caption = f"Last {label} of each trial in the order sampled, and the best so far."
        info = PlotInfo("history", "History of the search", caption)
        yield _Plot(info, partial(searches.draw_history, results=results))
    if has_importances(results):
        caption = (
            "How much each parameter decided whether a trial was among the best ones"
            f" (PED-ANOVA over {scored} trials)."
        )
        info = PlotInfo("importance", "Importance of the parameters", caption)
        yield _Plot(info, partial(searches.draw_importance, results=results))
    if scored >= FEWEST_TRIALS and len(varied_parameters(results)) > 1:
        caption = f"Each line is a trial, colored by its {label}; the best one is thick."
        caption += " A line breaks where a parameter did not apply."
        info = PlotInfo("parallel_coordinates", "All parameters together", caption)
        yield _Plot(info, partial(searches.draw_parallel_coordinates, results=results))
