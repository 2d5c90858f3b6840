"""Samplers: they start from what is recorded, repeat nothing, and learn from one epoch."""

from __future__ import annotations

import itertools
import json
import math
import statistics
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from optuna import Study
from optuna.trial import TrialState as OptunaState

import search_spaces
from results.records import TrialRecord
from results.states import TrialState
from search_spaces import SearchSpace
from service.search.ask_ahead import AskAhead
from service.search.levels import Past, Values
from service.search.samplers import MOST_BEHIND, OptunaSampler, Sampler, make_sampler

SAMPLERS = tuple(name for name in search_spaces.SAMPLERS if name != "auto")
#: Those that learn also where there is one parameter; NSGA-II then draws at random.
MODELS = ("tpe", "gp", "cmaes")
THREE = {name: {"low": 0.0, "high": 1.0} for name in "xyz"}
TRIALS = 12


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    for sampler in _MADE:
        sampler.close()
    _MADE.clear()


_MADE: list[Sampler] = []


def made(declared: SearchSpace, **arguments: Any) -> Sampler:
    _MADE.append(make_sampler(declared, seed=arguments.pop("seed", 42), **arguments))
    return _MADE[-1]


def space(strategy: str, trials: int = TRIALS, **members: Any) -> SearchSpace:
    raw = {
        "name": "steps", "trainable": "test_steps", "dataset": "ames", "epochs": 1,
        "metric": "score", "mode": "max", "strategy": strategy, "trials": trials,
        "parameters": {"x": {"low": 0.0, "high": 1.0}, "pause_s": 0.5},
    }  # fmt: skip
    return SearchSpace.from_json({**raw, **members})


def score(x: float) -> float:
    """Return the value of a trial, best at 0.8."""
    return 1.0 - (x - 0.8) ** 2


def record(
    number: int, x: float, state: TrialState = TrialState.SUCCEEDED, seed: int = 42
) -> TrialRecord:
    metrics = {"score": score(x)} if state is TrialState.SUCCEEDED else {}
    return TrialRecord(number, state, {"x": x, "pause_s": 0.5}, seed, metrics=metrics)


def draws(sampler: Sampler, numbers: Iterable[int]) -> list[dict[str, Any]]:
    """Draw trials of these numbers; each succeeds with its score."""
    found = []
    for number in numbers:
        found.append(sampler.draw(number))
        succeed(sampler, number, score(found[-1]["x"]))
    return found


def is_near_the_best(found: list[dict[str, Any]]) -> bool:
    """Whether most are within 0.2 of the best; of random ones, four of ten are."""
    return statistics.median(abs(parameters["x"] - 0.8) for parameters in found) < 0.15


def succeed(sampler: Sampler, number: int, value: float) -> None:
    sampler.observe(number, 1, (-value,), ())
    sampler.end(number, succeeded=True)


def restored(strategy: str, records: list[TrialRecord]) -> OptunaSampler:
    """Return a sampler that has taken over a job with these trials."""
    sampler = made(space(strategy, 30), records=records)
    if isinstance(sampler, AskAhead):
        inner = sampler._sampler
        assert isinstance(inner, OptunaSampler)
        sampler = inner
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
    assert known(sampler, OptunaState.COMPLETE) == [0.2, 0.9, 0.4, 0.7]
    assert [t.value for t in sampler._told_study().trials[:4]] == [
        -score(x) for x in (0.2, 0.9, 0.4, 0.2)
    ]
    assert known(sampler, OptunaState.RUNNING) == [0.5]
    succeed(sampler, 4, 0.75)
    assert sampler._told_study().trials[-1].value == -0.75
    assert known(sampler, OptunaState.RUNNING) == []


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_a_sampler_that_starts_again_repeats_nothing(strategy: str) -> None:
    planned = draws(made(space(strategy)), range(TRIALS))
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
    one, other = (made(space(strategy, 20)) for _ in range(2))
    first = draws(one, range(13))
    assert first == draws(other, range(13))
    assert draws(made(space(strategy), seed=43), range(5)) != first[:5]


