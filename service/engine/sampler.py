"""A sampler of Optuna's for Ray Tune, told what the job's finished trials have shown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import optuna
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FixedTrial, FrozenTrial, TrialState, create_trial
from ray.tune.search.optuna import OptunaSearch

import search_spaces
from results.records import TrialRecord
from results.states import TrialState as RecordState
from search_spaces import SearchSpace
from service.engine.trial import OBJECTIVE

_SAMPLERS: dict[str, type[RandomSampler] | type[TPESampler]] = {
    "random": RandomSampler,
    "tpe": TPESampler,
}


class OptunaSampler(OptunaSearch):  # type: ignore[misc]  # Ray ships no types
    """Tune's OptunaSearch without intermediate values: nothing here prunes on them.

    The parent class would fail on a result that lacks the objective, as our ``started`` does.
    """

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Ignore intermediate results."""


def make_sampler(
    space: SearchSpace, *, seed: int, job_id: str, records: Sequence[TrialRecord]
) -> OptunaSampler:
    """Return a sampler that knows the finished trials and suggests the unfinished ones first."""
    return OptunaSampler(
        space=partial(search_spaces.suggest, space),
        metric=OBJECTIVE,
        mode=space.mode,
        storage=_history(space, job_id, records),
        study_name=job_id,
        # A sampler that starts again with its first seed would repeat its first suggestions.
        sampler=_sampler(space.strategy, seed + len(records)),
    )


def _sampler(strategy: str, seed: int) -> BaseSampler:
    return _SAMPLERS[strategy](seed=seed % 2**32)


def _history(
    space: SearchSpace, job_id: str, records: Sequence[TrialRecord]
) -> optuna.storages.InMemoryStorage:
    """Return a storage whose study knows the finished trials and has the unfinished ones queued."""
    storage = optuna.storages.InMemoryStorage()
    direction = "maximize" if space.mode == "max" else "minimize"
    study = optuna.create_study(storage=storage, study_name=job_id, direction=direction)
    study.add_trials([_frozen(space, r) for r in records if r.state.is_finished])
    for record in records:
        if not record.state.is_finished:
            study.enqueue_trial(_sampled(space, record.parameters))
    return storage


def _replay(space: SearchSpace, parameters: Mapping[str, Any]) -> FixedTrial:
    """Suggest ``parameters`` again, to learn which of them were sampled and from what."""
    trial = FixedTrial(dict(parameters))
    search_spaces.suggest(space, trial)
    return trial


def _sampled(space: SearchSpace, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_replay(space, parameters).params)


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
