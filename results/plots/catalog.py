"""Which plots a job has, under which names, and what they show."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from matplotlib.figure import Figure

from results.analysis import MOST_SHOWN, JobResults
from results.comparison import basis, describe_trial
from results.errors import UnknownPlot
from results.formatting import count
from results.plots import curves, searches
from results.plots.parameters import (
    ValueDot,
    draw_parameter,
    draw_parameters,
    value_dots,
)
from results.plots.study import FEWEST_TRIALS, has_importances
from results.plots.style import Format, render
from results.wording import capitalized, in_sentence, listing, words


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


def available(results: JobResults) -> tuple[PlotInfo, ...]:
    """Return the plots that the job's numbers allow so far; none before the first report."""
    return tuple(plot.info for plot in _catalog(results).values())


def draw(name: str, results: JobResults, format: Format) -> bytes:  # noqa: A002 - the API's word
    """Return the plot as a file; raise :class:`results.errors.UnknownPlot` if there is none.

    PNG has 300 dots per inch; a plot is 6.4 inches wide and 4.0 high, that of all parameters as
    high as it has values.
    """
    plots = _catalog(results)
    if name not in plots:
        known = ", ".join(plots) or "none yet"
        raise UnknownPlot(f"the job has no plot called {name!r}; there are: {known}")
    return render(plots[name].draw, plots[name].info.title, format)


@lru_cache(maxsize=1)
def _catalog(results: JobResults) -> dict[str, _Plot]:
    return {plot.info.name: plot for plot in _plots(_drawable(results))}


def _drawable(results: JobResults) -> JobResults:
    tamed_trials = [
        replace(trial, metrics={name: _tamed(value) for name, value in trial.metrics.items()})
        for trial in results.trials
    ]
    tamed_curves = {
        number: replace(c, metrics={name: tuple(map(_tamed, v)) for name, v in c.metrics.items()})
        for number, c in results.curves.items()
    }
    return replace(results, trials=tuple(tamed_trials), curves=tamed_curves)


def _tamed(value: float) -> float:
    # A diverging loss may reach 1e300: finite, but the arithmetic of axes and colors overflows.
    if abs(value) > 1e100:
        return math.nan
    return 0.0 if abs(value) < 1e-100 else value


def _plots(results: JobResults) -> Iterator[_Plot]:
    yield from _metric_plots(results)
    yield from _split_plots(results)
    if results.ranked:
        yield from _parameter_plots(results)
        yield from _search_plots(results)


def _metric_plots(results: JobResults) -> Iterator[_Plot]:
    for name in results.metric_names:
        shown = curves.metric_axis(results, name)
        if shown is None:
            continue
        info = PlotInfo(name, results.info(name).label, _metric_caption(results, shown))
        yield _Plot(info, partial(curves.draw_metric, results=results, shown=shown))


def _metric_caption(results: JobResults, shown: curves.MetricAxis) -> str:
    info = results.info(shown.metric)
    during = "during each epoch, mean over its samples as they are trained on"
    measured = during if info.measured == "during" else "after each epoch"
    of = count(len(shown.trials), "trial")
    if len(results.shown) < len(results.trials):
        of = f"{len(shown.trials)} of {len(results.trials)} trials, the best among them"
    if not results.shows_all(info):
        of = "the selected trial only"
    caption = f"{capitalized(in_sentence(info))} {measured}, {of}"
    caption += ", logarithmic axis." if shown.log else "."
    if len(shown.trials) > curves.MOST_LABELLED:
        caption += " The best one is blue, in front of the others in gray."
    if shown.outside:
        whose = listing([_named(results, number) for number in shown.outside[:4]])
        more = len(shown.outside) - 4
        whose += f" and {count(more, 'other')}" if more > 0 else ""
        caption += f" The axis is limited to the other trials; it leaves out parts of {whose}."
    return caption


def _named(results: JobResults, number: int) -> str:
    trial = results.trial(number)
    described = "" if trial is None else describe_trial(results, trial)
    return f"trial {number} ({described})" if described else f"trial {number}"


def _split_plots(results: JobResults) -> Iterator[_Plot]:
    best = results.best
    shown = best.number if best is not None else min(results.curves, default=None)
    if shown is None or shown not in results.curves:
        return
    for quantity, names in curves.split_groups(results).items():
        text = listing([in_sentence(results.info(name)) for name in names])
        whose = "" if len(results.trials) == 1 else f" of trial {shown}"
        log = curves.splits_want_log(results, shown, names)
        caption = f"{capitalized(text)}{whose} by epoch{', logarithmic axis' if log else ''}"
        marked = curves.marked_metric(results, names)
        caption += f"; the circle marks the {curves.mark_label(marked)}." if marked else "."
        info = PlotInfo(quantity, f"{curves.quantity(quantity)} on each part of the data", caption)
        yield _Plot(info, partial(curves.draw_splits, results=results, trial=shown, metrics=names))


def _parameter_plots(results: JobResults) -> Iterator[_Plot]:
    label = in_sentence(results.metric)
    for name in results.varied:
        comparison = results.comparisons.get(name)
        caption = f"Last {label} of each trial by {words(name)} ({basis(results, comparison)})"
        if comparison is not None and any(row.trials > 1 for row in comparison.rows):
            caption += ", with the mean for each value"
        scores = [score for _, score in results.ranked]
        log = curves.spans_decades(scores, results.metric.mode)
        caption += ", logarithmic axis." if log else "."
        info = PlotInfo(f"parameter_{name}", f"Effect of the {words(name)}", caption)
        yield _Plot(info, partial(draw_parameter, results=results, parameter=name))
    dots = value_dots(results)
    if len({dot.parameter for dot in dots}) > 1:
        info = PlotInfo("parameters", "Effect of each parameter", _dots_caption(results, dots))
        yield _Plot(info, partial(draw_parameters, results=results))


def _dots_caption(results: JobResults, dots: Sequence[ValueDot]) -> str:
    comparisons = [
        results.comparisons.get(name) for name in dict.fromkeys(d.parameter for d in dots)
    ]
    bases = dict.fromkeys(basis(results, comparison) for comparison in comparisons)
    caption = f"Last {in_sentence(results.metric)} by the value of each parameter"
    caption += f" ({'; '.join(bases)})."
    if any(dot.row.is_default for dot in dots):
        caption += " A hollow diamond is the default."
    if any(dot.outside for dot in dots):
        caption += " Triangles lie outside the axis, at the value written beside them."
    return caption


def _search_plots(results: JobResults) -> Iterator[_Plot]:
    scored, label = len(results.ranked), in_sentence(results.metric)
    if results.space.is_sampled:
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
    if scored >= FEWEST_TRIALS and len(results.varied) > 1:
        line = "a trial" if scored <= MOST_SHOWN else f"one of the {MOST_SHOWN} best trials"
        caption = f"Each line is {line}, colored by its {label}; the best one is thick."
        caption += " A line breaks where a parameter did not apply."
        info = PlotInfo("parallel_coordinates", "All parameters together", caption)
        yield _Plot(info, partial(searches.draw_parallel_coordinates, results=results))
