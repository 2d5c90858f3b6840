"""Optuna's Gaussian process, for wide ranges of steps and for losses far worse than others.

Optuna's searches a numeric parameter with more than 16 steps value by value, one evaluation of its
model each: most of the time of a suggestion. Without steps all parameters are searched at once, by
gradients; between so many steps the nearest one is as good.

It also scales losses by their standard deviation. One training that nearly diverged makes that so
large that all others look alike, so losses that are far above the median are cut off for the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna import Study
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import GPSampler
from optuna.trial import FrozenTrial, create_trial

#: Ranges with more values than this have no steps for the model.
MOST_STEPS = 16
#: A loss is cut off where it is so many times as far above the median as the best one is below it.
FAR = 3.0


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
        """Let the model see bounded losses; Optuna has no public place for it."""
        losses = bounded(np.array([trial.values for trial in completed_trials], dtype=np.float64))
        seen = [_with(trial, row) for trial, row in zip(completed_trials, losses, strict=True)]
        suggestion: dict[str, Any] = super()._sample_relative_impl(study, seen, *others)
        return suggestion


def bounded(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return losses, a row a trial and a column an objective, cut off :data:`FAR` above the median.

    Where more than half of a column are its least one there is no bound.
    """
    middle = np.median(losses, axis=0)
    below = middle - losses.min(axis=0)
    return np.minimum(losses, middle + FAR * np.where(below > 0, below, np.inf))


def _with(trial: FrozenTrial, losses: Sequence[float] | NDArray[np.float64]) -> FrozenTrial:
    return create_trial(
        values=[float(loss) for loss in losses],
        params=trial.params,
        distributions=trial.distributions,
        system_attrs=trial.system_attrs,
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
