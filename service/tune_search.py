"""Turns a job's strategy into what Ray Tune runs: a list of configurations, or an Optuna sampler.

What has finished is known from our own records, never from Tune's snapshot: a job that is taken
over runs only what is left, and its sampler is told the history again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import optuna
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FixedTrial, FrozenTrial, TrialState, create_trial
from ray import tune
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch

import search_spaces
from results.records import TrialRecord
from results.states import TrialState as RecordState
from search_spaces import SearchSpace
from service.tune_trial import LISTED, OBJECTIVE
from trainables import registry

_SAMPLERS: dict[str, type[RandomSampler] | type[TPESampler]] = {
    "random": RandomSampler,
    "tpe": TPESampler,
}


@dataclass(frozen=True, slots=True)
class Search:
    """Arguments for Tune: a ``param_space`` (a list) or a ``searcher``, and how many trials.

    One trial of Tune's is one stack of ours, most often of a single trial.
    """

    num_samples: int
    param_space: dict[str, Any] = field(default_factory=dict)
    searcher: Searcher | None = None


class OptunaSampler(OptunaSearch):  # type: ignore[misc]  # Ray ships no types
    """Tune's OptunaSearch without intermediate values: nothing here prunes on them.

    The parent class would fail on a result that lacks the objective, as our ``started`` does.
    """

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Ignore intermediate results."""


def make_search(
    space: SearchSpace, *, seed: int, job_id: str, records: Sequence[TrialRecord], stack: int = 1
) -> Search:
    """Return the search over what the job's ``records`` say is left to run.

    Listed trials are grouped into stacks of at most ``stack``; a sampler has none.
    """
    unfinished = [record for record in records if not record.state.is_finished]
    if space.trials is not None:
        finished = len(records) - len(unfinished)
        study_storage = _history(space, job_id, records, unfinished)
        searcher = OptunaSampler(
            space=partial(search_spaces.suggest, space),
            metric=OBJECTIVE,
            mode=space.mode,
            storage=study_storage,
            study_name=job_id,
            # A sampler that starts again with its first seed would repeat its first suggestions.
            sampler=_sampler(space.strategy, seed + len(records)),
        )
        return Search(num_samples=space.trials - finished, searcher=searcher)
    stacks = _stacks(registry.get(space.trainable), unfinished, stack)
    return Search(num_samples=1 if stacks else 0, param_space={LISTED: tune.grid_search(stacks)})


def _stacks(
    trainable: registry.Trainable, records: Sequence[TrialRecord], most: int
) -> list[list[dict[str, Any]]]:
    """Group the trials by what a stack has in common, each stack in the order of their numbers."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        key = trainable.stack_key(record.parameters) if most > 1 else ""
        listed = {"number": record.number, "parameters": dict(record.parameters)}
        groups.setdefault(key, []).append(listed)
    return [
        group[first : first + most]
        for group in groups.values()
        for first in range(0, len(group), most)
    ]


def _sampler(strategy: str, seed: int) -> BaseSampler:
    return _SAMPLERS[strategy](seed=seed % 2**32)


def _history(
    space: SearchSpace,
    job_id: str,
    records: Iterable[TrialRecord],
    unfinished: Iterable[TrialRecord],
) -> optuna.storages.InMemoryStorage:
    """Return a storage whose study knows the finished trials and has the unfinished ones queued."""
    storage = optuna.storages.InMemoryStorage()
    direction = "maximize" if space.mode == "max" else "minimize"
    study = optuna.create_study(storage=storage, study_name=job_id, direction=direction)
    study.add_trials([_frozen(space, r) for r in records if r.state.is_finished])
    for record in unfinished:
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


class Numbering:
    """Gives each configuration of a sampler its number in the job.

    It is that of the unfinished record with the same parameters (a job taken over), or else the
    next free one. A listed configuration carries its number.
    """

    def __init__(self, records: Sequence[TrialRecord]) -> None:
        self._next = max((record.number for record in records), default=-1) + 1
        self._waiting: dict[str, list[int]] = {}
        for record in records:
            if not record.state.is_finished:
                self._waiting.setdefault(_key(record.parameters), []).append(record.number)

    def take(self, parameters: Mapping[str, Any]) -> tuple[int, bool]:
        """Return the trial's number, and whether it is new to the job's records."""
        waiting = self._waiting.get(_key(parameters))
        if waiting:
            return waiting.pop(0), False
        number, self._next = self._next, self._next + 1
        return number, True


def _key(parameters: Mapping[str, Any]) -> str:
    return json.dumps(parameters, sort_keys=True)
