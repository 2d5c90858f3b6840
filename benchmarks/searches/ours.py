"""The service's own searches: its schedulers and samplers, joined as in the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from benchmarks.searches.methods import FIRST_RUNG, REDUCTION_FACTOR, Entry
from benchmarks.searches.problems import Configuration, Problem
from benchmarks.searches.simulated import Method, Segment
from search_spaces import Scheduler, SearchSpace
from service.search.samplers import make_sampler
from service.search.scheduler import Action
from service.search.schedulers import make_scheduler


class Joined(Method):
    """A scheduler and a sampler of the service, joined as the engine joins them."""

    def __init__(self, space: SearchSpace, *, seed: int) -> None:
        self._scheduler = make_scheduler(space.scheduler, epochs=space.epochs)
        self._sampler = make_sampler(space, seed=seed)
        self._last = space.epochs
        self._configurations: dict[int, Configuration] = {}
        self._epochs: dict[int, int] = {}

    def next(self) -> Segment | None:
        """Promote a trial, else draw a new one."""
        promotion = self._scheduler.promote()
        if promotion is not None:
            number = promotion.number
            return Segment(number, self._configurations[number], self._epochs[number])
        if not self._scheduler.can_begin():
            return None
        number = len(self._configurations)
        self._configurations[number] = self._sampler.draw(number)
        self._scheduler.begin(number)
        return Segment(number, self._configurations[number])

    def report(self, number: int, epoch: int, loss: float) -> Action:
        """Tell the scheduler, and at its rungs the sampler."""
        self._epochs[number] = epoch
        action = self._scheduler.report(number, epoch, loss)
        if epoch in self._scheduler.rungs():
            self._sampler.observe(number, epoch, (loss,), ())
        if epoch == self._last or action is Action.STOP:
            self._sampler.end(number, succeeded=True)
        return action

    def close(self) -> None:
        """End the thread of a sampler that is asked ahead."""
        self._sampler.close()


def _ours(strategy: str, scheduler: Scheduler, problem: Problem, seed: int, _: float) -> Method:
    return Joined(replace(problem.space, strategy=strategy, scheduler=scheduler), seed=seed)


_TITLES = {"random": "random", "tpe": "TPE"}
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
        partial(_ours, strategy, scheduler),
        by_epochs=name != "none",
        is_drawn=name in ("none", "asha"),
    )
    for strategy in _TITLES
    for name, scheduler in _SCHEDULERS.items()
)
