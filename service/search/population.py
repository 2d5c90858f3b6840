"""The trials of a population: which are copies of which, and with which parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import search_spaces
from results.spec import JobSpec
from results.states import Purpose, TrialState
from service.search.pbt import Pbt
from service.search.trials import Trial


@dataclass(frozen=True, slots=True)
class Replaced:
    """A trial of the population that has been stopped, and why, in words."""

    number: int
    reason: str


class Population:
    """Replaces trials of a search, once all of its population wait at the same epoch.

    ``trials`` are all of the job's by number, as the search has them; it adds the copies and stops
    those that they replace. What it decides follows from the trials and the job's seed alone.
    """

    def __init__(self, spec: JobSpec, trials: dict[int, Trial], scheduler: Pbt) -> None:
        self._spec, self._space, self._trials = spec, spec.space, trials
        self._scheduler = scheduler
        for trial in trials.values():
            if trial.parent is not None:
                scheduler.join(trial.number, trial.start_epoch)

    def renew(self) -> tuple[Sequence[Trial], Sequence[Replaced]]:
        """Return the copies that begin now and the trials that they replace; none most times."""
        waiting = self._waiting()
        if not waiting:
            return (), ()
        epoch = max(trial.epochs for trial in waiting)
        done = sum(trial.state is TrialState.SUCCEEDED for trial in self._searched())
        found = self._scheduler.select([t.number for t in waiting], epoch, done=done)
        copies = [self._copy(found.best, epoch) for _ in range(found.copies)]
        replaced = []
        for number, copy in zip(found.worst, reversed(copies), strict=False):
            self._trials[number].state = TrialState.STOPPED
            reason = f"trial {copy.number} takes its place, from trial {copy.parent} after epoch"
            replaced.append(Replaced(number, f"{reason} {epoch}"))
        return copies, replaced

    def _searched(self) -> list[Trial]:
        return [t for t in self._trials.values() if t.purpose is Purpose.SEARCH]

    def _waiting(self) -> list[Trial]:
        """Return the trials of the population if all of them wait, else none."""
        searched = self._searched()
        drawn = sum(trial.parent is None for trial in searched)
        members = [trial for trial in searched if not trial.state.is_finished]
        all_wait = all(trial.state is TrialState.PAUSED for trial in members)
        return members if all_wait and drawn == self._spec.trials else []

    def _copy(self, best: Sequence[int], epoch: int) -> Trial:
        """Return a new trial that goes on from the state of one among the best."""
        number = max(self._trials) + 1
        random = Random(f"{self._spec.seed} {number}")  # noqa: S311 - no secret
        parent = self._trials[random.choice(best)]
        names = search_spaces.changing(self._space, None)
        parameters = search_spaces.explored(self._space, parent.parameters, names, random)
        copy = Trial(
            number, parameters, parent.seed, number, epochs=epoch, parent=parent.number,
            start_epoch=epoch,
        )  # fmt: skip
        self._trials[number] = copy
        self._scheduler.join(number, epoch)
        return copy
