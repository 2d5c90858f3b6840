"""Turns a job's strategy into what Ray Tune runs: a list of configurations, or a sampler.

What has finished is known from our own records, never from Tune's snapshot: a job that is taken
over runs only what is left, and its sampler is told the history again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ray import tune
from ray.tune.search import Searcher

from results.records import TrialRecord
from search_spaces import SearchSpace
from service.engine.trial import LISTED
from trainables import registry


@dataclass(frozen=True, slots=True)
class Search:
    """Arguments for Tune: a ``param_space`` (a list) or a ``searcher``, and how many trials.

    One trial of Tune's is one stack of ours, most often of a single trial.
    """

    num_samples: int
    param_space: dict[str, Any] = field(default_factory=dict)
    searcher: Searcher | None = None


def make_search(
    space: SearchSpace, *, seed: int, job_id: str, records: Sequence[TrialRecord], stack: int = 1
) -> Search:
    """Return the search over what the job's ``records`` say is left to run.

    Listed trials are grouped into stacks of at most ``stack``; a sampler has none.
    """
    unfinished = [record for record in records if not record.state.is_finished]
    if space.trials is not None:
        # Half a second that a driver with a list of configurations does without.
        from service.engine.sampler import make_sampler

        finished = len(records) - len(unfinished)
        searcher = make_sampler(space, seed=seed, job_id=job_id, records=records)
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
