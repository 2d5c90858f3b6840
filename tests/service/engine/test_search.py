"""What is left of a job becomes a search for Tune."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from results.records import TrialRecord
from results.states import TrialState
from search_spaces import SearchSpace
from service.engine.messages import ASSIGNMENT, Assignment
from service.engine.search import search_options

SIZES = [{"hidden_size": size, "learning_rate": r} for size in (100, 150) for r in (0.1, 0.2)]


def listed(done: Sequence[int] = (), seeds: Sequence[int] = (42,) * 4) -> list[Assignment]:
    """Return the assignments of a grid of which some trials have finished."""
    space = SearchSpace.from_json({
        "name": "grid", "trainable": "torch_feedforward", "dataset": "fashion_mnist", "epochs": 1,
        "metric": "validation_accuracy", "mode": "max", "strategy": "grid",
        "parameters": {"hidden_size": {"values": [100, 150]}, "learning_rate": {"values": [0.1]}},
    })  # fmt: skip
    records = [
        TrialRecord(n, TrialState.SUCCEEDED if n in done else TrialState.QUEUED, config, seed)
        for n, (config, seed) in enumerate(zip(SIZES, seeds, strict=True))
    ]
    search = search_options(space, seed=42, records=records)
    assert search.keys() == {"num_samples", "param_space"}
    values: list[dict[str, Any]] = search["param_space"][ASSIGNMENT]["grid_search"]
    assert search["num_samples"] == (1 if values else 0)
    return [Assignment.of({ASSIGNMENT: value}) for value in values]


def test_each_trial_is_by_itself_in_order_with_its_number() -> None:
    assert listed() == [Assignment(n, config, 42) for n, config in enumerate(SIZES)]


def test_what_has_finished_does_not_run_again() -> None:
    assert [assignment.number for assignment in listed(done=[1, 3])] == [0, 2]
    assert listed(done=range(4)) == []


def test_each_trial_keeps_its_recorded_seed() -> None:
    assert [assignment.seed for assignment in listed(seeds=[42, 43, 44, 45])] == [42, 43, 44, 45]
