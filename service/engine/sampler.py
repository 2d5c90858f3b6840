"""Samples configurations with Optuna; Ray Tune asks for them one after the other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FixedTrial, FrozenTrial, TrialState, create_trial
from ray.tune.search import Searcher

import search_spaces
from results.records import TrialRecord
from results.states import TrialState as RecordState
from search_spaces import SearchSpace
from service.engine.messages import ASSIGNMENT, OBJECTIVE, Assignment

_SAMPLERS: dict[str, type[RandomSampler] | type[TPESampler]] = {
    "random": RandomSampler,
    "tpe": TPESampler,
}


class Sampler(Searcher):  # type: ignore[misc]  # Ray ships no types
    """Suggests the unfinished trials again, then new configurations with the next free numbers.

    What finished trials have shown is in the study from the beginning.
    """

    def __init__(self, space: SearchSpace, *, seed: int, records: Sequence[TrialRecord]) -> None:
        super().__init__(metric=OBJECTIVE, mode=space.mode)
        self._space, self._seed = space, seed
        taken = {record.number for record in records}
        self._numbers = (number for number in itertools.count() if number not in taken)
        # A sampler that starts again with its first seed would repeat its first suggestions.
        self._study = _study(space, _sampler(space.strategy, seed + len(records)), records)
        self._running: dict[str, optuna.Trial] = {}

    def suggest(self, trial_id: str) -> dict[str, Any]:
        """Return the Tune configuration of the next trial."""
        trial = self._running[trial_id] = self._study.ask()
        parameters = search_spaces.suggest(self._space, trial)
        known = trial.user_attrs
        number = known["number"] if known else next(self._numbers)
        assignment = Assignment(number, parameters, known.get("seed", self._seed))
        return {ASSIGNMENT: assignment.to_json()}

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


def _sampler(strategy: str, seed: int) -> BaseSampler:
    return _SAMPLERS[strategy](seed=seed % 2**32)


def _study(
    space: SearchSpace, sampler: BaseSampler, records: Sequence[TrialRecord]
) -> optuna.Study:
    """Return a study with the finished trials, in which the unfinished ones are enqueued."""
    direction = "maximize" if space.mode == "max" else "minimize"
    study = optuna.create_study(sampler=sampler, direction=direction)
    study.add_trials([_frozen(space, r) for r in records if r.state.is_finished])
    for record in records:
        if not record.state.is_finished:
            attributes = {"number": record.number, "seed": record.seed}
            sampled = _replay(space, record.parameters).params
            study.enqueue_trial(dict(sampled), user_attrs=attributes)
    return study


def _replay(space: SearchSpace, parameters: Mapping[str, Any]) -> FixedTrial:
    """Suggest ``parameters`` again, which shows which of them were sampled and from what."""
    trial = FixedTrial(search_spaces.suggested(space, parameters))
    search_spaces.suggest(space, trial)
    return trial


def _frozen(space: SearchSpace, record: TrialRecord) -> FrozenTrial:
    replayed = _replay(space, record.parameters)
    value = record.metrics.get(space.metric)
    complete = record.state is RecordState.SUCCEEDED and value is not None and math.isfinite(value)
    return create_trial(
        state=TrialState.COMPLETE if complete else TrialState.FAIL,
        params=replayed.params,
        distributions=replayed.distributions,
        value=value if complete else None,
    )
