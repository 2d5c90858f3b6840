"""Draws the trials that a sampler is still to bring: each configuration with all its repeats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from results.spec import JobSpec
from results.states import Purpose
from service.search.trials import Trial

if TYPE_CHECKING:
    from service.search.samplers import Sampler

#: There are so many seeds, the numbers from 0.
_SEEDS = 2**32


class Drawing:
    """The new trials of a search, and which trials of the search are alike.

    ``trials`` are all of the job's by number. Numbers of new ones follow on these: between two
    parts of a search that was extended lie the trials that confirmed its first winner. ``sampler``
    is None where nothing is drawn.
    """

    def __init__(self, spec: JobSpec, trials: Mapping[int, Trial], sampler: Sampler | None) -> None:
        self._spec, self._sampler = spec, sampler
        self._number = max(trials, default=-1) + 1
        #: The trials of the search by the number of the first with their parameters.
        self._alike: dict[int, list[Trial]] = {}
        searched = [trial for trial in trials.values() if trial.purpose is Purpose.SEARCH]
        for trial in searched:
            self._alike.setdefault(trial.configuration, []).append(trial)
        drawn = sum(trial.parent is None for trial in searched)
        self._left = 0 if sampler is None else max(0, spec.trials - drawn)

    @property
    def is_over(self) -> bool:
        """Whether no trial is left to be drawn."""
        return self._left == 0

    def end(self) -> None:
        """Draw nothing any more."""
        self._left = 0

    def add(self, trial: Trial) -> None:
        """Take a trial of the search that was drawn, or that is a copy in a population."""
        self._alike.setdefault(trial.configuration, []).append(trial)

    def alike(self, configuration: int) -> Sequence[Trial]:
        """Return the trials of the search with a configuration, the first of them first."""
        return self._alike[configuration]

    def draw(self, *, wait: bool) -> Trial | None:
        """Return the next trial; None while the sampler is drawing, unless to ``wait`` for it."""
        number = self._number
        last = next(reversed(self._alike.values()), [])  # configurations come in order of number
        if 0 < len(last) < self._spec.space.repeats:
            first = last[0]
            seed = (first.seed + len(last)) % _SEEDS
            trial = Trial(number, first.parameters, seed, first.configuration)
        elif self._sampler is not None and (wait or self._sampler.is_ready()):
            trial = Trial(number, self._sampler.draw(number), self._spec.seed, number)
        else:
            return None
        self.add(trial)
        self._number, self._left = number + 1, self._left - 1
        return trial
