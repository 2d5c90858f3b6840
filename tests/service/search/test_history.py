"""What a sampler is told of trials from elsewhere, and what is said to be left out."""

from __future__ import annotations

from typing import Any

import pytest

from results.records import TrialRecord
from results.states import Purpose, TrialState
from search_spaces import SearchSpace
from service.search.history import LeftOut, PastTrial, convert, gather, of_job
from service.search.levels import Past, Values

PARAMETERS = {
    "x": {"low": 0.0, "high": 1.0},
    "layers": {"low": 1, "high": 3},
    "optimizer": {"values": ["sgd", "adam"]},
    "decay": {"low": 0.0, "high": 1.0, "when": {"optimizer": "adam"}},
    "batch_size": 32,
}
SGD = {"x": 0.5, "layers": 2, "optimizer": "sgd", "batch_size": 32}
ADAM = {**SGD, "optimizer": "adam", "decay": 0.25}


def space(**members: Any) -> SearchSpace:
    return SearchSpace.from_json({
        "name": "any", "trainable": "any", "dataset": "any", "epochs": 5, "metric": "score",
        "mode": "max", "strategy": "tpe", "parameters": PARAMETERS, **members,
    })  # fmt: skip


def trial(parameters: dict[str, Any], source: str = "elsewhere", **metrics: float) -> PastTrial:
    return PastTrial(source, parameters, metrics or {"score": 0.75})


def test_what_fits_becomes_losses_and_excesses() -> None:
    declared = space(constraints=[{"metric": "size", "at_most": 10.0}])
    found = convert(declared, [trial(SGD, score=0.75, size=12.0), trial(ADAM, score=0.5, size=4.0)])
    assert found.left_out == ()
    assert [past.configuration for past in found.past] == [
        {name: SGD[name] for name in PARAMETERS if name in SGD},
        {name: ADAM[name] for name in PARAMETERS},
    ]
    assert [past.values for past in found.past] == [
        Values((-0.75,), (2.0,)),
        Values((-0.5,), (-6.0,)),
    ]


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({**SGD, "dropout": 0.1}, "the space has no parameter dropout"),
        ({**SGD, "x": 1.5}, "a value of x is not in the domain of this space"),
        ({**SGD, "x": "many"}, "a value of x is no number"),
        ({**SGD, "layers": 1.5}, "a value of layers is not in the domain of this space"),
        ({**SGD, "optimizer": "lbfgs"}, "a value of optimizer is not in the list of values"),
        ({**SGD, "batch_size": 64}, "a value of batch_size is not in the domain"),
        ({**SGD, "decay": 0.5}, "decay does not exist beside their other values"),
        ({"x": 0.5, "optimizer": "sgd"}, "they have no value for layers"),
        ({**SGD, "optimizer": "adam"}, "they have no value for decay"),
    ],
)
def test_a_configuration_that_is_not_one_of_the_space_is_left_out(
    parameters: dict[str, Any], reason: str
) -> None:
    found = convert(space(), [trial(parameters), trial(SGD), trial(parameters)])
    assert len(found.past) == 1
    (left_out,) = found.left_out
    assert (left_out.source, left_out.trials) == ("elsewhere", 2)
    assert reason in left_out.reason


def test_constants_may_be_missing_and_numbers_may_be_text() -> None:
    told = {"x": "0.5", "layers": "2.0", "optimizer": "sgd"}
    assert convert(space(), [trial(told)]).past == convert(space(), [trial(SGD)]).past


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        ({"loss": 0.5}, "no finite value of score"),
        ({"score": float("nan")}, "no finite value of score"),
        ({"score": 0.5}, "no value of a metric that is constrained"),
    ],
)
def test_a_trial_without_a_value_is_left_out(metrics: dict[str, float], reason: str) -> None:
    declared = space(constraints=[{"metric": "size", "at_most": 10.0}])
    found = convert(declared, [trial(SGD, "job a", **metrics)])
    assert found.past == ()
    assert found.left_out == (LeftOut("job a", f"they have {reason}", 1),)


