"""Several objectives: the Pareto front among all configurations."""

from __future__ import annotations

from collections.abc import Sequence

from results.analysis import JobResults
from results.figures.figure import Figure, axis, figure, marks, thinned
from results.plots.pareto import objective_points
from results.plots.scales import Scale
from results.wording import axis_label


def pareto_front(results: JobResults, _: Sequence[str]) -> Figure:
    """Return the configurations by their first two objectives, those of the front marked."""
    points = objective_points(results)
    first, second = (results.info(each.metric) for each in results.space.objectives[:2])
    modes = [each.mode for each in results.space.objectives]
    front = sorted((p for p in points if p.is_front), key=lambda p: (p.second, p.first))
    others = thinned([p for p in points if not p.is_front])
    # With a third objective, the front is no line in the plane of the first two.
    joined = {"mode": "lines+markers"} if len(modes) == 2 else {}
    traces = [
        marks([p.second for p in found], [p.first for p in found], [p.trial for p in found],
              name, color, **more)
        for found, name, color, more in (
            (others, "one configuration", "--series-8", {}),
            (front, f"Pareto front ({len(front)})", "--series-2", joined),
        )
        if found
    ]  # fmt: skip
    return figure(
        traces,
        axis(axis_label(second), Scale.of([p.second for p in points], modes[1])),
        axis(axis_label(first), Scale.of([p.first for p in points], modes[0])),
    )
