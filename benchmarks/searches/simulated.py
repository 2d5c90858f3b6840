"""Runs a search by the service's simulation, and keeps what its best trial is worth over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from benchmarks.searches.problems import Configuration, Curve, Problem
from results.states import Purpose, TrialState
from service.search.search import Step
from service.search.simulation import Decides, Report
from service.search.simulation import simulate as run


class Method(Decides, Protocol):
    """A search that is asked what trains next and told every epoch's ``loss``.

    :class:`service.search.search.Search` is one.
    """

    def close(self) -> None:
        """End what runs in the background."""


def step(number: int, configuration: Configuration, *, is_new: bool = True) -> Step:
    """Return the step that trains a configuration until the method says otherwise."""
    return Step(number, configuration, 0, 0, number, Purpose.SEARCH, is_new)


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


def simulate(
    method: Method, problem: Problem, *, seed: int, workers: int, trainings: float
) -> Outcome:
    """Run a search until its workers have trained as many epochs as ``trainings`` full trainings.

    The incumbent is the trial with the lowest loss that was reported so far, after any epoch; its
    regret is the true one. Every epoch takes the same time.
    """
    epochs = problem.space.epochs
    per_training = epochs / workers
    outcome = Outcome()
    best = np.inf

    def on_report(report: Report) -> None:
        nonlocal best
        loss = report.metrics["loss"]
        if loss < best:
            best = loss
            regret = problem.regret(report.trial.parameters, report.epoch)
            outcome.incumbents.append(Incumbent(report.at / per_training, regret))

    ended = run(
        method,
        _Curves(problem, seed),
        epochs=epochs,
        workers=workers,
        seconds=trainings * per_training,
        on_report=on_report,
    )
    outcome.configurations = len(ended.epochs)
    outcome.finished = len(ended.ended(TrialState.SUCCEEDED))
    return outcome


class _Curves:
    """A problem's losses, each trial's with a seed of its own; an epoch takes one second."""

    def __init__(self, problem: Problem, seed: int) -> None:
        self._problem, self._seed = problem, seed
        self._curves: dict[int, Curve] = {}

    def metrics(self, trial: Step, epoch: int) -> Mapping[str, float]:
        """Return a trial's loss after an epoch."""
        if trial.number not in self._curves:
            seed = int(np.random.default_rng([self._seed, trial.number]).integers(2**31))
            self._curves[trial.number] = self._problem.curve(trial.parameters, seed)
        return {"loss": self._curves[trial.number][epoch - 1]}

    def seconds(self, trial: Step, epoch: int) -> float:  # noqa: ARG002 - all take the same time
        """Return the epoch."""
        return float(epoch)
