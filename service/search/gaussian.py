"""A Gaussian process that searches wide ranges of steps as ranges without steps.

Optuna's searches a numeric parameter with more than 16 steps value by value, one evaluation of its
model each: most of the time of a suggestion. Without steps all parameters are searched at once, by
gradients; between so many steps the nearest one is as good.
"""

from __future__ import annotations

from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import GPSampler
from optuna.trial import FrozenTrial

#: Ranges with more values than this have no steps for the model.
MOST_STEPS = 16


class WideGPSampler(GPSampler):  # type: ignore[misc]
    """Optuna's ``GPSampler`` for spaces with wide ranges of whole numbers or of steps."""

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return what the model suggests, each value of a wide range on the nearest step."""
        wide = {name: found for name, found in search_space.items() if _is_wide(found)}
        smooth = {name: _without_steps(found) for name, found in wide.items()}
        params = super().sample_relative(study, trial, {**search_space, **smooth})
        drawn = params.keys() & wide.keys()
        return {**params, **{name: _on_step(params[name], wide[name]) for name in drawn}}


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