@pytest.mark.parametrize("strategy", MODELS)
def test_a_restarted_model_searches_where_the_finished_trials_were_best(strategy: str) -> None:
    """Without history, it would spend its first ten trials all over the range, 0.5 on average."""
    found = draws(restored(strategy, [record(n, n / 20) for n in range(20)]), range(20, 27))
    assert is_near_the_best(found)


def test_a_trial_that_failed_is_no_result() -> None:
    sampler = restored("tpe", [])
    sampler.draw(0)
    sampler.observe(0, 1, (1.0,), ())
    assert known(sampler, OptunaState.COMPLETE)
    sampler.end(0, succeeded=False)
    assert not known(sampler, OptunaState.COMPLETE)
    assert not known(sampler, OptunaState.RUNNING)


@pytest.mark.parametrize("strategy", ["tpe", "gp"])
def test_models_leave_where_trials_fail(strategy: str) -> None:
    """Of random ones 9 of 15 fail, and nearly all where the model forgets those that did."""
    sampler = made(space(strategy, 30))
    failed = 0
    for number in range(30):
        x = sampler.draw(number)["x"]
        if x > 0.4:
            sampler.end(number, succeeded=False)
            failed += number >= 15
        else:
            succeed(sampler, number, score(x + 0.5))
    assert failed < 8


def test_one_huge_loss_and_many_failures_do_not_blind_a_gaussian_process() -> None:
    """Of the first 20 trials 12 fail; told that they are as huge, the model sees all others alike.

    Where they were, the median distance of the next ones from the best was .28, and now it is .03.
    """
    points = list(itertools.product((0.05, 0.3, 0.55, 0.8, 0.95), (0.1, 0.35, 0.6, 0.85)))
    declared = space("gp", 40, parameters={name: THREE[name] for name in "xy"})
    parameters = [dict(zip("xy", point, strict=True)) for point in points]
    records = [TrialRecord(n, TrialState.QUEUED, found, 42) for n, found in enumerate(parameters)]
    sampler = OptunaSampler(declared, seed=3, records=records)
    for number, (x, y) in enumerate(points):
        if x > 0.5:
            sampler.end(number, succeeded=False)
        else:
            loss = 1e12 if number == 7 else (x - 0.2) ** 2 + (y - 0.3) ** 2
            sampler.observe(number, 1, (loss,))
            sampler.end(number, succeeded=True)
    distances = []
    for number in range(20, 25):
        x, y = (sampler.draw(number)[name] for name in "xy")
        distances.append(math.hypot(x - 0.2, y - 0.3))
        sampler.observe(number, 1, ((x - 0.2) ** 2 + (y - 0.3) ** 2,))
        sampler.end(number, succeeded=True)
    assert statistics.median(distances) < 0.1


@pytest.mark.parametrize("is_drawn_before", [False, True])
def test_a_trial_that_was_lost_is_no_bad_result(is_drawn_before: bool) -> None:
    """The model knows what it reported, and neither waits for it nor keeps away from it."""
    sampler = OptunaSampler(space("tpe", epochs=3, scheduler="asha"), seed=1)
    for number in range(4):
        sampler.draw(number)
    if is_drawn_before:
        sampler._told_study()
    sampler.observe(0, 1, (1.0,))
    sampler.observe(1, 1, (3.0,))
    for number in (1, 2):
        sampler.leave_out(number)
    told = sampler._told_study().trials
    assert [t.value for t in told if t.state is OptunaState.COMPLETE] == [1.0, 3.0]
    assert known(sampler, OptunaState.RUNNING) == [sampler._trials[3].params["x"]]
    sampler.end(3, succeeded=False)
    told = sampler._told_study().trials
    assert [t.value for t in told if t.state is OptunaState.COMPLETE] == [1.0, 3.0, 3.0]
    assert known(sampler, OptunaState.RUNNING) == []


def test_a_trial_that_failed_counts_as_the_worst_at_the_epoch_of_the_model() -> None:
    constraint = {"metric": "size", "at_most": 1}
    sampler = OptunaSampler(space("tpe", constraints=[constraint]), seed=1)
    for number in range(3):
        sampler.draw(number)
    sampler.observe(0, 1, (1.0,), (-1.0,))
    sampler.end(2, succeeded=False)
    assert [t.value for t in sampler._told_study().trials if t.state is OptunaState.COMPLETE] == [
        1.0,
        1.0,
    ]
    sampler.observe(1, 1, (3.0,), (2.0,))
    told = {t.params["x"]: t for t in sampler._told_study().trials}
    found = told[sampler._trials[2].params["x"]]
    assert (found.value, found.constraints) == (3.0, {"0": 2.0})


