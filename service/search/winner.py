"""Runs a search's best configurations again: which trial of its confirmation is next."""

from __future__ import annotations

import math

import search_spaces
from results.confirmation import default_configuration
from results.racing import COUNTED, NO_RESULT, Pair
from results.spec import JobSpec
from results.states import Purpose, TrialState
from service.search.confirming import Confirmation, confirmation_seeds
from service.search.trials import Trial, final_loss

#: Stands for the default configuration in a confirmation, where no trial of the search had it.
DEFAULT = -1


class Winner:
    """The confirmation that follows a search, begun by the first call of :meth:`next`.

    ``trials`` are all of the job's by number, as the search has them; it adds the new ones.
    """

    def __init__(self, spec: JobSpec, trials: dict[int, Trial]) -> None:
        self._spec, self._space, self._trials = spec, spec.space, trials
        self._confirmation: Confirmation | None = None

    @property
    def is_over(self) -> bool:
        """Whether no further trial will come, as far as is known."""
        return self._confirmation is None or self._confirmation.is_over

    @property
    def planned(self) -> int:
        """How many trials the job will have at most."""
        if self._confirmation is None:
            return len(self._trials)
        waiting = {self._pair(trial) for trial in self._confirming() if not trial.state.is_finished}
        return len(self._trials) + len(self._confirmation.to_come - waiting)

    @property
    def at_once(self) -> int | None:
        """How many trials of the present round have not ended; None if there is no round."""
        if self._confirmation is None or self._confirmation.is_over:
            return None
        return self._confirmation.at_once

    def next(self) -> Trial | None:
        """Return the next trial to train to the end, None if none can begin now."""
        if self._confirmation is None:
            self._confirmation = self._begun()
        found = None if self._confirmation is None else self._confirmation.next()
        if found is None:
            return None
        configuration, seed = found
        confirming = self._confirming()
        number, first = max(self._trials, default=-1) + 1, configuration
        if configuration == DEFAULT:
            first = next((t.configuration for t in confirming if self._key(t) == DEFAULT), number)
        for trial in confirming:
            # One that was stopped halfway is over, and has no state left to go on from.
            if (trial.configuration, trial.seed) == (first, seed) and not trial.state.is_finished:
                return trial
        known = self._trials.get(first)
        parameters = search_spaces.defaults(self._space) if known is None else known.parameters
        return Trial(number, parameters, seed, first, Purpose.CONFIRM)

    def end(self, trial: Trial) -> None:
        """Take the end of one of its trials."""
        if self._confirmation is not None and trial.state in COUNTED:
            self._confirmation.report(*self._pair(trial), self._loss(trial))

    def _loss(self, trial: Trial) -> float | None:
        """Return what the race takes as the loss of a confirming trial that has ended."""
        if trial.state is TrialState.FAILED and not trial.has_failed_by_itself:
            return NO_RESULT
        return final_loss(self._space, trial)

    def _confirming(self) -> list[Trial]:
        return [t for t in self._trials.values() if t.purpose is Purpose.CONFIRM]

    def _searched(self) -> list[Trial]:
        return [t for t in self._trials.values() if t.purpose is Purpose.SEARCH]

    def _pair(self, trial: Trial) -> Pair:
        return self._key(trial), trial.seed

    def _key(self, trial: Trial) -> int:
        """Return how the confirmation calls a trial's configuration."""
        first = self._trials[trial.configuration]
        return first.number if first.purpose is Purpose.SEARCH else DEFAULT

    def _begun(self) -> Confirmation | None:
        """Return the confirmation of the best configurations, as far as a former run has come.

        Those that succeeded come first, then those that trained longest: few of a search that stops
        trials train to the end, and losses after different epochs do not compare. All of them train
        to the end here.
        """
        confirm = self._space.confirm
        if confirm is None:
            return None
        scored = [
            (_most_trained_first(trial), loss, trial.configuration)
            for trial in self._searched()
            if (loss := final_loss(self._space, trial)) is not None
        ]
        losses = {
            self._pair(trial): self._loss(trial)
            for trial in self._confirming()
            if trial.state in COUNTED
        }
        best = [number for *_, number in sorted(scored)[: confirm.top]]
        seeds = confirmation_seeds(confirm, self._spec.seed, self._space.repeats)
        default = default_configuration(self._space, self._searched())
        default = DEFAULT if default is None else default
        return Confirmation(seeds, best, default, losses) if best else None


def _most_trained_first(trial: Trial) -> float:
    """Return the key of the order; a program that ended by itself early has succeeded, too."""
    return -trial.epochs if trial.state is TrialState.STOPPED else -math.inf
