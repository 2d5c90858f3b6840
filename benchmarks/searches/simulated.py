"""Searches in simulated time: workers train one epoch per unit, deciding costs nothing."""

from __future__ import annotations

import heapq
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from benchmarks.searches.problems import Configuration, Curve, Problem
from service.search.scheduler import Action


@dataclass(frozen=True, slots=True)
class Segment:
    """A trial that trains on after ``epochs_done`` epochs, 0 for a new one."""

    number: int
    configuration: Configuration
    epochs_done: int = 0


class Method(ABC):
    """A search that is asked what trains next and told every epoch's loss."""

    @abstractmethod
    def next(self) -> Segment | None:
        """Return what a free worker trains, None while there is nothing."""

    @abstractmethod
    def report(self, number: int, epoch: int, loss: float) -> Action:
        """Take a loss; CONTINUE, PAUSE (a later segment may go on) or STOP.

        The last epoch's answer does not matter: the trial has ended.
        """

    def close(self) -> None:  # noqa: B027 - most have nothing to end
        """End what runs in the background."""


@dataclass(frozen=True, slots=True)
class Incumbent:
    """The best trial so far: since when (in full trainings of all workers), and its regret."""

    since: float
    regret: float


@dataclass(slots=True)
class Outcome:
    """What a simulated search reached: its incumbents in order, and what it trained."""

    incumbents: list[Incumbent] = field(default_factory=list)
    configurations: int = 0
    finished: int = 0


@dataclass(order=True, slots=True)
class _Running:
    """A worker's next event: the end of an epoch."""

    at: float
    worker: int
    segment: Segment = field(compare=False)
    epoch: int = field(compare=False)


def simulate(
    method: Method, problem: Problem, *, seed: int, workers: int, trainings: float
) -> Outcome:
    """Run a search until its workers have trained as many epochs as ``trainings`` full trainings.

    The incumbent is the trial with the lowest loss that was reported so far, after any epoch; its
    regret is the true one. Every epoch takes the same time. Trials that report at the same time do
    so in the order of their workers.
    """
    return _Simulation(method, problem, seed, workers).run(trainings)


class _Simulation:
    def __init__(self, method: Method, problem: Problem, seed: int, workers: int) -> None:
        self._method = method
        self._problem = problem
        self._seeds = np.random.default_rng(seed)
        self._free = list(range(workers))
        self._per_training = problem.space.epochs / workers
        self._running: list[_Running] = []
        self._curves: dict[int, Curve] = {}
        self._best_loss = np.inf
        self._outcome = Outcome()

    def run(self, trainings: float) -> Outcome:
        for event in self._events(trainings * self._per_training):
            loss = self._curves[event.segment.number][event.epoch - 1]
            self._remember(event, loss)
            action = self._method.report(event.segment.number, event.epoch, loss)
            if event.epoch == self._problem.space.epochs:
                self._outcome.finished += 1
            elif action is Action.CONTINUE:
                event.at, event.epoch = event.at + 1, event.epoch + 1
                heapq.heappush(self._running, event)
                continue
            self._free.append(event.worker)
        return self._outcome

    def _events(self, end: float) -> Iterator[_Running]:
        now = 0.0
        while True:
            self._start(now)
            if not self._running or self._running[0].at > end:
                return
            event = heapq.heappop(self._running)
            now = event.at
            yield event

    def _start(self, now: float) -> None:
        self._free.sort()
        while self._free and (segment := self._method.next()) is not None:
            if segment.number not in self._curves:
                seed = int(self._seeds.integers(2**31))
                self._curves[segment.number] = self._problem.curve(segment.configuration, seed)
                self._outcome.configurations += 1
            worker = self._free.pop(0)
            heapq.heappush(
                self._running, _Running(now + 1, worker, segment, segment.epochs_done + 1)
            )

    def _remember(self, event: _Running, loss: float) -> None:
        if loss < self._best_loss:
            self._best_loss = loss
            regret = self._problem.regret(event.segment.configuration, event.epoch)
            since = event.at / self._per_training
            self._outcome.incumbents.append(Incumbent(since, regret))
