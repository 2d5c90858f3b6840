"""Searches in simulated time: workers that train trials whose curves are known.

The search itself is the service's own. Deciding takes no simulated time.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from results.states import TrialState
from service.search.scheduler import Action
from service.search.search import Step


class Curves(Protocol):
    """What trials report, epoch by epoch, and how long they train."""

    def metrics(self, trial: Step, epoch: int) -> Mapping[str, float] | None:
        """Return what a trial reports after an epoch; None where it fails in that epoch."""

    def seconds(self, trial: Step, epoch: int) -> float:
        """Return the seconds in which a trial trains its epochs up to and including this one."""


class Decides(Protocol):
    """A search, as far as a simulation asks it: :class:`service.search.search.Search`."""

    def next(self, *, nothing_runs: bool) -> Step | None:
        """Return what to train next, None if nothing can begin now."""

    def report(
        self, number: int, epoch: int, metrics: Mapping[str, float], seconds: float
    ) -> Action:
        """Take what a running trial reported."""

    def end(self, number: int, state: TrialState, metrics: Mapping[str, float]) -> None:
        """Take that a trial has paused, or has ended."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a trial reported: ``at`` seconds of simulated time, ``metrics`` after ``epoch``."""

    at: float
    trial: Step
    epoch: int
    metrics: Mapping[str, float]


@dataclass(slots=True)
class Outcome:
    """What a simulated search came to.

    ``seconds`` of simulated time; ``epochs`` that each trial has reported, by number, for those
    that have begun; ``states`` of trials that have paused or ended, by number.
    """

    seconds: float = 0.0
    epochs: dict[int, int] = field(default_factory=dict)
    states: dict[int, TrialState] = field(default_factory=dict)

    @property
    def all_epochs(self) -> int:
        """How many epochs were trained in all."""
        return sum(self.epochs.values())

    def ended(self, state: TrialState) -> list[int]:
        """Return the numbers of the trials that are in this state, ascending."""
        return sorted(number for number, found in self.states.items() if found is state)


def simulate(
    search: Decides,
    curves: Curves,
    *,
    epochs: int,
    workers: int,
    seconds: float = math.inf,
    on_report: Callable[[Report], None] = lambda _: None,
) -> Outcome:
    """Run a search whose trials have ``epochs`` epochs on so many workers, until it is over.

    It ends earlier after ``seconds`` of simulated time. ``on_report`` gets every report as it
    comes. Of reports at the same time, that of the worker with the lower number comes first.

    Raises:
        ValueError: If there is no worker.
    """
    if workers < 1:
        raise ValueError(f"a simulation needs at least 1 worker, got {workers}")
    return _Simulation(search, curves, epochs, workers, on_report).run(seconds)


class _Simulation:
    def __init__(
        self,
        search: Decides,
        curves: Curves,
        epochs: int,
        workers: int,
        on_report: Callable[[Report], None],
    ) -> None:
        self._search, self._curves, self._last = search, curves, epochs
        self._on_report = on_report
        self._free = list(range(workers))  # a heap
        #: A heap of the ends of epochs: when, on which worker, of which trial.
        self._running: list[tuple[float, int, int, Step]] = []
        self._outcome = Outcome()

    def run(self, seconds: float) -> Outcome:
        self._start(0.0)
        while self._running and self._running[0][0] <= seconds:
            at, worker, epoch, trial = heapq.heappop(self._running)
            state = self._report(at, trial, epoch)
            if state is None:
                self._train(at, worker, trial, epoch + 1)
                continue
            self._outcome.states[trial.number] = state
            self._search.end(trial.number, state, {})
            heapq.heappush(self._free, worker)
            self._start(at)
        return self._outcome

    def _start(self, at: float) -> None:
        """Let free workers begin what the search wants trained."""
        while self._free:
            trial = self._search.next(nothing_runs=not self._running)
            if trial is None:
                return
            worker = heapq.heappop(self._free)
            self._outcome.states.pop(trial.number, None)
            done = self._outcome.epochs.setdefault(trial.number, 0)
            self._train(at, worker, trial, done + 1)

    def _train(self, at: float, worker: int, trial: Step, epoch: int) -> None:
        before = self._curves.seconds(trial, epoch - 1) if epoch > 1 else 0.0
        takes = self._curves.seconds(trial, epoch) - before
        heapq.heappush(self._running, (at + takes, worker, epoch, trial))

    def _report(self, at: float, trial: Step, epoch: int) -> TrialState | None:
        """Report the end of an epoch; return what the trial is in then, None if it goes on."""
        self._outcome.seconds = at
        metrics = self._curves.metrics(trial, epoch)
        if metrics is None:
            return TrialState.FAILED
        self._outcome.epochs[trial.number] = epoch
        self._on_report(Report(at, trial, epoch, metrics))
        seconds = self._curves.seconds(trial, epoch)
        action = self._search.report(trial.number, epoch, metrics, seconds)
        if epoch == self._last:
            return TrialState.SUCCEEDED
        if action is Action.CONTINUE:
            return None
        return TrialState.PAUSED if action is Action.PAUSE else TrialState.STOPPED
