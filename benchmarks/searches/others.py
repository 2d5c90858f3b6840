"""The searches that ours are compared with, by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler

from benchmarks.searches.competitors import PlainOptuna, RayAsha, ShortRunThenBest
from benchmarks.searches.methods import FIRST_RUNG, REDUCTION_FACTOR, Entry
from benchmarks.searches.problems import Problem
from benchmarks.searches.simulated import Method

_SAMPLERS: dict[str, Callable[..., BaseSampler]] = {
    "random": RandomSampler,
    "tpe": TPESampler,
    "gp": GPSampler,
}


def _pruner(name: str, problem: Problem) -> BasePruner | None:
    if name == "median":
        return MedianPruner(n_warmup_steps=FIRST_RUNG)
    if name == "hyperband":
        return HyperbandPruner(
            min_resource=FIRST_RUNG,
            max_resource=problem.space.epochs,
            reduction_factor=REDUCTION_FACTOR,
        )
    return None


def _optuna(sampler: str, pruner: str, problem: Problem, seed: int, _: float) -> Method:
    return PlainOptuna(problem, _SAMPLERS[sampler](seed=seed), _pruner(pruner, problem))


def _ray(sampler: str, problem: Problem, seed: int, _: float) -> Method:
    return RayAsha(
        problem,
        _SAMPLERS[sampler](seed=seed),
        grace_period=FIRST_RUNG,
        reduction_factor=REDUCTION_FACTOR,
    )


def _short(problem: Problem, seed: int, trainings: float) -> Method:
    return ShortRunThenBest(problem, seed=seed, trainings=trainings, short=FIRST_RUNG)


_SHOWN = {"random": "random", "tpe": "TPE", "gp": "GP"}
_PRUNERS = {
    "": "no pruner",
    "median": "MedianPruner",
    "hyperband": "HyperbandPruner",
}

OTHERS: tuple[Entry, ...] = (
    *(
        Entry(
            "-".join(filter(None, ("optuna", sampler, pruner))),
            f"Optuna, {_SHOWN[sampler]}" + (f", {_PRUNERS[pruner]}" if pruner else ""),
            partial(_optuna, sampler, pruner),
            by_epochs=bool(pruner),
            is_drawn=not pruner or (sampler, pruner) == ("tpe", "hyperband"),
        )
        for sampler in _SAMPLERS
        for pruner in _PRUNERS
    ),
    Entry(
        "ray-asha-random",
        "Ray Tune's ASHA, random",
        partial(_ray, "random"),
        by_epochs=True,
        is_drawn=True,
    ),
    Entry("ray-asha-tpe", "Ray Tune's ASHA, TPE", partial(_ray, "tpe"), by_epochs=True),
    Entry(
        "short-then-best",
        "2 epochs each, then the best to the end",
        _short,
        by_epochs=True,
        one_budget=True,
    ),
)