def test_values_without_names_are_those_of_the_objectives_in_order() -> None:
    two = [{"metric": "score", "mode": "max"}, {"metric": "seconds", "mode": "min"}]
    raw = {key: value for key, value in space().to_json().items() if key not in ("metric", "mode")}
    declared = SearchSpace.from_json({**raw, "objectives": two})
    found = convert(declared, [PastTrial("a study", SGD, {}, (0.5, 3.0))])
    assert [past.values for past in found.past] == [Values((-0.5, 3.0))]
    assert isinstance(found.past[0], Past)


def test_trials_of_the_space_itself_are_told_after_those_of_jobs() -> None:
    listed = [
        {"parameters": SGD, "values": [0.5]},
        {"parameters": ADAM, "values": [0.25], "modes": ["min"]},
        {"parameters": ADAM, "values": [0.25, 1.0]},
        {"parameters": ADAM, "metrics": {"score": 0.75}, "modes": ["max"]},
    ]
    declared = space(history=listed, warm_start=["abc"])
    records = [TrialRecord(0, TrialState.SUCCEEDED, SGD, 42, metrics={"score": 0.125})]
    found = gather(declared, lambda job: records if job == "abc" else [])
    assert [past.values.losses for past in found.past] == [(-0.125,), (-0.5,), (-0.75,)]
    assert found.left_out == (
        LeftOut("the history", "min is their better direction of score, and here it is max", 1),
        LeftOut("the history", "they have 2 values for 1 objective", 1),
    )


def test_of_a_job_the_trials_of_its_search_that_succeeded_count() -> None:
    records = [
        TrialRecord(0, TrialState.SUCCEEDED, SGD, 42, {"score": 0.5}, seconds=3.0, model_bytes=9),
        TrialRecord(1, TrialState.FAILED, SGD, 42, metrics={"score": 0.6}),
        TrialRecord(2, TrialState.STOPPED, SGD, 42, metrics={"score": 0.7}),
        TrialRecord(
            3, TrialState.SUCCEEDED, SGD, 43, metrics={"score": 0.8}, purpose=Purpose.CONFIRM
        ),
    ]  # fmt: skip
    (told,) = (trial for trial in of_job("abc", records) if not trial.unfit)
    # What every trial has may be an objective or a constraint too.
    metrics = {"score": 0.5, "seconds": 3.0, "model_bytes": 9.0}
    assert told == PastTrial("job abc", SGD, metrics)


def test_a_copy_in_a_population_tells_nothing() -> None:
    records = [
        TrialRecord(n, TrialState.SUCCEEDED, SGD, 42, {"score": 0.5}, parent=parent)
        for n, parent in enumerate((None, 0))
    ]
    assert [bool(trial.unfit) for trial in of_job("a", records)] == [False, True]


def test_trials_of_a_job_that_tell_nothing_are_counted_with_the_reason() -> None:
    states = [TrialState.SUCCEEDED, TrialState.STOPPED, TrialState.PAUSED, TrialState.FAILED,
              TrialState.CANCELLED]  # fmt: skip
    records = [
        TrialRecord(n, state, SGD, 42, {"score": 0.5}, epochs=2) for n, state in enumerate(states)
    ]
    records.append(
        TrialRecord(5, TrialState.SUCCEEDED, SGD, 43, {"score": 0.5}, purpose=Purpose.CONFIRM)
    )
    records.append(TrialRecord(6, TrialState.SUCCEEDED, SGD, 43, {"score": 0.5}, parent=0))
    found = gather(space(warm_start=["abc"]), lambda _: records)
    assert len(found.past) == 1
    assert found.left_out == (
        LeftOut("job abc", "they ended early, before the last epoch", 2),
        LeftOut("job abc", "they failed", 1),
        LeftOut("job abc", "they were cancelled", 1),
        LeftOut("job abc", "they repeat other trials with further seeds", 1),
        LeftOut("job abc", "they went on from other trials with other parameters", 1),
    )
