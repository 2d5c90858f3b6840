"""How a search goes on and ends, as members of a space: read, written, refused, replaced."""

from __future__ import annotations

import json
from typing import Any

import pytest

from search_spaces import (
    SEARCH_KEYS,
    Budget,
    Code,
    Confirm,
    Constraint,
    KnownTrial,
    Objective,
    Scheduler,
    SearchSpace,
    SearchSpaceError,
)

SPACE: dict[str, Any] = {
    "name": "declared",
    "title": "All that can be declared",
    "trainable": "any",
    "dataset": "images",
    "epochs": 20,
    "metric": "accuracy",
    "mode": "max",
    "strategy": "tpe",
    "parameters": {
        "rate": {"low": 0.001, "high": 0.1, "log": True, "default": 0.01},
        "layers": {"values": [1, 2, 3]},
        "momentum": {"values": [0.0, 0.9], "when": {"layers": [2, 3]}},
    },
    "trials": 30,
}
MEMBERS: dict[str, Any] = {
    "objectives": [{"metric": "accuracy", "mode": "max"}, {"metric": "seconds", "mode": "min"}],
    "constraints": [{"metric": "model_bytes", "at_most": 1000000}],
    "scheduler": {"name": "asha", "reduction_factor": 4, "min_epochs": 2, "stops": False},
    "budget": {"seconds": 3600, "target": 0.89},
    "enqueue": [{"rate": 0.001}, {"layers": 2, "momentum": 0.9}],
    "warm_start": ["0123456789abcdef"],
    "history": [{"parameters": {"rate": 0.001}, "values": [0.5, 60]}],
    "repeats": 3,
    "confirm": {"top": 4, "seeds": 3},
}


def space(**members: Any) -> SearchSpace:
    return SearchSpace.from_json({**SPACE, **members})


def problems(**members: Any) -> set[tuple[str, str]]:
    with pytest.raises(SearchSpaceError) as caught:
        space(**members)
    return {(problem.pointer, problem.code) for problem in caught.value.problems}


def test_every_member_is_read_and_written_as_it_was() -> None:
    read = space(**MEMBERS)
    assert read.objectives == (Objective("accuracy", "max"), Objective("seconds", "min"))
    assert (read.metric, read.mode) == ("accuracy", "max")
    assert read.constraints == (Constraint("model_bytes", at_most=1000000),)
    assert read.scheduler == Scheduler("asha", reduction_factor=4, min_epochs=2)
    assert read.budget == Budget(seconds=3600, target=0.89)
    assert read.enqueue == ({"rate": 0.001}, {"layers": 2, "momentum": 0.9})
    assert (read.warm_start, read.repeats) == (("0123456789abcdef",), 3)
    assert read.history == (KnownTrial({"rate": 0.001}, (0.5, 60)),)
    assert read.confirm == Confirm(4, 3)
    assert tuple(MEMBERS) == SEARCH_KEYS
    assert {key: read.to_json()[key] for key in SEARCH_KEYS} == MEMBERS
    assert SearchSpace.from_json(json.loads(json.dumps(read.to_json()))) == read


def test_members_at_their_defaults_are_not_written() -> None:
    plain = space(
        objectives=[{"metric": "accuracy", "mode": "max"}], constraints=[], scheduler="none",
        budget={}, enqueue=[], warm_start=[], history=[], repeats=1,
        confirm=False,
    )  # fmt: skip
    assert plain == space()
    assert plain.to_json().keys() == SPACE.keys()


def test_objectives_stand_in_for_the_metric() -> None:
    bare = {key: value for key, value in SPACE.items() if key not in ("metric", "mode")}
    read = SearchSpace.from_json({**bare, "objectives": MEMBERS["objectives"]})
    assert read == space(objectives=MEMBERS["objectives"])
    with pytest.raises(SearchSpaceError) as caught:
        SearchSpace.from_json({**bare, "objectives": [{"metric": "accuracy"}]})
    assert [problem.pointer for problem in caught.value.problems] == ["/objectives/0/mode"]
    assert {p for p, _ in problems(metric="loss", objectives=MEMBERS["objectives"])} == {"/metric"}


@pytest.mark.parametrize(
    ("members", "pointer", "code"),
    [
        ({"objectives": []}, "/objectives", Code.EMPTY),
        ({"objectives": "accuracy"}, "/objectives", Code.WRONG_TYPE),
        ({"objectives": MEMBERS["objectives"] * 3}, "/objectives", Code.TOO_MANY),
        (
            {"objectives": [MEMBERS["objectives"][0]] * 2},
            "/objectives/1/metric",
            Code.DUPLICATE,
        ),
        ({"constraints": {"metric": "x", "at_most": 1}}, "/constraints", Code.WRONG_TYPE),
        ({"constraints": [{"metric": "x"}]}, "/constraints/0/metric", Code.MISSING),
        ({"scheduler": "hyper"}, "/scheduler", Code.UNKNOWN_SCHEDULER),
        ({"scheduler": {"name": "asha", "min_epochs": 20}}, "/scheduler", Code.NOT_APPLICABLE),
        ({"scheduler": "asha", "epochs": 1}, "/scheduler", Code.NOT_APPLICABLE),
        ({"budget": {"hours": 1}}, "/budget/hours", Code.UNKNOWN_KEY),
        ({"enqueue": {"rate": 0.01}}, "/enqueue", Code.WRONG_TYPE),
        ({"enqueue": [0.01]}, "/enqueue/0", Code.WRONG_TYPE),
        ({"enqueue": [{"rate": 1.0}]}, "/enqueue/0/rate", Code.OUT_OF_RANGE),
        ({"enqueue": [{}] * 2, "trials": 1}, "/enqueue", Code.TOO_MANY),
        ({"warm_start": "0123456789abcdef"}, "/warm_start", Code.WRONG_TYPE),
        ({"warm_start": [3]}, "/warm_start/0", Code.WRONG_TYPE),
        ({"warm_start": ["\x07"]}, "/warm_start/0", Code.BAD_CHARACTER),
        ({"repeats": 0}, "/repeats", Code.OUT_OF_RANGE),
        ({"repeats": "3"}, "/repeats", Code.WRONG_TYPE),
        ({"repeats": None}, "/repeats", Code.WRONG_TYPE),
        ({"confirm": {"top": 0}}, "/confirm/top", Code.OUT_OF_RANGE),
        ({"confirm": 3}, "/confirm", Code.WRONG_TYPE),
    ],
)
def test_bad_members_are_refused_where_they_are(
    members: dict[str, Any], pointer: str, code: str
) -> None:
    assert (pointer, code) in problems(**members)
    assert all(found.startswith(pointer) for found, _ in problems(**members))