@pytest.mark.parametrize("strategy", ["tpe", "gp", "nsga2"])
def test_constraints_are_those_of_the_epoch_of_the_model(strategy: str) -> None:
    """Optuna keeps the first constraints that it is given for a trial."""
    constraint = {"metric": "size", "at_most": 1}
    members: dict[str, Any] = {"parameters": THREE, "constraints": [constraint], "epochs": 3}
    sampler = OptunaSampler(space(strategy, **members), seed=1)
    for number in range(12):
        sampler.draw(number)
        sampler.observe(number, 1, (float(number),), (1.0 + number,))
    sampler.draw(12)
    for number in range(12):
        sampler.observe(number, 3, (float(number),), (-1.0 - number,))
    told = sampler._told_study().trials
    complete = [trial for trial in told if trial.state is OptunaState.COMPLETE]
    assert [trial.constraints for trial in complete] == [{"0": -1.0 - n} for n in range(12)]


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
    tpe, random = (made(space(s, 60)) for s in ("tpe", "random"))
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
    study = sampler._told_study()
    assert told(study) == [100.0 + number for number in range(10)]
    assert len(known(sampler, OptunaState.RUNNING)) == 2, "those that have no value there"
    sampler.observe(10, 6, (110.0,), ())
    sampler.observe(0, 18, (200.0,), ())
    sampler.end(0, succeeded=True)
    assert sampler._told_study() is study
    assert told(study) == [100.0 + number for number in range(11)], "each of them once"
    assert len(known(sampler, OptunaState.RUNNING)) == 1
    sampler.end(11, succeeded=False)
    assert known(sampler, OptunaState.RUNNING) == []


@pytest.mark.parametrize("is_of_others", [True, False], ids=["of others", "its own"])
def test_what_paused_before_the_epoch_of_a_model_runs_for_it(is_of_others: bool) -> None:
    """Values of the last epoch alone do not say that a trial has been tried and was paused."""
    full = [(n / 12, score(n / 12)) for n in range(12)]
    past = [Past({"x": x, "pause_s": 0.5}, Values((-value,))) for x, value in full]
    records = [record(n, x) for n, (x, _) in enumerate(full)]
    declared = space("gp", 60, epochs=9)
    sampler = OptunaSampler(
        declared, seed=42, records=() if is_of_others else records,
        history=past if is_of_others else (),
    )  # fmt: skip
    if not is_of_others:
        for number, (_, value) in enumerate(full):
            sampler.observe(number, 9, (-value,), ())
    drawn = []
    for number in range(20, 23):
        drawn.append(sampler.draw(number)["x"])
        sampler.observe(number, 1, (5.0,), ())
    assert known(sampler, OptunaState.RUNNING) == drawn


def test_the_oldest_that_paused_before_the_epoch_of_a_model_are_forgotten() -> None:
    sampler = restored("tpe", [record(n, n / 20) for n in range(12)])
    for number in range(20, 20 + MOST_BEHIND + 3):
        x = sampler.draw(number)["x"]
        sampler.observe(number, 0, (x,), ())
    running = known(sampler, OptunaState.RUNNING)
    assert len(running) == MOST_BEHIND
    assert running[-1] == x
    sampler._study = None
    assert known(sampler, OptunaState.RUNNING) == running, "so are they in a study that is new"


def test_a_promoted_trial_runs_for_the_model_until_it_is_heard_of_again() -> None:
    sampler = restored("tpe", [record(n, n / 20) for n in range(12)])
    first = sampler.draw(20)["x"]
    sampler.observe(20, 0, (first,), ())
    known(sampler, OptunaState.RUNNING)
    sampler.begin(20)
    for number in range(30, 30 + MOST_BEHIND + 3):
        sampler.observe(number, 0, (sampler.draw(number)["x"],), ())
    running = known(sampler, OptunaState.RUNNING)
    assert len(running) == MOST_BEHIND + 1
    assert first in running
    sampler.observe(20, 0, (first,), ())
    running = known(sampler, OptunaState.RUNNING)
    assert (len(running), first in running) == (MOST_BEHIND, True)


