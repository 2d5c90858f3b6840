"""How the metric depends on the parameters. Optuna draws what lies in their space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from results.analysis import JobResults
from results.comparison import parameter_key
from results.figures.figure import (
    COLORS,
    MOST_MARKS,
    TRIAL_HOVER,
    Figure,
    axis,
    figure,
    thinned,
)
from results.formatting import number, parameter_value
from results.plots.scales import Scale
from results.plots.searches import importances
from results.ranking import Ranked
from results.study import make_study, numbers_of
from results.wording import axis_label

if TYPE_CHECKING:
    from optuna import Study

#: The most configurations under a contour, whose grid grows with their square.
MOST_UNDER_CONTOUR = 120


@lru_cache(maxsize=1)
def choosable(results: JobResults) -> tuple[str, ...]:
    """Return the parameters of which the ranked configurations have two values or more."""
    ranked = [one.trial for one in results.ranking.configurations]

    def values(name: str) -> set[str | None]:
        return {parameter_key(trial, name) for trial in ranked if name in trial.parameters}

    return tuple(name for name in results.varied if len(values(name)) > 1)


def likely(results: JobResults, most: int) -> list[str]:
    """Return the parameters that matter most, where that is known, else the first ones."""
    shares = importances(results)
    return sorted(choosable(results), key=lambda name: -shares.get(name, 0.0))[:most]


def likely_pair(results: JobResults) -> list[str]:
    """Return the two parameters that matter most among those that go together; [] if none do."""
    return pair_among(results, likely(results, len(choosable(results))))


def pair_among(results: JobResults, names: Sequence[str]) -> list[str]:
    """Return the first two of the parameters that go together, [] if none do."""
    pairs = ([x, y] for place, y in enumerate(names) for x in names[:place])
    return next((pair for pair in pairs if having(results, pair)), [])


def having(results: JobResults, names: Sequence[str]) -> bool:
    """Whether configurations that have all the parameters have two values or more of each."""
    found = [one.trial for one in results.ranking.configurations
             if all(name in one.trial.parameters for name in names)]  # fmt: skip
    return all(len({parameter_key(trial, name) for trial in found}) > 1 for name in names)


def importance(results: JobResults, _: Sequence[str]) -> Figure:
    """Return the parameters' importances as bars, the most important one on top."""
    ranked = sorted(importances(results).items(), key=lambda item: item[1])
    trace = {
        "type": "bar", "orientation": "h", "x": [share for _, share in ranked],
        "y": [name for name, _ in ranked], "text": [number(share, 2) for _, share in ranked],
        "hovertemplate": "%{y}: %{x:.3f}<extra></extra>", "meta": {"color": "--series-1"},
    }  # fmt: skip
    return figure([trace], axis("Share of the importance"), axis("", type="category"))


def slices(results: JobResults, chosen: Sequence[str]) -> Figure:
    """Return the metric by the value of each chosen parameter, a mark for each configuration."""
    from optuna.visualization import plot_slice

    study = _study(results, MOST_MARKS)
    label, numbers = axis_label(results.metric), numbers_of(study)
    drawn = _relabelled(plot_slice(study, list(chosen), target_name=label), study, chosen, repr)
    for trace in drawn["data"]:
        trace["customdata"] = [numbers[index] for index in trace["marker"]["color"]]
        trace["hovertemplate"] = TRIAL_HOVER
        scale = trace["marker"].get("showscale", True)
        trace["marker"] = {"color": trace["customdata"], "colorscale": COLORS, "showscale": scale,
                           "line": {"width": 1, "color": "gray"},
                           "colorbar": {"title": {"text": "Trial"}}}  # fmt: skip
    if Scale.of([one.value for one in results.ranking.configurations], results.metric.mode).log:
        for name, member in drawn["layout"].items():
            if name.startswith("yaxis"):
                member["type"] = "log"
    return drawn


def contour(results: JobResults, chosen: Sequence[str]) -> Figure:
    """Return the metric over the plane of two parameters, with the configurations under it."""
    from optuna.visualization import plot_contour

    study = _study(results, MOST_UNDER_CONTOUR)
    label = axis_label(results.metric)
    drawn = _relabelled(plot_contour(study, list(chosen), target_name=label), study, chosen, str)
    plane, configurations, _ = drawn["data"]
    # Dark is the better end, as in the plots.
    plane |= {"colorscale": COLORS, "reversescale": results.metric.mode == "max"}
    _tell_trials(configurations, study, chosen)
    configurations["marker"] = {"color": "#ffffff", "line": {"width": 1, "color": "#404040"}}
    return {**drawn, "data": [plane, configurations]}


def rank(results: JobResults, chosen: Sequence[str]) -> Figure:
    """Return the configurations on the plane of two parameters, colored by their rank."""
    from optuna.visualization import plot_rank

    study = _study(results, MOST_MARKS)
    label = axis_label(results.metric)
    drawn = _relabelled(plot_rank(study, list(chosen), target_name=label), study, chosen, str)
    configurations = drawn["data"][0]
    del configurations["hovertext"]
    _tell_trials(configurations, study, chosen)
    return drawn


def _study(results: JobResults, most: int) -> Study:
    """Return a study of the ranked configurations, of many some, evenly from best to worst."""
    shown: list[Ranked] = thinned(results.ranking.configurations, most)
    return make_study(results.space, shown)


def _tell_trials(trace: dict[str, Any], study: Study, chosen: Sequence[str]) -> None:
    """Let each point of a trace name its trial; Optuna draws those that have both parameters."""
    trials = zip(numbers_of(study), study.get_trials(deepcopy=False), strict=True)
    trace["customdata"] = [n for n, t in trials if all(name in t.params for name in chosen)]
    trace["hovertemplate"] = TRIAL_HOVER


def _relabelled(
    drawn: Any, study: Study, chosen: Sequence[str], written: Callable[[Any], str]
) -> Figure:
    """Return Optuna's figure with values of listed parameters as we write them.

    Its title, template and width are left to the page. ``written`` is how Optuna wrote the values.
    """
    found: Figure = drawn.to_plotly_json()
    for member in ("title", "template", "width"):
        found["layout"].pop(member, None)
    texts = {
        written(value): parameter_value(value)
        for trial in study.get_trials(deepcopy=False)
        for name, domain in trial.distributions.items()
        if name in chosen and hasattr(domain, "choices")
        for value in domain.choices
    }
    for part in (*found["data"], *found["layout"].values()):
        for member in {"x", "y", "categoryarray"} & set(part if isinstance(part, dict) else ()):
            values = part[member]
            if isinstance(values, list | tuple) and any(isinstance(v, str) for v in values):
                part[member] = [texts.get(value, value) for value in values]
    return found
