"""Samples configurations with Optuna; Ray Tune asks for them one after the other."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from optuna import Trial
from optuna.samplers import RandomSampler, TPESampler
from optuna.trial import TrialState
from ray.tune.search import Searcher

import search_spaces
from results.records import TrialRecord
from results.study import make_study
from search_spaces import SearchSpace
from service.engine.messages import ASSIGNMENT, OBJECTIVE, Assignment

#: Draws of configurations that the job has already, after which one that it lacks is looked up.
_MOST_DRAWS = 100
_SAMPLERS: dict[str, type[RandomSampler] | type[TPESampler]] = {
    "random": RandomSampler,
    "tpe": TPESampler,
}


class Sampler(Searcher):  # type: ignore[misc]  # Ray ships no types
    """Suggests a job's unfinished trials, then new configurations with the next free numbers.

    The results of the finished trials are in its study from the beginning.
    """

    def __init__(self, space: SearchSpace, *, seed: int, records: Sequence[TrialRecord]) -> None:
        super().__init__(metric=OBJECTIVE, mode=space.mode)
        self._space, self._seed = space, seed
        taken = {record.number for record in records}
        self._numbers = (number for number in itertools.count() if number not in taken)
        # A sampler that starts again with its first seed would repeat its first suggestions.
        sampler = _SAMPLERS[space.strategy](seed=(seed + len(records)) % 2**32)
        self._study = make_study(space, records, sampler)
        self._running: dict[str, Trial] = {}
        self._known = {_key(record.parameters) for record in records}

    def suggest(self, trial_id: str) -> dict[str, Any]:
        """Return the Tune configuration of the next trial."""
        trial, parameters = self._draw()
        self._running[trial_id] = trial
        self._known.add(_key(parameters))
        recorded = trial.user_attrs or {"number": next(self._numbers), "seed": self._seed}
        return {ASSIGNMENT: Assignment(parameters=parameters, **recorded).to_json()}

    def _draw(self) -> tuple[Trial, dict[str, Any]]:
        """Return the next trial of the study, with a configuration that the job does not have.

        With the same seed the same configuration would only repeat its numbers.
        """
        for _ in range(_MOST_DRAWS):
            trial = self._study.ask()
            parameters = search_spaces.suggest(self._space, trial)
            if trial.user_attrs or _key(parameters) not in self._known:
                return trial, parameters
            self._study.tell(trial, state=TrialState.FAIL)
        # Nearly all are known, so there are few: take the first that is not.
        for parameters in search_spaces.every_configuration(self._space):
            if _key(parameters) not in self._known:
                self._study.enqueue_trial(search_spaces.suggested(self._space, parameters))
                break
        trial = self._study.ask()
        return trial, search_spaces.suggest(self._space, trial)

    def on_trial_complete(
        self,
        trial_id: str,
        result: Mapping[str, Any] | None = None,
        error: bool = False,  # noqa: FBT001, FBT002 - Ray's signature
    ) -> None:
        """Tell the study how a trial ended."""
        value = None if error or result is None else result.get(OBJECTIVE)
        state = TrialState.FAIL if value is None else TrialState.COMPLETE
        self._study.tell(self._running.pop(trial_id), value, state)

    def save(self, checkpoint_path: str) -> None:
        """Save nothing: a driver that takes the job over starts from the records."""

    def restore(self, checkpoint_path: str) -> None:
        """Restore nothing."""

    def __getstate__(self) -> dict[str, Any]:
        """Leave everything out of Tune's snapshots, which are never restored."""
        return {}


def _key(parameters: Mapping[str, Any]) -> str:
    return json.dumps(parameters, sort_keys=True)
