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
from service.search import auto
from service.search.budget import BudgetTracker
from service.search.samplers import Sampler, make_sampler
from service.search.schedulers import make_scheduler
from service.search.search import Search

#: What ``auto`` chooses depends on the number of trials: so many a full training, more than begin,
#: where training can be stopped early.
AUTO_TRIALS = 10


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
        self.draw, self.begin = sampler.draw, sampler.begin
        self.observe, self.end, self.close = sampler.observe, sampler.end, sampler.close
        self.leave_out = sampler.leave_out

    def is_ready(self) -> bool:
        """Return True: the draw waits."""
        return True


def search(
    strategy: str, scheduler: Scheduler, problem: Problem, seed: int, trainings: float
) -> Method:
    """Return the service's search of a problem, with more trials than the budget allows.

    As in the service, there are no more of them than there are different configurations.
    """
    trials = _trials(problem, int(trainings * problem.space.epochs))
    space = replace(problem.space, strategy=strategy, scheduler=scheduler, trials=trials)
    return make_search(space, seed=seed, trials=trials)


def search_as_auto(can_resume: bool, problem: Problem, seed: int, trainings: float) -> Method:
    """Return the search that ``strategy: auto`` stands for, of a trainable that resumes or not."""
    each = AUTO_TRIALS if problem.space.epochs > 1 else 1
    trials = _trials(problem, int(trainings * each))
    space = replace(problem.space, strategy="auto", trials=trials)
    choice = auto.choose(space, can_resume=can_resume)
    space = replace(space, strategy=choice.sampler, scheduler=choice.scheduler)
    return make_search(space, seed=seed, trials=trials)


def _trials(problem: Problem, wanted: int) -> int:
    distinct = count_distinct(problem.space)
    return wanted if distinct is None else min(wanted, distinct)


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
) + tuple(
    Entry(name, title, partial(search_as_auto, can_resume), by_epochs=not can_resume)
    for name, title, can_resume in (
        ("argbest-auto", "argbest, auto", True),
        ("argbest-auto-stops", "argbest, auto without states", False),
    )
)