def test_one_that_was_forgotten_runs_again_once_it_is_promoted() -> None:
    sampler = restored("tpe", [record(n, n / 20) for n in range(12)])
    xs = []
    for number in range(20, 20 + MOST_BEHIND + 1):
        xs.append(sampler.draw(number)["x"])
        sampler.observe(number, 0, (xs[-1],), ())
    assert xs[0] not in known(sampler, OptunaState.RUNNING)
    sampler.begin(20)
    assert known(sampler, OptunaState.RUNNING)[-1] == xs[0]


def told(study: Study) -> list[float | None]:
    """Return the values of the trials that are complete in a study."""
    return [t.value for t in study.trials if t.state is OptunaState.COMPLETE]


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_lists_are_drawn_stored_and_known_to_a_sampler_that_starts_again(strategy: str) -> None:
    raw = {**space(strategy).to_json(), "parameters": {
        "model.sizes": {"values": [[64, 64], [128], []]}, "pause-s": {"value": [0.5]},
    }}  # fmt: skip
    declared = SearchSpace.from_json(raw)
    sampler = made(declared)
    parameters = [json.loads(json.dumps(sampler.draw(number))) for number in range(8)]
    assert {str(p["model.sizes"]) for p in parameters} == {"[64, 64]", "[128]", "[]"}
    assert all(p["pause-s"] == [0.5] for p in parameters)
    finished = TrialRecord(0, TrialState.SUCCEEDED, parameters[0], 42, metrics={"score": 1.0})
    waiting = TrialRecord(1, TrialState.QUEUED, parameters[1], 42)
    again = made(declared, records=[finished, waiting])
    again.observe(0, 1, (1.0,), ())
    again.observe(1, 1, (2.0,), ())
    assert again.draw(2) not in (finished.parameters, waiting.parameters)


def test_random_configurations_that_start_again_are_those_that_would_have_followed() -> None:
    steps = {"x": {"low": 0.0, "high": 1.0, "step": 0.05}, "pause_s": 0.5}
    declared = space("random", 16, parameters=steps, enqueue=[{"x": 0.5, "pause_s": 0.5}])
    found = draws(made(declared), range(16))
    for begun in (1, 2, 9):
        done = [record(number, parameters["x"]) for number, parameters in enumerate(found[:begun])]
        assert draws(made(declared, records=done), range(begun, 16)) == found[begun:]


@pytest.mark.parametrize("strategy", ["random", "tpe"])
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
    sampler = made(declared, records=done)
    sampler.observe(0, 1, (-3.0,), ())
    drawn = [json.dumps(parameters) for parameters in draws(sampler, range(1, 41))]
    assert len({*drawn, json.dumps(done[0].parameters)}) == 41


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_all_of_a_small_space_are_found(strategy: str) -> None:
    """Also where the model would draw the best one again."""
    parameters = {"x": {"low": 0.0, "high": 1.0, "step": 0.25}, "y": {"low": 1, "high": 3}}
    found = draws(made(space(strategy, 15, parameters=parameters)), range(15))
    assert len({json.dumps(configuration) for configuration in found}) == 15


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_fine_steps_are_told_to_models_and_drawn_again(strategy: str) -> None:
    """Optuna's ranges with steps refuse some of their own values where steps are fine."""
    x = {"low": 1e6, "high": 1000001.0, "step": 0.001}
    declared = space(
        strategy, 16, parameters={"x": x, "y": {"low": 0.0, "high": 1e3, "step": 1e-7}}
    )
    found = draws(made(declared), range(14))
    records = [
        TrialRecord(number, TrialState.SUCCEEDED, parameters, 42, metrics={"score": 1.0})
        for number, parameters in enumerate(found)
    ]
    later = made(declared, records=records)
    for number, parameters in enumerate(found):
        succeed(later, number, score(parameters["x"]))
    found += draws(later, range(14, 16))
    assert all(one[name] in declared.parameters[name] for one in found for name in one)
    assert len({json.dumps(one) for one in found}) == 16