def test_a_confirmation_is_switched_on_and_off() -> None:
    assert space(confirm=True).confirm == Confirm()
    assert space(confirm={}).confirm == Confirm()
    assert space(confirm=False).confirm is None
    assert space(confirm={"top": 1}).with_overrides(search={"confirm": False}).confirm is None


def test_a_job_replaces_each_member_wholly() -> None:
    declared = space(**{**MEMBERS, "repeats": 1})
    changed = declared.with_overrides(
        search={
            "objectives": [{"metric": "loss", "mode": "min"}], "constraints": [],
            "scheduler": "none", "budget": {"epochs": 9}, "enqueue": [{"layers": 3}],
            "warm_start": [], "history": [], "repeats": 2, "confirm": False,
        }
    )  # fmt: skip
    assert (changed.metric, changed.mode, changed.secondary) == ("loss", "min", ())
    assert (changed.constraints, changed.scheduler) == ((), Scheduler("none"))
    assert changed.budget == Budget(epochs=9)
    assert (changed.enqueue, changed.warm_start, changed.history) == (({"layers": 3},), (), ())
    assert (changed.repeats, changed.confirm) == (2, None)
    assert declared.with_overrides(search={}) is declared


def test_what_a_job_replaces_wrongly_is_refused_where_it_is() -> None:
    with pytest.raises(SearchSpaceError) as caught:
        space().with_overrides(
            {"layers": 1}, search={"enqueue": [{"layers": 2}], "budget": {"epochs": 0}}
        )
    found = {(problem.pointer, problem.code) for problem in caught.value.problems}
    assert found == {
        ("/enqueue/0/layers", Code.OUT_OF_RANGE),
        ("/budget/epochs", Code.OUT_OF_RANGE),
    }


def test_without_a_strategy_ranges_are_sampled_and_lists_are_a_grid() -> None:
    bare = {key: value for key, value in SPACE.items() if key not in ("strategy", "trials")}
    assert SearchSpace.from_json(bare).strategy == "auto"
    listed = {"layers": {"low": 1, "high": 3}, "decay": {"low": 0.1, "high": 0.3, "step": 0.1}}
    assert SearchSpace.from_json({**bare, "parameters": listed}).strategy == "grid"
    logarithmic = {"layers": {"low": 1, "high": 3, "log": True}}
    assert SearchSpace.from_json({**bare, "parameters": logarithmic}).strategy == "auto"


def test_auto_leaves_the_scheduler_to_the_plan_and_confirms_its_winner() -> None:
    auto = space(strategy="auto")
    assert (auto.scheduler, auto.confirm) == (Scheduler("auto"), Confirm())
    assert auto.to_json().keys() == SPACE.keys()
    said = space(strategy="auto", scheduler="none", confirm=False)
    assert (said.scheduler, said.confirm) == (Scheduler("none"), None)
    assert SearchSpace.from_json(said.to_json()) == said
    assert space(strategy="auto", repeats=2).confirm is None
    assert space(strategy="auto", objectives=MEMBERS["objectives"]).confirm is None


def test_what_follows_from_the_strategy_follows_from_the_new_one_of_a_job() -> None:
    auto = space(strategy="auto")
    assert space().with_overrides(strategy="auto") == auto
    assert auto.with_overrides(strategy="tpe") == space()
    said = space(scheduler="median", confirm={"top": 1}).with_overrides(strategy="auto")
    assert (said.scheduler, said.confirm) == (Scheduler("median"), Confirm(top=1))
    off = auto.with_overrides(strategy="random", search={"scheduler": "asha", "confirm": True})
    assert (off.scheduler, off.confirm) == (Scheduler("asha"), Confirm())
    assert auto.with_overrides(search={"repeats": 2}).confirm is None


def test_a_row_of_a_newer_version_is_read_without_what_is_unknown() -> None:
    newer = {
        **SPACE,
        "objectives": [{"metric": "accuracy", "mode": "max", "weight": 2}],
        "constraints": [{"metric": "seconds", "at_most": 3, "hard": True}],
        "scheduler": {"name": "median", "min_epochs": 2, "grace": 3},
        "budget": {"seconds": 3, "dollars": 5},
        "confirm": {"top": 2, "seeds": 4, "rounds": 3},
    }
    assert SearchSpace.from_stored(newer) == space(
        constraints=[{"metric": "seconds", "at_most": 3}],
        scheduler={"name": "median", "min_epochs": 2},
        budget={"seconds": 3},
        confirm={"top": 2, "seeds": 4},
    )
