"""The service's own searches, of the classes that its engine follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from benchmarks.searches.methods import FIRST_RUNG, REDUCTION_FACTOR, Entry
from benchmarks.searches.problems import Problem
from benchmarks.searches.simulated import Method
from results.spec import JobSpec
from search_spaces import Scheduler, SearchSpace, count_distinct
from service.search.budget import BudgetTracker
from service.search.samplers import Sampler, make_sampler
from service.search.schedulers import make_scheduler
from service.search.search import Search


def make_search(space: SearchSpace, *, seed: int, trials: int) -> Search:
    """Return the service's search of a space, made as its engine makes it.

    Drawing takes no simulated time, so a sampler that is asked ahead is waited for.
    """
    return Search(
        JobSpec(name=space.name, space=space, trials=trials, seed=seed),
        records=(),
        values={},
        scheduler=make_scheduler(space.scheduler, epochs=space.epochs),
        sampler=_Waiting(make_sampler(space, seed=seed)),
        budget=BudgetTracker(space, elapsed=lambda: 0.0),
    )


class _Waiting:
    """A sampler whose draws are waited for."""

    def __init__(self, sampler: Sampler) -> None:
        self.draw, self.observe = sampler.draw, sampler.observe
        self.end, self.close = sampler.end, sampler.close

    def is_ready(self) -> bool:
        """Return True: the draw waits."""
        return True


def search(
    strategy: str, scheduler: Scheduler, problem: Problem, seed: int, trainings: float
) -> Method:
    """Return the service's search of a problem, with more trials than the budget allows.

    As in the service, there are no more of them than there are different configurations.
    """
    trials = int(trainings * problem.space.epochs)
    distinct = count_distinct(problem.space)
    trials = trials if distinct is None else min(trials, distinct)
    space = replace(problem.space, strategy=strategy, scheduler=scheduler, trials=trials)
    return make_search(space, seed=seed, trials=trials)


_TITLES = {"random": "random", "tpe": "TPE", "gp": "GP"}
_SCHEDULERS: Mapping[str, Scheduler] = {
    "none": Scheduler("none"),
    "asha": Scheduler("asha", min_epochs=FIRST_RUNG, reduction_factor=REDUCTION_FACTOR),
    "hyperband": Scheduler("hyperband", min_epochs=FIRST_RUNG, reduction_factor=REDUCTION_FACTOR),
    "median": Scheduler("median", min_epochs=FIRST_RUNG),
}

OURS: tuple[Entry, ...] = tuple(
    Entry(
        f"argbest-{strategy}-{name}" if name != "none" else f"argbest-{strategy}",
        f"argbest, {_TITLES[strategy]}" + ("" if name == "none" else f", {name}"),
        partial(search, strategy, scheduler),
        by_epochs=name != "none",
        is_drawn=name in ("none", "asha"),
    )
    for strategy in _TITLES
    for name, scheduler in _SCHEDULERS.items()
)
