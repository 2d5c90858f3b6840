"""When a search ends before all its trials have: what its budget allows, and what it has spent."""

from __future__ import annotations

import math
from collections.abc import Callable

from results.ranking import loss_of
from search_spaces import SearchSpace


class BudgetTracker:
    """Counts what a search spends against its space's budget.

    ``elapsed`` returns the seconds since the job first started. Losses are lower where a trial is
    better, as everywhere in this package.
    """

    def __init__(self, space: SearchSpace, elapsed: Callable[[], float]) -> None:
        self._budget, self._mode = space.budget, space.mode
        self._metric, self._elapsed = space.metric, elapsed
        self._basis = f" (mean of {space.repeats} seeds)" if space.repeats > 1 else ""
        self._epochs = self._failed = self._since_best = 0
        self._best, self._best_trial = math.inf, -1
        #: The best loss at each epoch at which a trial has paused, and the trials that have.
        self._best_at: dict[int, float] = {}
        self._paused: set[int] = set()

    def trained(self, epochs: int) -> None:
        """Count epochs that were trained, also those that were trained again."""
        self._epochs += epochs

    def failed(self) -> None:
        """Count a trial that has failed."""
        self._failed += 1

    def paused(self, number: int, epoch: int, loss: float | None) -> None:
        """Count a trial that waits at a rung: most of them never end.

        It counts once, and improves what is best where its loss is the best of that epoch.
        """
        if number not in self._paused:
            self._since_best += 1
        if self.had_paused(number, epoch, loss):
            self._since_best = 0

    def had_paused(self, number: int, epoch: int, loss: float | None) -> bool:
        """Note a trial that had paused in a former run; return whether it is the best there.

        It is not known in which order they had: the trials without improvement are counted anew.
        """
        self._paused.add(number)
        if loss is not None and loss < self._best_at.get(epoch, math.inf):
            self._best_at[epoch] = loss
            return True
        return False

    def ended(self, number: int, loss: float | None, trials: int = 1) -> None:
        """Count a configuration of which all ``trials`` have ended.

        ``number`` is that of its first trial, ``loss`` the mean of their last epochs, None where
        one has not succeeded or a constraint is broken.
        """
        self._since_best += 0 if number in self._paused else trials
        if loss is not None and loss < self._best:
            self._best, self._best_trial, self._since_best = loss, number, 0

    def spent(self) -> str:
        """Return in a sentence which limit is reached, "" if none is."""
        budget = self._budget
        if budget.target is not None and self._best <= loss_of(budget.target, self._mode):
            reached = loss_of(self._best, self._mode)  # its own inverse
            return (
                f"trial {self._best_trial} reached the target {budget.target:g}: "
                f"{self._metric} {reached:.6g}{self._basis}"
            )
        limits = (
            (budget.seconds, self._elapsed, "the budget of {:g} seconds is spent"),
            (budget.epochs, lambda: self._epochs, "the budget of {:g} epochs is spent"),
            (
                budget.trials_without_improvement,
                lambda: self._since_best,
                "{:g} trials in a row brought no improvement",
            ),
            (budget.failed_trials, lambda: self._failed, "{:g} trials failed"),
        )
        for limit, spent, sentence in limits:
            if limit is not None and spent() >= limit:
                return sentence.format(limit)
        return ""
