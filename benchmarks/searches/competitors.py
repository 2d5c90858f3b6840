"""The searches that ours is compared with: plain Optuna, Ray Tune's ASHA, a short run first."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import optuna
from optuna.pruners import BasePruner, NopPruner
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import TrialState as OptunaState

from benchmarks.searches.problems import Configuration, Problem
from benchmarks.searches.simulated import step
from results.states import TrialState
from search_spaces import suggest
from service.search.scheduler import Action
from service.search.search import Step


class _OnlyReports:
    """What all of them share: they learn all from reports, and nothing runs in the background."""

    def end(self, number: int, state: TrialState, metrics: Mapping[str, float]) -> None:
        """Do nothing: the trial's last report said it."""

    def close(self) -> None:
        """Do nothing."""


class _Asked(_OnlyReports):
    """Asks a study of Optuna for every trial."""

    def __init__(
        self, problem: Problem, sampler: BaseSampler, pruner: BasePruner | None = None
    ) -> None:
        self._space = problem.space
        self.study = optuna.create_study(sampler=sampler, pruner=pruner or NopPruner())
        self._trials: dict[int, optuna.Trial] = {}

    def next(self, *, nothing_runs: bool) -> Step:  # noqa: ARG002 - the protocol's
        """Ask for a new trial."""
        trial = self.study.ask()
        self._trials[trial.number] = trial
        self._begin(trial.number)
        return step(trial.number, suggest(self._space, trial))

    def _begin(self, number: int) -> None:
        """Note that a trial begins."""


class PlainOptuna(_Asked):
    """A study of Optuna, asked and told as its documentation shows, with or without a pruner."""

    def report(
        self,
        number: int,
        epoch: int,
        metrics: Mapping[str, float],
        seconds: float,  # noqa: ARG002
    ) -> Action:
        """Report the loss; tell the study the end of a trial that is pruned or complete."""
        trial = self._trials[number]
        loss = metrics["loss"]
        trial.report(loss, epoch)
        if epoch == self._space.epochs:
            self.study.tell(trial, loss)
        elif trial.should_prune():
            self.study.tell(trial, state=OptunaState.PRUNED)
        else:
            return Action.CONTINUE
        return Action.STOP


class RayAsha(_Asked):
    """Ray Tune's own AsyncHyperBandScheduler, joined to a sampler as Tune's OptunaSearch does.

    The sampler is told the last loss of every trial, also of those that were stopped. The scheduler
    gets what it reads of a trial, its id.
    """

    def __init__(
        self, problem: Problem, sampler: BaseSampler, *, grace_period: int, reduction_factor: int
    ) -> None:
        from ray.tune.schedulers import AsyncHyperBandScheduler

        super().__init__(problem, sampler)
        self._scheduler = AsyncHyperBandScheduler(
            time_attr="epoch",
            metric="loss",
            mode="min",
            max_t=problem.space.epochs,
            grace_period=grace_period,
            reduction_factor=reduction_factor,
        )

    def _begin(self, number: int) -> None:
        """Add the trial to the scheduler."""
        self._scheduler.on_trial_add(None, _ray_trial(number))

    def report(
        self,
        number: int,
        epoch: int,
        metrics: Mapping[str, float],
        seconds: float,  # noqa: ARG002
    ) -> Action:
        """Let the scheduler decide; tell the study the end of a trial that it stops."""
        result = {"epoch": epoch, "loss": metrics["loss"]}
        if self._scheduler.on_trial_result(None, _ray_trial(number), result) == "CONTINUE":
            return Action.CONTINUE
        self._scheduler.on_trial_complete(None, _ray_trial(number), result)
        self.study.tell(self._trials[number], metrics["loss"])
        return Action.STOP


def _ray_trial(number: int) -> Any:
    return SimpleNamespace(trial_id=str(number))


class ShortRunThenBest(_OnlyReports):
    """Random configurations for a few epochs each, then the best of them to the end.

    Half of the epochs go into the short runs. The baseline that a scheduler must beat: Egele et
    al., "The unreasonable effectiveness of early discarding after one epoch" (2024).
    """

    def __init__(self, problem: Problem, *, seed: int, trainings: float, short: int) -> None:
        self._space = problem.space
        self._study = optuna.create_study(sampler=RandomSampler(seed=seed))
        self._short = short
        total = trainings * problem.space.epochs
        rest = problem.space.epochs - short
        self._to_the_end = max(1, round(total / 2 / rest))
        self._new = max(self._to_the_end, int((total - self._to_the_end * rest) / short))
        self.configurations: dict[int, Configuration] = {}
        self._losses: dict[int, float] = {}
        self._best: list[int] | None = None

    def next(self, *, nothing_runs: bool) -> Step | None:  # noqa: ARG002 - the protocol's
        """Begin all trials, wait for the last, then go on with the best, the very best first."""
        number = len(self.configurations)
        if number < self._new:
            self.configurations[number] = suggest(self._space, self._study.ask())
            return step(number, self.configurations[number])
        if self._best is None:
            if len(self._losses) < self._new:
                return None
            self._best = sorted(self._losses, key=lambda n: self._losses[n])[: self._to_the_end]
        if not self._best:
            return None
        number = self._best.pop(0)
        return step(number, self.configurations[number], is_new=False)

    def report(
        self,
        number: int,
        epoch: int,
        metrics: Mapping[str, float],
        seconds: float,  # noqa: ARG002
    ) -> Action:
        """Pause a trial after its short run."""
        if epoch != self._short:
            return Action.CONTINUE
        self._losses[number] = metrics["loss"]
        return Action.PAUSE
