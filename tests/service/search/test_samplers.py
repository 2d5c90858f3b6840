"""Samplers: they start from what is recorded, repeat nothing, and learn from one epoch."""

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
from service.search.samplers import OptunaSampler, Sampler, make_sampler

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
    """Draw trials of these numbers; each succeeds with its ``x``, the more the better."""
    found = []
    for number in numbers:
        found.append(sampler.draw(number))
        succeed(sampler, number, found[-1]["x"])
    return found


def succeed(sampler: Sampler, number: int, value: float) -> None:
    sampler.observe(number, 1, (-value,), ())
    sampler.end(number, succeeded=True)


def restored(strategy: str, records: list[TrialRecord]) -> OptunaSampler:
    """Return a sampler that has taken over a job with these trials."""
    sampler = make_sampler(space(strategy, 30), seed=42, records=records)
    assert isinstance(sampler, OptunaSampler)
    for found in records:
        if found.state is TrialState.SUCCEEDED:
            succeed(sampler, found.number, found.metrics["score"])
        elif found.state.is_finished:
            sampler.end(found.number, succeeded=False)
    return sampler


def known(sampler: OptunaSampler, state: OptunaState) -> list[float]:
    """Return the ``x`` of the trials of a state that the model knows."""
    return [t.params["x"] for t in sampler._told_study().trials if t.state is state]


def test_a_model_that_starts_again_has_every_trial_of_the_job() -> None:
    finished = [record(n, x) for n, x in enumerate((0.2, 0.9, 0.4))]
    failed = record(3, 0.7, TrialState.FAILED)
    running = record(4, 0.5, TrialState.QUEUED, seed=7)
    sampler = restored("tpe", [*finished, failed, running])
    assert known(sampler, OptunaState.COMPLETE) == [0.2, 0.9, 0.4]
    assert [t.value for t in sampler._told_study().trials[:3]] == [-0.2, -0.9, -0.4]
    assert known(sampler, OptunaState.RUNNING) == [0.5]
    succeed(sampler, 4, 0.75)
    assert sampler._told_study().trials[-1].value == -0.75
    assert known(sampler, OptunaState.RUNNING) == []


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_a_sampler_that_starts_again_repeats_nothing(strategy: str) -> None:
    planned = draws(make_sampler(space(strategy), seed=42), range(TRIALS))
    values = [parameters["x"] for parameters in planned]
    assert len(set(values)) == TRIALS
    records = [record(n, x) for n, x in enumerate(values[:6])]
    records.append(record(6, values[6], TrialState.QUEUED))
    sampler = restored(strategy, records)
    others = [parameters["x"] for parameters in draws(sampler, range(7, TRIALS))]
    everything = [*values[:7], *others]
    assert len(set(everything)) == len(everything) == TRIALS


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_the_same_seed_and_calls_draw_the_same(strategy: str) -> None:
    one, other = (make_sampler(space(strategy, 30), seed=42) for _ in range(2))
    assert draws(one, range(30)) == draws(other, range(30))
    assert draws(make_sampler(space(strategy), seed=43), range(5)) != draws(one, range(30, 35))


def test_a_restarted_tpe_searches_where_the_finished_trials_were_best() -> None:
    """Without history, it would spend its first ten trials all over the range, 0.5 on average."""
    found = draws(restored("tpe", [record(n, n / 20) for n in range(20)]), range(20, 32))
    assert statistics.median(parameters["x"] for parameters in found) > 0.8


def test_a_trial_that_failed_is_no_result() -> None:
    sampler = restored("tpe", [])
    sampler.draw(0)
    sampler.observe(0, 1, (1.0,), ())
    assert known(sampler, OptunaState.COMPLETE)
    sampler.end(0, succeeded=False)
    assert not known(sampler, OptunaState.COMPLETE)
    assert not known(sampler, OptunaState.RUNNING)


def test_values_that_are_no_numbers_are_refused() -> None:
    sampler = restored("tpe", [])
    sampler.draw(0)
    with pytest.raises(ValueError, match="values of trial 0 are not finite"):
        sampler.observe(0, 1, (float("nan"),), ())


def test_a_trial_that_the_space_cannot_have_drawn_tells_a_model_nothing() -> None:
    sampler = restored("tpe", [record(0, 7.5), record(1, 0.5)])
    assert known(sampler, OptunaState.COMPLETE) == [0.5]


@pytest.mark.parametrize("is_told", [True, False], ids=["told", "not told"])
def test_tpe_learns_from_paused_trials(is_told: bool) -> None:
    """Its model is told of trials that wait at a rung; without them it draws as at random."""
    tpe, random = (make_sampler(space(s, 60), seed=42) for s in ("tpe", "random"))
    drawn, at_random = [], []
    for number in range(60):
        drawn.append(tpe.draw(number)["x"])
        at_random.append(random.draw(number)["x"])
        if is_told:
            tpe.observe(number, 2, (-drawn[-1],), ())
    good = sum(x > 0.9 for x in drawn) - sum(x > 0.9 for x in at_random)
    assert good > 15 if is_told else abs(good) < 5


def test_a_model_is_told_the_values_of_one_epoch() -> None:
    sampler = restored("tpe", [])
    for number in range(12):
        x = sampler.draw(number)["x"]
        sampler.observe(number, 2, (x,), ())
    study = sampler._told_study()
    assert [t.value for t in study.trials if t.value is not None] == known(
        sampler, OptunaState.COMPLETE
    )
    for number in range(9):
        sampler.observe(number, 6, (100.0 + number,), ())
    assert sampler._told_study() is study, "nine values are too few: nothing is rebuilt"
    sampler.observe(9, 6, (109.0,), ())
    values = [t.value for t in sampler._told_study().trials]
    assert values == [100.0 + number for number in range(10)]
    study = sampler._told_study()
    sampler.observe(10, 6, (110.0,), ())
    assert sampler._told_study() is study
    assert study.trials[-1].value == 110.0


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_lists_are_drawn_stored_and_known_to_a_sampler_that_starts_again(strategy: str) -> None:
    raw = {**space(strategy).to_json(), "parameters": {
        "model.sizes": {"values": [[64, 64], [128], []]}, "pause-s": {"value": [0.5]},
    }}  # fmt: skip
    declared = SearchSpace.from_json(raw)
    sampler = make_sampler(declared, seed=42)
    parameters = [json.loads(json.dumps(sampler.draw(number))) for number in range(8)]
    assert {str(p["model.sizes"]) for p in parameters} == {"[64, 64]", "[128]", "[]"}
    assert all(p["pause-s"] == [0.5] for p in parameters)
    finished = TrialRecord(0, TrialState.SUCCEEDED, parameters[0], 42, metrics={"score": 1.0})
    waiting = TrialRecord(1, TrialState.QUEUED, parameters[1], 42)
    again = make_sampler(declared, seed=42, records=[finished, waiting])
    assert isinstance(again, OptunaSampler)
    again.observe(0, 1, (1.0,), ())
    again.observe(1, 1, (2.0,), ())
    if strategy == "tpe":
        assert [trial.value for trial in again._told_study().trials] == [1.0, 2.0]
    assert again.draw(2) not in (finished.parameters, waiting.parameters)


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
    sampler = make_sampler(declared, seed=42, records=done)
    sampler.observe(0, 1, (-3.0,), ())
    drawn = [json.dumps(parameters) for parameters in draws(sampler, range(1, 41))]
    assert len({*drawn, json.dumps(done[0].parameters)}) == 41
