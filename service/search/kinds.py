"""How each of Optuna's samplers is made and used."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from optuna.distributions import FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import (
    BaseSampler,
    CmaEsSampler,
    NSGAIISampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)
from optuna.trial import FrozenTrial, create_trial

from search_spaces import SearchSpace
from service.search.gaussian import RobustGPSampler
from service.search.levels import ENOUGH

#: Draws of configurations that the job has already, after which another way is taken.
MOST_DRAWS = 100
#: Where Optuna's NSGA-II keeps the generation of a trial.
_GENERATION = "NSGAIISampler:generation"


@dataclass(frozen=True, slots=True)
class Kind:
    """How one of Optuna's samplers is used.

    ``make(space, seed, former)`` makes one; ``former`` are complete trials that it did not draw.
    ``has_model``: whether it uses what was observed. ``random_part``: which part of configurations
    is drawn at random where a scheduler compares trials at rungs, whose values may mislead the
    model (docs/search.md has the measurement). ``is_slow``: whether it is asked ahead. ``draws``:
    how often it is asked for a new configuration before random ones are tried. ``goes_on``: whether
    one that is made again amid a job first draws what the job has, 0.3 ms each, and then what would
    have followed. Sobol points take 3 ms each, and a job may have 10,000.
    """

    make: Callable[[SearchSpace, int, Sequence[FrozenTrial]], BaseSampler]
    has_model: bool = True
    random_part: float = 0.0
    is_slow: bool = False
    draws: int = MOST_DRAWS
    goes_on: bool = False

    def attributes(self, space: SearchSpace, index: int) -> dict[str, Any]:
        """Return what Optuna keeps with the former trial ``index``, as if it had drawn it."""
        return {_GENERATION: index // _population(space)} if self.make is _nsga2 else {}


def _random(_: SearchSpace, seed: int, __: Sequence[FrozenTrial]) -> BaseSampler:
    return RandomSampler(seed=seed)


def _sobol(_: SearchSpace, seed: int, __: Sequence[FrozenTrial]) -> BaseSampler:
    """Return scrambled Sobol points (Owen, 1998), which fill the space more evenly."""
    with _experimental():
        return QMCSampler(
            qmc_type="sobol", scramble=True, seed=seed, warn_independent_sampling=False
        )


def _tpe(_: SearchSpace, seed: int, __: Sequence[FrozenTrial]) -> BaseSampler:
    return TPESampler(seed=seed, n_startup_trials=ENOUGH)


def _gp(_: SearchSpace, seed: int, __: Sequence[FrozenTrial]) -> BaseSampler:
    return RobustGPSampler(
        seed=seed,
        n_startup_trials=ENOUGH,
        deterministic_objective=False,
        warn_independent_sampling=False,
    )


def _cmaes(_: SearchSpace, seed: int, former: Sequence[FrozenTrial]) -> BaseSampler:
    """Return CMA-ES, begun where the former trials were best (Nomura et al., 2021, WS-CMA-ES)."""
    numeric = [found for trial in former if (found := _numeric(trial))]
    with _experimental():
        return CmaEsSampler(
            seed=seed,
            source_trials=numeric if len(numeric) >= ENOUGH else None,
            warn_independent_sampling=False,
        )


def _nsga2(space: SearchSpace, seed: int, __: Sequence[FrozenTrial]) -> BaseSampler:
    return NSGAIISampler(seed=seed, population_size=_population(space))


def _numeric(trial: FrozenTrial) -> FrozenTrial | None:
    """Return a trial with its parameters that CMA-ES draws alone; None if there are none."""
    distributions = {
        name: distribution
        for name, distribution in trial.distributions.items()
        if isinstance(distribution, FloatDistribution | IntDistribution)
        and not distribution.single()
    }
    if not distributions:
        return None
    params = {name: trial.params[name] for name in distributions}
    return create_trial(value=trial.value, params=params, distributions=distributions)


def _population(space: SearchSpace) -> int:
    """Return the size of NSGA-II's generations: a fifth of the trials, from 10 to 50."""
    return max(10, min(50, (space.trials or 0) // 5))


@contextmanager
def _experimental() -> Iterator[None]:
    """Leave out Optuna's warning that something may change in a later version."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield


#: By the name of the strategy.
KINDS: Mapping[str, Kind] = {
    "random": Kind(_random, has_model=False, goes_on=True),
    "sobol": Kind(_sobol, has_model=False),
    "tpe": Kind(_tpe, random_part=0.5),
    "gp": Kind(_gp, is_slow=True, draws=2),
    "cmaes": Kind(_cmaes),
    "nsga2": Kind(_nsga2),
}
