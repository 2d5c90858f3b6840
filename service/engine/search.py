"""Turns what is left of a job into what Ray Tune runs: a list of assignments, or a sampler.

Our records say what has finished, never Tune's snapshot, so a driver that takes a job over runs
only the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ray import tune
from ray.tune.search import Searcher

from results.records import TrialRecord
from search_spaces import SearchSpace
from service.engine.messages import ASSIGNMENT, Assignment


@dataclass(frozen=True, slots=True)
class Search:
    """Arguments for Tune: a ``param_space`` (a list) or a ``searcher``, and how many samples."""

    num_samples: int
    param_space: dict[str, Any] = field(default_factory=dict)
    searcher: Searcher | None = None


def make_search(space: SearchSpace, *, seed: int, records: Sequence[TrialRecord]) -> Search:
    """Return the search over the trials that ``records`` do not show as finished."""
    unfinished = [record for record in records if not record.state.is_finished]
    if space.trials is not None:  # sampled
        # Importing Optuna takes half a second, which a list of configurations does without.
        from service.engine.sampler import Sampler

        left = space.trials - (len(records) - len(unfinished))
        return Search(left, searcher=Sampler(space, seed=seed, records=records))
    assignments = [Assignment(r.number, r.parameters, r.seed).to_json() for r in unfinished]
    return Search(1 if assignments else 0, {ASSIGNMENT: tune.grid_search(assignments)})