@pytest.mark.parametrize("strategy", SAMPLERS)
def test_enqueued_configurations_are_drawn_first_in_order(strategy: str) -> None:
    enqueue = [{"x": 0.125, "pause_s": 0.5}, {"x": 0.0, "pause_s": 0.5}]
    declared = space(strategy, enqueue=enqueue)
    sampler = made(declared)
    found = draws(sampler, range(4))
    assert found[:2] == enqueue
    assert all(configuration not in enqueue for configuration in found[2:])
    again = made(declared, records=[record(0, 0.125)])
    assert again.draw(1) == enqueue[1]
    assert again.draw(2) not in enqueue


@pytest.mark.parametrize("strategy", MODELS)
def test_history_counts_as_observed_at_the_last_epoch(strategy: str) -> None:
    """So a model searches from the beginning where other jobs were best."""
    past = [Past({"x": n / 20, "pause_s": 0.5}, Values((-score(n / 20),))) for n in range(20)]
    past.append(Past({"x": 40.0, "pause_s": 0.5}, Values((-40.0,))))
    assert is_near_the_best(draws(made(space(strategy, 30), history=past), range(7)))


def test_history_makes_the_first_generations_of_nsga2() -> None:
    random = draws(made(space("random", 60, parameters=THREE)), range(60))
    past = [Past(found, Values((-sum(map(score, found.values())),))) for found in random]
    after = draws(made(space("nsga2", 30, parameters=THREE), history=past), range(9))

    def typical(found: list[dict[str, Any]]) -> float:
        return statistics.mean(sum(map(score, parameters.values())) for parameters in found)

    assert typical(after) > typical(random) + 0.25


@pytest.mark.parametrize("strategy", ["tpe", "nsga2", pytest.param("gp", marks=pytest.mark.long)])
def test_several_objectives_and_constraints_are_told(strategy: str) -> None:
    """The front of x and 1 - x is everywhere; the constraint leaves only x below 0.3."""
    declared = space(
        strategy, 50, parameters=THREE, constraints=[{"metric": "size", "at_most": 0.3}],
        objectives=[{"metric": "score", "mode": "max"}, {"metric": "seconds", "mode": "min"}],
    )  # fmt: skip
    sampler, met = made(declared), []
    for number in range(20 if strategy == "gp" else 40):
        x = sampler.draw(number)["x"]
        met.append(x <= 0.3)
        sampler.observe(number, 1, (-x, x), (x - 0.3,))
        sampler.end(number, succeeded=True)
    later = met[-10:]
    assert sum(later) >= 6, "3 of 10 at random"


def test_an_excess_may_be_endless_and_is_no_number_never() -> None:
    sampler = restored("tpe", [])
    sampler.draw(0)
    sampler.observe(0, 1, (1.0,), (float("inf"),))
    sampler.draw(1)
    with pytest.raises(ValueError, match="values of trial 1 are not finite"):
        sampler.observe(1, 1, (1.0,), (float("nan"),))


def test_trials_that_nearly_diverged_do_not_stop_a_gaussian_process() -> None:
    sampler = OptunaSampler(space("gp", parameters=THREE), seed=42)
    for number in range(10):
        sampler.draw(number)
        sampler.observe(number, 1, (1e308 if number % 2 else float(number),))
    assert set(sampler.draw(10)) == set(THREE)


def test_sobol_points_fill_a_range_more_evenly_than_random_ones() -> None:
    def cells(strategy: str) -> int:
        found = draws(made(space(strategy, 64)), range(64))
        return len({int(parameters["x"] * 64) for parameters in found})

    assert cells("sobol") >= 60
    assert cells("random") < 50


def test_a_part_of_the_configurations_of_a_model_is_random() -> None:
    """They are spread over the search, the same ones wherever it is taken over."""
    rungs = space("tpe", 30, epochs=9, scheduler="asha")
    sampler = OptunaSampler(rungs, seed=42, records=[record(n, n / 7) for n in range(5)])
    kinds = []
    for number in range(5, 25):
        kinds.append(sampler._is_random)
        sampler.draw(number)
    assert kinds == [True, False] * 10
    plain = OptunaSampler(space("tpe", 30), seed=42)
    assert not plain._is_random, "without rungs it does not help"
