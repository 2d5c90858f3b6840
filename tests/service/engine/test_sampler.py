"""The sampler: it starts from what is recorded, and repeats nothing."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence

import pytest
from optuna.trial import TrialState as OptunaState

from results.records import TrialRecord
from results.states import TrialState
from search_spaces import SearchSpace
from service.engine.messages import OBJECTIVE, Assignment
from service.engine.sampler import Sampler
from service.engine.search import search_options

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


def searched(
    strategy: str, records: Sequence[TrialRecord], trials: int = TRIALS
) -> tuple[Sampler, int]:
    """Return the sampler over what is left, and how many trials that is."""
    search = search_options(space(strategy, trials), seed=42, records=records)
    assert search.keys() == {"num_samples", "search_alg"}
    sampler: Sampler = search["search_alg"]
    return sampler, search["num_samples"]


def suggestions(sampler: Sampler, trials: int) -> list[Assignment]:
    """Run what is left: each trial reports its ``x``."""
    found = []
    for number in range(trials):
        assignment = Assignment.of(sampler.suggest(f"trial-{number}"))
        found.append(assignment)
        result = {OBJECTIVE: assignment.parameters["x"]}
        sampler.on_trial_complete(trial_id=f"trial-{number}", result=result)
    return found


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_a_sampler_that_starts_again_has_every_finished_trial(strategy: str) -> None:
    finished = [record(n, x) for n, x in enumerate((0.2, 0.9, 0.4))]
    failed = record(3, 0.7, TrialState.FAILED)
    running = record(4, 0.5, TrialState.QUEUED, seed=7)
    sampler, left = searched(strategy, [*finished, failed, running])
    assert left == TRIALS - 4
    trials = sampler._study.trials
    complete = [t for t in trials if t.state is OptunaState.COMPLETE]
    assert [(t.params, t.value) for t in complete] == [
        ({"x": r.parameters["x"]}, r.metrics["score"]) for r in finished
    ]
    assert [t.params for t in trials if t.state is OptunaState.FAIL] == [{"x": 0.7}]
    first = Assignment.of(sampler.suggest("first"))
    assert first == Assignment(4, running.parameters, 7), "it is run before any new one"


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_a_sampler_that_starts_again_repeats_nothing_and_numbers_go_on(strategy: str) -> None:
    planned = suggestions(*searched(strategy, []))
    assert [assignment.number for assignment in planned] == list(range(TRIALS))
    values = [assignment.parameters["x"] for assignment in planned]
    assert len(set(values)) == TRIALS
    records = [record(n, x) for n, x in enumerate(values[:6])]
    records.append(record(6, values[6], TrialState.QUEUED))
    left = suggestions(*searched(strategy, records))
    assert left[0] == planned[6]
    everything = [*values[:6], *(assignment.parameters["x"] for assignment in left)]
    assert len(set(everything)) == len(everything) == TRIALS
    assert [assignment.number for assignment in left] == list(range(6, TRIALS))


def test_a_number_whose_trial_never_began_is_given_again() -> None:
    """Tune may start a later suggestion first, and the driver may be lost before the earlier."""
    sampler, _ = searched("random", [record(0, 0.1), record(2, 0.2)])
    numbers = [Assignment.of(sampler.suggest(name)).number for name in "abc"]
    assert numbers == [1, 3, 4]


def test_a_restarted_tpe_searches_where_the_finished_trials_were_best() -> None:
    """Without history, it would spend its first ten trials all over the range, 0.5 on average."""
    records = [record(n, n / 20) for n in range(20)]
    found = suggestions(*searched("tpe", records, trials=30))
    assert statistics.mean(assignment.parameters["x"] for assignment in found) > 0.8


def test_a_trial_that_failed_is_no_result() -> None:
    sampler, _ = searched("tpe", [])
    for name in "ab":
        sampler.suggest(name)
    sampler.on_trial_complete(trial_id="a", result=None, error=True)
    sampler.on_trial_complete(trial_id="b", result={"done": True})
    assert [trial.state for trial in sampler._study.trials] == [OptunaState.FAIL] * 2


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_lists_are_drawn_stored_and_known_to_a_sampler_that_starts_again(strategy: str) -> None:
    raw = {**space(strategy).to_json(), "parameters": {
        "model.sizes": {"values": [[64, 64], [128], []]}, "pause-s": {"value": [0.5]},
    }}  # fmt: skip
    declared = SearchSpace.from_json(raw)
    sampler = Sampler(declared, seed=42, records=[])
    drawn = [json.loads(json.dumps(sampler.suggest(name))) for name in "abcdefgh"]
    parameters = [Assignment.of(configuration).parameters for configuration in drawn]
    assert {str(p["model.sizes"]) for p in parameters} == {"[64, 64]", "[128]", "[]"}
    assert all(p["pause-s"] == [0.5] for p in parameters)
    finished = TrialRecord(0, TrialState.SUCCEEDED, parameters[0], 42, metrics={"score": 1.0})
    waiting = TrialRecord(1, TrialState.QUEUED, parameters[1], 42)
    again = Sampler(declared, seed=42, records=[finished, waiting])
    assert Assignment.of(again.suggest("first")) == Assignment(1, parameters[1], 42)


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
    search = search_options(declared, seed=42, records=done)
    drawn = [json.dumps(a.parameters) for a in suggestions(search["search_alg"], 40)]
    assert len({*drawn, json.dumps(done[0].parameters)}) == 41
