"""Several objectives: the Pareto front, and how it grew in the course of the search."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from matplotlib.figure import Figure

from results.analysis import JobResults
from results.pareto import front_numbers, hypervolume
from results.plots import style
from results.plots.plot import Plot, PlotInfo
from results.plots.scales import Scale
from results.ranking import loss_of
from results.wording import axis_label, in_sentence, listing


class ObjectivePoint(NamedTuple):
    """A configuration by its first trial, with its first two objectives."""

    trial: int
    first: float
    second: float
    is_front: bool


def pareto_plots(results: JobResults) -> Iterator[Plot]:
    """Yield the front and its growth, of a search with several objectives."""
    found = objective_points(results)
    if not found:
        return
    names = [in_sentence(results.info(each.metric)) for each in results.space.objectives]
    caption = f"Each ranked configuration by {listing(names[:2])}; no other one is better in both"
    caption += " than those on the line."
    if len(names) > 2:
        caption = (
            f"Each ranked configuration by {listing(names[:2])}, the first two of {len(names)}"
        )
        caption += " objectives. No other one is better in all of them than the marked ones."
    info = PlotInfo("pareto_front", "Pareto front", caption)
    yield Plot(info, partial(draw_front, results=results))
    if len(names) == 2 and len(found) > 1:
        caption = "The area that the configurations so far dominate, as a share of the rectangle"
        caption += " between the best and the worst value of each objective."
        info = PlotInfo("hypervolume", "Growth of the Pareto front", caption)
        yield Plot(info, partial(draw_growth, results=results))


def objective_points(results: JobResults) -> list[ObjectivePoint]:
    """Return the ranked configurations by number; empty for one objective."""
    if not results.space.secondary:
        return []
    return sorted(
        ObjectivePoint(one.trial.number, one.values[0], one.values[1], one.front == 0)
        for one in results.ranking.configurations
    )


def growth(results: JobResults) -> list[tuple[int, float]]:
    """Return each configuration's number with the share that is dominated up to it, 0 to 1.

    In the order of their numbers, scaled to the best and the worst value of each objective.
    """
    found = objective_points(results)
    modes = [objective.mode for objective in results.space.objectives]
    losses = [(loss_of(p.first, modes[0]), loss_of(p.second, modes[1])) for p in found]
    low = [min(column) for column in zip(*losses, strict=True)]
    spans = [
        max(column) - least for column, least in zip(zip(*losses, strict=True), low, strict=True)
    ]
    shares: list[tuple[int, float]] = []
    front: list[tuple[float, float]] = []
    for point, loss in zip(found, losses, strict=True):
        x, y = ((v - b) / (s or 1.0) for v, b, s in zip(loss, low, spans, strict=True))
        front.append((x, y))
        front = [p for p, n in zip(front, front_numbers(front), strict=True) if n == 0]
        shares.append((point.trial, hypervolume(front, (1.0, 1.0))))
    return shares


def draw_front(figure: Figure, results: JobResults) -> None:
    """Draw the configurations by their first two objectives, the front in front."""
    axes = figure.add_subplot()
    found = objective_points(results)
    first, second = (results.info(each.metric) for each in results.space.objectives[:2])
    others = [point for point in found if not point.is_front]
    front = sorted((point.second, point.first) for point in found if point.is_front)
    if others:
        style.draw_trials(axes, [p.second for p in others], [p.first for p in others])
    joined = "-" if len(results.space.objectives) == 2 else ""
    axes.plot(
        *zip(*front, strict=True), joined, marker="o", color=style.BEST_COLOR,
        label=f"Pareto front ({len(front)})",
    )  # fmt: skip
    modes = [objective.mode for objective in results.space.objectives]
    Scale.of([point.first for point in found], modes[0]).set_on(axes, "y")
    Scale.of([point.second for point in found], modes[1]).set_on(axes, "x")
    style.finish(axes, axis_label(second), axis_label(first))


def draw_growth(figure: Figure, results: JobResults) -> None:
    """Draw the share that is dominated after each configuration, as a staircase."""
    axes = figure.add_subplot()
    numbers, shares = zip(*growth(results), strict=True)
    axes.step(numbers, shares, color=style.ACCENT_COLOR, where="post", lw=2)
    axes.set_ylim(0, 1)
    style.whole_ticks(axes)
    style.finish(axes, "Trial", "Hypervolume, as a share")
