"""The figures, by name: which a job has, and why it has no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from results.analysis import JobResults
from results.errors import BadParameters, NoFigure, UnknownFigure
from results.figures import course, objectives, parameters
from results.figures.figure import MOST_MARKS, Figure, FigureInfo
from results.figures.parameters import choosable, having, likely, likely_pair, pair_among
from results.figures.plain import plain
from results.formatting import count
from results.plots.early import ended_early, said
from results.plots.searches import FEWEST_TRIALS, has_importances
from results.wording import in_sentence, listing

#: The most parameters side by side, and how many are shown where none is chosen.
_MOST_SLICES, _FIRST_SLICES = 6, 4


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of figure.

    ``caption`` has ``{metric}`` where the metric is named. ``why_not`` says why a job has no such
    figure, "" if it has. ``choose`` chooses parameters where nobody did.
    """

    title: str
    caption: str
    why_not: Callable[[JobResults], str]
    draw: Callable[[JobResults, Sequence[str]], Figure]
    least: int = 0
    most: int = 0
    choose: Callable[[JobResults], Sequence[str]] = lambda _: ()
    draws_all: bool = True


def _unranked(results: JobResults) -> str:
    return "" if results.ranked else "no configuration has a result yet"


def _no_history(results: JobResults) -> str:
    if results.breaks_all:
        return "no configuration meets the constraints"
    shown = len(results.ranked) + len(ended_early(results).trials)
    if shown > 1:
        return ""
    return "only one trial has a result" if shown else "no configuration has a result yet"


def _few_importances(results: JobResults) -> str:
    if has_importances(results):
        return ""
    return (
        f"it takes {FEWEST_TRIALS} configurations with results that differ, and two parameters of"
        f" which each was tried with several values; the job has {len(results.ranked)}"
    )


def _unvaried(results: JobResults) -> str:
    if choosable(results):
        return ""
    return "no parameter has two values among the configurations that have a result"


def _no_pair(results: JobResults) -> str:
    if pair_among(results, choosable(results)):
        return ""
    return "no two parameters have two values each among the configurations that have a result"


def _no_curves(results: JobResults) -> str:
    return "" if course.curved(results) else "no trial has reported the metric yet"


def _not_started(results: JobResults) -> str:
    return "" if course.started(results) else "no trial has begun yet"


def _one_objective(results: JobResults) -> str:
    return _unranked(results) if results.space.secondary else "the search has one objective"


_KINDS = {
    "history": _Kind(
        "History", "Last {metric} of each configuration, and the best so far.",
        _no_history, course.history, draws_all=False,
    ),
    "importance": _Kind(
        "Importance of the parameters",
        "How much each parameter decided whether a trial was among the best ones (PED-ANOVA).",
        _few_importances, parameters.importance,
    ),
    "slice": _Kind(
        "By each parameter",
        "Last {metric} by the value of each parameter; later trials are lighter.",
        _unvaried, parameters.slices, 1, _MOST_SLICES,
        lambda results: likely(results, _FIRST_SLICES), draws_all=False,
    ),
    "contour": _Kind(
        "Contour", "Last {metric} over two parameters, interpolated between the configurations.",
        _no_pair, parameters.contour, 2, 2, likely_pair, draws_all=False,
    ),
    "rank": _Kind(
        "Rank", "The configurations by two parameters, colored by the rank of their {metric}.",
        _no_pair, parameters.rank, 2, 2, likely_pair, draws_all=False,
    ),
    "edf": _Kind(
        "Distribution of the values",
        "The share of the configurations whose {metric} is at or below a value.",
        _unranked, course.distribution,
    ),
    "intermediate_values": _Kind(
        "Curves",
        f"{{metric}} by epoch, of many trials the best {course.MOST_CURVES}; dotted: stopped.",
        _no_curves, course.curves,
    ),
    "timeline": _Kind(
        "Timeline", "When each trial ran, from its last start to its end.",
        _not_started, course.timeline,
    ),
    "pareto_front": _Kind(
        "Pareto front", "Each configuration by {objectives}; no other is better in all objectives"
        " than those on the front.", _one_objective, objectives.pareto_front, draws_all=False,
    ),
}  # fmt: skip


def available(results: JobResults) -> tuple[FigureInfo, ...]:
    """Return all figures; those that the job has not, or not yet, say why."""
    return tuple(_info(name, kind, results) for name, kind in _KINDS.items())


def draw(name: str, results: JobResults, chosen: Sequence[str] = ()) -> Figure:
    """Return a figure, for the ``chosen`` parameters or for those that say most.

    Raises :class:`results.errors.UnknownFigure`, :class:`results.errors.NoFigure` where the job has
    no such figure, and :class:`results.errors.BadParameters`.
    """
    kind = _KINDS.get(name)
    if kind is None:
        raise UnknownFigure(f"there is no figure called {name!r}; there are: {', '.join(_KINDS)}")
    why_not = kind.why_not(results)
    if why_not:
        raise NoFigure(f"job {results.job.id} has no figure {name}: {why_not}")
    names = list(dict.fromkeys(chosen)) or list(kind.choose(results))
    if chosen:
        _check(name, kind, results, names)
    drawn: Figure = plain(kind.draw(results, names))
    drawn["layout"]["meta"] = {"parameters": names}
    return drawn


def _check(name: str, kind: _Kind, results: JobResults, names: Sequence[str]) -> None:
    """Raise :class:`results.errors.BadParameters` unless the figure can show these parameters."""
    if not kind.most:
        raise BadParameters(f"figure {name} takes no parameter", hint="leave `parameter` out")
    known = choosable(results)
    unknown = [one for one in names if one not in known]
    hint = f"choose among {listing(known)}"
    if unknown:
        raise BadParameters(f"figure {name} cannot show {unknown[0]!r}", hint=hint)
    if not kind.least <= len(names) <= kind.most:
        wanted = str(kind.most) if kind.least == kind.most else f"{kind.least} to {kind.most}"
        raise BadParameters(f"figure {name} takes {wanted} parameters, not {len(names)}", hint=hint)
    if kind.most == 2 and not having(results, names):
        detail = f"{listing(names)} have not two values each in configurations that have both"
        raise BadParameters(detail, hint=hint)


def _info(name: str, kind: _Kind, results: JobResults) -> FigureInfo:
    why_not, ranked = kind.why_not(results), len(results.ranked)
    metrics = [in_sentence(results.info(each.metric)) for each in results.space.objectives[:2]]
    caption = kind.caption.format(metric=in_sentence(results.metric), objectives=listing(metrics))
    caption = caption[:1].upper() + caption[1:]
    caption += said(ended_early(results)) if name == "history" else ""
    most = parameters.MOST_UNDER_CONTOUR if name == "contour" else MOST_MARKS
    if ranked > most and not kind.draws_all:
        caption += f" Marks for {most} of {count(ranked, 'configuration')}, evenly chosen."
    early = len(ended_early(results).trials) if name == "history" else 0
    if early > MOST_MARKS:
        caption += f" Hollow marks for {MOST_MARKS} of {early}, evenly chosen."
    names = choosable(results) if kind.most and not why_not else ()
    return FigureInfo(name, kind.title, caption, why_not, names, kind.least, kind.most)
