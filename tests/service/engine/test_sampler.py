"""The sampler: it starts from what is recorded, and repeats nothing."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable
from typing import Any

import pytest
from optuna.trial import TrialState as OptunaState

from results.records import TrialRecord
from results.states import TrialState
from search_spaces import SearchSpace
from service.engine.sampler import Sampler

SAMPLERS = ("random", "tpe")
TRIALS = 12


def space(strategy: str, trials: int = TRIALS) -> SearchSpace:
    return SearchSpace.from_json({
        "name": "steps", "trainable": "test_steps", "dataset": "ames", "epochs": 1,
        "metric": "score", "mode": "max", "strategy": strategy, "trials": trials,
        "parameters": {"x": {"low": 0.0, "high": 1.0}, "pause_s": 0.5},
    })  # fmt: skip


def record(
    number: int, x: float, state: TrialState = TrialState.SUCCEEDED, seed: int = 42
) -> TrialRecord:
    metrics = {"score": x} if state is TrialState.SUCCEEDED else {}
    return TrialRecord(number, state, {"x": x, "pause_s": 0.5}, seed, metrics=metrics)


def draws(sampler: Sampler, numbers: Iterable[int]) -> list[dict[str, Any]]:
    """Draw trials of these numbers; each succeeds with its ``x``."""
    found = []
    for number in numbers:
        found.append(sampler.draw(number))
        sampler.tell(number, found[-1]["x"])
    return found


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_a_sampler_that_starts_again_has_every_trial_of_the_job(strategy: str) -> None:
    finished = [record(n, x) for n, x in enumerate((0.2, 0.9, 0.4))]
    failed = record(3, 0.7, TrialState.FAILED)
    running = record(4, 0.5, TrialState.QUEUED, seed=7)
    sampler = Sampler(space(strategy), seed=42, records=[*finished, failed, running])
    trials = sampler._study.trials
    complete = [t for t in trials if t.state is OptunaState.COMPLETE]
    assert [(t.params, t.value) for t in complete] == [
        ({"x": r.parameters["x"]}, r.metrics["score"]) for r in finished
    ]
    assert [t.params for t in trials if t.state is OptunaState.FAIL] == [{"x": 0.7}]
    assert [t.params for t in trials if t.state is OptunaState.RUNNING] == [{"x": 0.5}]
    sampler.tell(4, 0.75)
    assert sampler._study.trials[-1].value == 0.75


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_a_sampler_that_starts_again_repeats_nothing(strategy: str) -> None:
    planned = draws(Sampler(space(strategy), seed=42, records=[]), range(TRIALS))
    values = [parameters["x"] for parameters in planned]
    assert len(set(values)) == TRIALS
    records = [record(n, x) for n, x in enumerate(values[:6])]
    records.append(record(6, values[6], TrialState.QUEUED))
    sampler = Sampler(space(strategy), seed=42, records=records)
    others = [parameters["x"] for parameters in draws(sampler, range(7, TRIALS))]
    everything = [*values[:7], *others]
    assert len(set(everything)) == len(everything) == TRIALS


def test_a_restarted_tpe_searches_where_the_finished_trials_were_best() -> None:
    """Without history, it would spend its first ten trials all over the range, 0.5 on average."""
    records = [record(n, n / 20) for n in range(20)]
    found = draws(Sampler(space("tpe", 30), seed=42, records=records), range(20, 30))
    assert statistics.mean(parameters["x"] for parameters in found) > 0.8


def test_a_trial_that_failed_is_no_result() -> None:
    sampler = Sampler(space("tpe"), seed=42, records=[])
    sampler.draw(0)
    sampler.tell(0, None)
    assert [trial.state for trial in sampler._study.trials] == [OptunaState.FAIL]


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_lists_are_drawn_stored_and_known_to_a_sampler_that_starts_again(strategy: str) -> None:
    raw = {**space(strategy).to_json(), "parameters": {
        "model.sizes": {"values": [[64, 64], [128], []]}, "pause-s": {"value": [0.5]},
    }}  # fmt: skip
    declared = SearchSpace.from_json(raw)
    sampler = Sampler(declared, seed=42, records=[])
    parameters = [json.loads(json.dumps(sampler.draw(number))) for number in range(8)]
    assert {str(p["model.sizes"]) for p in parameters} == {"[64, 64]", "[128]", "[]"}
    assert all(p["pause-s"] == [0.5] for p in parameters)
    finished = TrialRecord(0, TrialState.SUCCEEDED, parameters[0], 42, metrics={"score": 1.0})
    waiting = TrialRecord(1, TrialState.QUEUED, parameters[1], 42)
    again = Sampler(declared, seed=42, records=[finished, waiting])
    again.tell(1, 2.0)
    assert [trial.value for trial in again._study.trials] == [1.0, 2.0]


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_no_configuration_is_drawn_twice(strategy: str) -> None:
    """All of a small space are found, also those that a sampler would hardly draw by itself."""
    declared = SearchSpace.from_json({
        "name": "small", "trainable": "test_steps", "dataset": "ames", "epochs": 1,
        "metric": "score", "mode": "max", "strategy": strategy, "trials": 42,
        "parameters": {
            "x": {"low": 1, "high": 20},
            "b": {"values": [True, False]},
            "layers": {"values": [[8], [8, 8]], "when": {"b": True, "x": 1}},
        },
    })  # fmt: skip
    done = [TrialRecord(0, TrialState.SUCCEEDED, {"x": 3, "b": False}, 42, metrics={"score": 3.0})]
    sampler = Sampler(declared, seed=42, records=done)
    drawn = [json.dumps(parameters) for parameters in draws(sampler, range(1, 41))]
    assert len({*drawn, json.dumps(done[0].parameters)}) == 41
