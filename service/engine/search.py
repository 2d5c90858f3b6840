"""Turns what is left of a job into what Ray Tune runs: a list of assignments, or a sampler.

Our records say what has finished, never Tune's snapshot, so a driver that takes a job over runs
only the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ray import tune

from results.records import TrialRecord
from search_spaces import SearchSpace
from service.engine.messages import ASSIGNMENT, Assignment


def search_options(
    space: SearchSpace, *, seed: int, records: Sequence[TrialRecord]
) -> dict[str, Any]:
    """Return Tune's ``num_samples``, and a ``param_space`` (a list) or a ``search_alg``.

    They stand for the trials that ``records`` do not show as finished.
    """
    unfinished = [record for record in records if not record.state.is_finished]
    if space.trials is not None:  # sampled
        # Importing Optuna takes half a second, which a list of configurations does without.
        from service.engine.sampler import Sampler

        left = space.trials - (len(records) - len(unfinished))
        return {"num_samples": left, "search_alg": Sampler(space, seed=seed, records=records)}
    assignments = [Assignment(r.number, r.parameters, r.seed).to_json() for r in unfinished]
    param_space = {ASSIGNMENT: tune.grid_search(assignments)}
    return {"num_samples": 1 if assignments else 0, "param_space": param_space}
