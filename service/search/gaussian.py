"""Optuna's Gaussian process, for wide ranges of steps and for losses far worse than others.

Optuna's searches a numeric parameter with more than 16 steps value by value, one evaluation of its
model each: most of the time of a suggestion. Without steps all parameters are searched at once, by
gradients; between so many steps the nearest one is as good.

It also scales losses, and what constraints are violated by, by their standard deviation. One
training that nearly diverged makes that so large that all others look alike, so values that are far
from the others are cut off for the model.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna import Study
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import GPSampler
from optuna.trial import FrozenTrial

from service.search.levels import Values
from service.search.told import complete, is_failure

#: Ranges with more values than this have no steps for the model.
MOST_STEPS = 16
#: A value is cut off where it is so many times the median distance from the best, or from a limit.
FAR = 6.0


class RobustGPSampler(GPSampler):  # type: ignore[misc]
    """Optuna's ``GPSampler`` for objectives to minimize, with losses bounded and ranges smooth."""

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return what the model suggests, each value of a wide range on the nearest step."""
        wide = {name: found for name, found in search_space.items() if _is_wide(found)}
        smooth = {name: _without_steps(found) for name, found in wide.items()}
        params = super().sample_relative(study, trial, {**search_space, **smooth})
        drawn = params.keys() & wide.keys()
        return {**params, **{name: _on_step(params[name], wide[name]) for name in drawn}}

    def _sample_relative_impl(
        self, study: Study, completed_trials: list[FrozenTrial], *others: Any
    ) -> dict[str, Any]:
        """Let the model see bounded values; Optuna has no public place for it."""
        reported = np.array([not is_failure(trial) for trial in completed_trials])
        losses = cut_off(_table(trial.values for trial in completed_trials), reported)
        excess = bounded(_table(trial.constraints.values() for trial in completed_trials), reported)
        seen = [
            complete(trial, Values(tuple(one), tuple(other)))
            for trial, one, other in zip(completed_trials, losses, excess, strict=True)
        ]
        suggestion: dict[str, Any] = super()._sample_relative_impl(study, seen, *others)
        return suggestion


def _table(rows: Iterable[Iterable[float]]) -> NDArray[np.float64]:
    return np.array([list(row) for row in rows], dtype=np.float64)


def cut_off(losses: NDArray[np.float64], reported: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return losses, a row a trial and a column an objective, without those far from the best.

    Each that is further above its column's least is :data:`FAR` typical distances above it.
    ``reported`` has a place a trial, at least one of them true: only these trials say what is
    typical. Many failures that count as one huge loss would make that loss the typical one.
    """
    least = losses[reported].min(axis=0)
    highest = least + FAR * _typical(losses[reported] - least)
    cut: NDArray[np.float64] = np.minimum(losses, highest)
    return cut


def bounded(excess: NDArray[np.float64], reported: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return by how much constraints are violated, within :data:`FAR` typical distances of 0.

    A row a trial and a column a constraint, met at 0 and below as before. ``reported`` is as in
    :func:`cut_off`.
    """
    most = FAR * _typical(np.abs(excess[reported]))
    clipped: NDArray[np.float64] = np.clip(excess, -most, most)
    return clipped


def _typical(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of each column's distances that are not 0; 0 where all are."""
    return np.array(
        [np.median(column[column > 0]) if column.any() else 0.0 for column in distances.T]
    )


def _is_wide(distribution: BaseDistribution) -> bool:
    if not isinstance(distribution, FloatDistribution | IntDistribution):
        return False
    step = distribution.step
    return step is not None and (distribution.high - distribution.low) / step >= MOST_STEPS


def _without_steps(wide: FloatDistribution | IntDistribution) -> FloatDistribution:
    """Return the range with half a step more at both ends: the first and last get as much room."""
    half = wide.step / 2
    return FloatDistribution(wide.low - half, wide.high + half, log=wide.log)


def _on_step(value: float, wide: FloatDistribution | IntDistribution) -> int | float:
    nearest = wide.low + wide.step * round((value - wide.low) / wide.step)
    within: int | float = min(max(nearest, wide.low), wide.high)
    return within
