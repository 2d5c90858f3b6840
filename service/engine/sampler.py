"""Draws configurations with Optuna's samplers, through a study's ``ask`` and ``tell``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from optuna import Trial
from optuna.samplers import RandomSampler, TPESampler
from optuna.trial import TrialState

import search_spaces
from results.records import TrialRecord
from results.study import make_study
from search_spaces import SearchSpace

#: Draws of configurations that the job has already, after which one that it lacks is looked up.
_MOST_DRAWS = 100
_SAMPLERS: dict[str, type[RandomSampler] | type[TPESampler]] = {
    "random": RandomSampler,
    "tpe": TPESampler,
}


class Sampler:
    """Draws the configurations of a job's new trials.

    The results of the job's finished trials, and the configurations of its unfinished ones, are in
    its study from the beginning.
    """

    def __init__(self, space: SearchSpace, *, seed: int, records: Sequence[TrialRecord]) -> None:
        self._space = space
        # A sampler that starts again with its first seed would repeat its first suggestions.
        sampler = _SAMPLERS[space.strategy](seed=(seed + len(records)) % 2**32)
        self._study = make_study(space, records, sampler)
        self._known = {_key(record.parameters) for record in records}
        #: The study's trial of each unfinished trial of the job, by its number.
        self._unfinished: dict[int, Trial] = {}
        for record in records:
            if not record.state.is_finished:
                trial = self._study.ask()
                search_spaces.suggest(space, trial)
                self._unfinished[trial.user_attrs["number"]] = trial

    def draw(self, number: int) -> dict[str, Any]:
        """Return the configuration of the job's new trial ``number``."""
        self._unfinished[number], parameters = self._new()
        self._known.add(_key(parameters))
        return parameters

    def _new(self) -> tuple[Trial, dict[str, Any]]:
        """Return a new trial of the study, with a configuration that the job does not have.

        With the same seed the same configuration would only repeat its numbers.
        """
        for _ in range(_MOST_DRAWS):
            trial = self._study.ask()
            parameters = search_spaces.suggest(self._space, trial)
            if _key(parameters) not in self._known:
                return trial, parameters
            self._study.tell(trial, state=TrialState.FAIL)
        # Nearly all are known, so there are few: take the first that is not.
        for parameters in search_spaces.every_configuration(self._space):
            if _key(parameters) not in self._known:
                self._study.enqueue_trial(search_spaces.suggested(self._space, parameters))
                break
        trial = self._study.ask()
        return trial, search_spaces.suggest(self._space, trial)

    def tell(self, number: int, value: float | None) -> None:
        """Tell the study the value of a trial that has ended, None for one that failed."""
        state = TrialState.FAIL if value is None else TrialState.COMPLETE
        self._study.tell(self._unfinished.pop(number), value, state)


def _key(parameters: Mapping[str, Any]) -> str:
    return json.dumps(parameters, sort_keys=True)
