"""Declared spaces: their JSON form, what is refused and where, what a job may replace."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from search_spaces import (
    Choice,
    Code,
    Constant,
    Range,
    SearchSpace,
    SearchSpaceError,
    configurations,
    count,
    defaults,
)

SPACE: dict[str, Any] = {
    "name": "tuned",
    "title": "A space with a condition",
    "trainable": "torch_feedforward",
    "dataset": "fashion_mnist",
    "epochs": 2,
    "metric": "validation_accuracy",
    "mode": "max",
    "strategy": "grid",
    "parameters": {
        "optimizer": {"values": ["sgd", "adam"], "default": "sgd"},
        "beta": {"values": [0.9, 0.99], "default": 0.9, "when": {"optimizer": "adam"}},
        "layers": {"low": 1, "high": 3, "log": False, "type": "int", "default": 1},
        "batch_size": 1,
    },
}


def space(**members: Any) -> SearchSpace:
    return SearchSpace.from_json({**SPACE, **members})


def with_parameters(**parameters: Any) -> dict[str, Any]:
    return {**SPACE, "parameters": parameters}


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in SPACE.items() if name != key}


BAD: list[tuple[str, Any, set[tuple[str, Code]]]] = [
    ("not an object", [], {("", Code.WRONG_TYPE)}),
    ("null", None, {("", Code.WRONG_TYPE)}),
    ("no name", without("name"), {("/name", Code.MISSING)}),
    ("no parameters", without("parameters"), {("/parameters", Code.MISSING)}),
    ("no mode", without("mode"), {("/mode", Code.MISSING)}),
    ("unknown key", {**SPACE, "epoch": 3}, {("/epoch", Code.UNKNOWN_KEY)}),
    ("name a path", {**SPACE, "name": "../x"}, {("/name", Code.BAD_NAME)}),
    ("name with a newline", {**SPACE, "name": "x\n"}, {("/name", Code.BAD_NAME)}),
    ("name a number", {**SPACE, "name": 3}, {("/name", Code.BAD_NAME)}),
    ("title empty", {**SPACE, "title": " "}, {("/title", Code.EMPTY)}),
    ("title null", {**SPACE, "title": None}, {("/title", Code.WRONG_TYPE)}),
    ("description long", {**SPACE, "description": "x" * 6000}, {("/description", Code.TOO_LONG)}),
    ("description bell", {**SPACE, "description": "\a"}, {("/description", Code.BAD_CHARACTER)}),
    ("description list", {**SPACE, "description": []}, {("/description", Code.WRONG_TYPE)}),
    ("epochs zero", {**SPACE, "epochs": 0}, {("/epochs", Code.OUT_OF_RANGE)}),
    ("epochs huge", {**SPACE, "epochs": 10**30}, {("/epochs", Code.OUT_OF_RANGE)}),
    ("epochs fractional", {**SPACE, "epochs": 1.5}, {("/epochs", Code.WRONG_TYPE)}),
    ("epochs true", {**SPACE, "epochs": True}, {("/epochs", Code.WRONG_TYPE)}),
    ("mode unknown", {**SPACE, "mode": "maximize"}, {("/mode", Code.WRONG_TYPE)}),
    ("mode a list", {**SPACE, "mode": ["max"]}, {("/mode", Code.WRONG_TYPE)}),
    ("strategy unknown", {**SPACE, "strategy": "gird"}, {("/strategy", Code.UNKNOWN_STRATEGY)}),
    ("strategy a list", {**SPACE, "strategy": []}, {("/strategy", Code.UNKNOWN_STRATEGY)}),
    ("trials of a grid", {**SPACE, "trials": 5}, {("/trials", Code.NOT_APPLICABLE)}),
    ("no trials", {**SPACE, "strategy": "tpe", "trials": 0}, {("/trials", Code.OUT_OF_RANGE)}),
    ("parameters a list", {**SPACE, "parameters": []}, {("/parameters", Code.WRONG_TYPE)}),
    (
        "too many parameters",
        with_parameters(**{f"p{i}": i for i in range(101)}),
        {("/parameters", Code.TOO_MANY)},
    ),
    (
        "parameter name",
        with_parameters(**{"a/b~c": 1, "2x": 1, "\ud800": 1}),
        {
            ("/parameters/a~1b~0c", Code.BAD_NAME),
            ("/parameters/2x", Code.BAD_NAME),
            ("/parameters/\\ud800", Code.BAD_NAME),
        },
    ),
    (
        "conditions",
        with_parameters(
            a={"values": [1, 2], "when": {"aa": 1}},
            aaa={"values": [1, 2], "when": {"a": [2, 3, True]}},
            b={"value": 1, "when": {"c": 5}},
            c={"low": 1, "high": 4},
        ),
        {
            ("/parameters/a/when/aa", Code.UNKNOWN_PARAMETER),
            ("/parameters/aaa/when/a", Code.IMPOSSIBLE_CONDITION),
            ("/parameters/b/when/c", Code.IMPOSSIBLE_CONDITION),
        },
    ),
    (
        "on itself",
        with_parameters(a={"values": [1, 2], "when": {"a": 1}}),
        {("/parameters/a/when", Code.CONDITION_CYCLE)},
    ),
    (
        "in a circle",
        with_parameters(
            a={"values": [1, 2], "when": {"b": 1}},
            b={"values": [1, 2], "when": {"a": 1}},
            c={"values": [1, 2], "when": {"b": 1}},
        ),
        {
            ("/parameters/a/when", Code.CONDITION_CYCLE),
            ("/parameters/b/when", Code.CONDITION_CYCLE),
        },
    ),
    (
        "a condition on what cannot be read is not told twice",
        with_parameters(a=[1, 2], b={"values": [1], "when": {"a": 1}}),
        {("/parameters/a", Code.WRONG_TYPE)},
    ),
    (
        "everything at once",
        {
            **with_parameters(a={"values": []}, b={"low": 2, "high": 1}),
            "epochs": 0,
            "strategy": "x",
            "colour": 1,
        },
        {
            ("/parameters/a/values", Code.EMPTY),
            ("/parameters/b/low", Code.OUT_OF_RANGE),
            ("/epochs", Code.OUT_OF_RANGE),
            ("/strategy", Code.UNKNOWN_STRATEGY),
            ("/colour", Code.UNKNOWN_KEY),
        },
    ),
]


@pytest.mark.parametrize(("raw", "expected"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_space_is_refused_with_all_its_problems(
    raw: Any, expected: set[tuple[str, Code]]
) -> None:
    with pytest.raises(SearchSpaceError) as caught:
        SearchSpace.from_json(raw, pointer="/search_space")
    found = {(problem.pointer, problem.code) for problem in caught.value.problems}
    assert found == {("/search_space" + pointer, code) for pointer, code in expected}
    assert all(problem.detail and problem.hint for problem in caught.value.problems)
    assert str(caught.value).encode()


def test_json_form_is_complete_and_reads_back() -> None:
    made = space()
    assert made.to_json() == SPACE
    assert SearchSpace.from_json(json.loads(json.dumps(made.to_json()))) == made
    assert list(made.to_json()["parameters"]) == list(SPACE["parameters"])


def test_what_is_left_out_is_filled_in() -> None:
    raw = {**without("title"), "strategy": "random"}
    made = SearchSpace.from_json(raw)
    assert made.title == "tuned"
    assert made.trials == 20
    assert made.to_json()["trials"] == 20
    assert "trials" not in space().to_json()
    assert "description" not in space().to_json()


def test_misspellings_are_named() -> None:
    with pytest.raises(SearchSpaceError) as caught:
        space(strategy="gird", epcohs=3)
    assert {p.hint for p in caught.value.problems} == {"did you mean grid?", "did you mean epochs?"}


def test_a_job_may_replace_parameters_strategy_epochs_and_trials() -> None:
    changed = space().with_overrides(
        {"layers": {"values": [2, 3]}, "batch_size": 8, "dropout": 0.5}, "random", 7, 30
    )
    assert changed.parameters["layers"] == Choice((2, 3), 2)
    assert changed.parameters["batch_size"] == Constant(8)
    assert changed.parameters["dropout"] == Constant(0.5)
    assert list(changed.parameters) == ["optimizer", "beta", "layers", "batch_size", "dropout"]
    assert (changed.strategy, changed.epochs, changed.trials) == ("random", 7, 30)
    assert SearchSpace.from_json(changed.to_json()) == changed


def test_no_overrides_change_nothing() -> None:
    assert space().with_overrides() == space()


def test_trials_go_with_the_sampler() -> None:
    sampled = space().with_overrides(strategy="tpe")
    assert sampled.trials == 20
    assert sampled.with_overrides(trials=5).with_overrides(strategy="random").trials == 5
    assert sampled.with_overrides(strategy="grid").trials is None


def test_what_a_replaced_parameter_rules_out_is_left_out() -> None:
    pinned = space().with_overrides({"optimizer": "sgd"})
    assert list(pinned.parameters) == ["optimizer", "layers", "batch_size"]
    assert count(pinned) == 3
    kept = space().with_overrides({"optimizer": "adam"})
    assert defaults(kept)["beta"] == 0.9
    several = space(
        parameters={
            "optimizer": {"values": ["sgd", "adam", "rmsprop"]},
            "beta": {"values": [0.9, 0.99], "when": {"optimizer": ["adam", "rmsprop"]}},
            "gamma": {"values": [1, 2], "when": {"beta": 0.99}},
        }
    ).with_overrides({"optimizer": {"values": ["sgd", "adam"]}, "beta": 0.5})
    assert list(several.parameters) == ["optimizer", "beta"]  # gamma needed beta 0.99
    assert several.parameters["beta"].when == {}  # replaced wholly


def test_what_depends_on_what_is_left_out_is_left_out_too() -> None:
    chain = space(
        parameters={
            "gamma": {"values": [1, 2], "when": {"beta": 0.99}},
            "beta": {"values": [0.9, 0.99], "when": {"optimizer": "adam"}},
            "delta": {"values": [1, 2], "when": {"gamma": 2}},
            "optimizer": {"values": ["sgd", "adam"]},
        }
    )
    assert list(chain.with_overrides({"optimizer": "sgd"}).parameters) == ["optimizer"]


def test_values_that_went_leave_the_condition() -> None:
    declared = space(
        parameters={
            "optimizer": {"values": ["sgd", "adam", "rmsprop"]},
            "beta": {"values": [0.9, 0.99], "when": {"optimizer": ["adam", "rmsprop"]}},
        }
    )
    changed = declared.with_overrides({"optimizer": {"values": ["sgd", "adam"]}})
    assert changed.parameters["beta"].when == {"optimizer": ("adam",)}


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"parameters": [1]}, {("/job/parameters", Code.WRONG_TYPE)}),
        ({"parameters": {"layers": [1]}}, {("/job/parameters/layers", Code.WRONG_TYPE)}),
        (
            {"parameters": {"beta": {"values": [1], "when": {"optimiser": "adam"}}}},
            {("/job/parameters/beta/when/optimiser", Code.UNKNOWN_PARAMETER)},
        ),
        (
            {"parameters": {"x": {"values": []}}, "epochs": -1, "trials": 3, "strategy": "single"},
            {
                ("/job/parameters/x/values", Code.EMPTY),
                ("/job/epochs", Code.OUT_OF_RANGE),
                ("/job/trials", Code.NOT_APPLICABLE),
            },
        ),
        (
            {"trials": "many"},
            {("/job/trials", Code.WRONG_TYPE), ("/job/trials", Code.NOT_APPLICABLE)},
        ),
        ({"strategy": 3}, {("/job/strategy", Code.UNKNOWN_STRATEGY)}),
    ],
)
def test_bad_overrides_are_refused_with_all_their_problems(
    overrides: dict[str, Any], expected: set[tuple[str, Code]]
) -> None:
    with pytest.raises(SearchSpaceError) as caught:
        space().with_overrides(**overrides, pointer="/job")
    assert {(problem.pointer, problem.code) for problem in caught.value.problems} == expected


def test_a_space_is_refused_when_built_by_hand() -> None:
    members = {**SPACE, "parameters": {"layers": Range(1, 3, 1, type="int")}}
    assert SearchSpace(**members).parameters["layers"].size == 3
    with pytest.raises(SearchSpaceError, match="/epochs"):
        SearchSpace(**{**members, "epochs": 0})
    with pytest.raises(SearchSpaceError, match="a Constant, a Choice or a Range"):
        SearchSpace(**{**members, "parameters": {"layers": 3}})


def test_errors_survive_the_way_between_processes() -> None:
    with pytest.raises(SearchSpaceError) as caught:
        space(epochs=0)
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.problems == caught.value.problems
    assert pickle.loads(pickle.dumps(space())) == space()


@pytest.mark.parametrize(
    ("name", "is_good"),
    [
        ("model.optimizer.lr", True),
        ("num-layers", True),
        ("_a.1-b", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("a.", False),
        ("-a", False),
        ("a..b", False),
        (".a", False),
        ("a/b", False),
        ("a b", False),
        ("größe", False),
        ("a\n", False),
    ],
)
def test_parameter_names_may_have_dots_and_hyphens_between_their_parts(
    name: str, is_good: bool
) -> None:
    found: list[str] = []
    try:
        space(parameters={name: 1})
    except SearchSpaceError as error:
        found = [problem.code for problem in error.problems]
    assert found == ([] if is_good else [Code.BAD_NAME])


def test_a_sweep_of_weights_and_biases_is_told_our_words() -> None:
    sweep = {
        "program": "train.py",
        "method": "bayes",
        "metric": {"name": "val_loss", "goal": "minimize"},
        "parameters": {
            "lr": {"distribution": "log_uniform_values", "min": 1e-5, "max": 0.1},
            "layers": {"min": 1, "max": 4, "q": 1},
            "optimizer": {"values": ["adam", "sgd"]},
        },
        "early_terminate": {"type": "hyperband"},
        "run_cap": 20,
    }
    with pytest.raises(SearchSpaceError) as caught:
        SearchSpace.from_json(sweep)
    hints = {problem.pointer: problem.hint for problem in caught.value.problems}
    assert hints["/program"] == "write command instead"
    assert hints["/method"] == "write strategy instead"
    assert hints["/run_cap"] == "write trials instead"
    assert hints["/metric"] == 'write "metric": "<its name>" and "mode": "min" or "max"'
    assert hints["/parameters/lr/min"] == "write low instead"
    assert hints["/parameters/layers/q"] == "write step instead"
    assert "logarithmic" in hints["/parameters/lr/distribution"]


@pytest.mark.parametrize(
    ("member", "value", "hint"),
    [
        ("strategy", "bayes", "write tpe instead"),
        ("mode", "maximize", "write max instead"),
        ("mode", "Minimise", "write min instead"),
        ("mode", "best", 'use either "min" or "max"'),
        ("epochs", "10", "use a whole number"),
    ],
)
def test_words_of_other_tools_as_values_are_told_ours(member: str, value: str, hint: str) -> None:
    with pytest.raises(SearchSpaceError) as caught:
        space(**{member: value})
    assert [problem.hint for problem in caught.value.problems] == [hint]


NEWER: dict[str, Any] = {
    **SPACE,
    "fidelity": "epochs",
    "scheduler": {"name": "asha", "brackets": 2},
    "budget": {"seconds": 60, "dollars": 3},
    "trials": 12,
    "parameters": {
        "layers": {"low": 1, "high": 3, "prior": "normal"},
        "dropout": {"values": [0.1, 0.5], "weights": [1, 2]},
        "batch_size": {"value": 1, "unit": "samples"},
        "second": {
            "values": [[64, 64], [128]],
            "when": {"layers": {"at_least": 2, "about": 3}},
        },
    },
}


def test_a_stored_space_of_a_newer_version_is_read_without_what_is_unknown() -> None:
    with pytest.raises(SearchSpaceError):
        SearchSpace.from_json(NEWER)
    read = SearchSpace.from_stored(NEWER)
    assert read == space(
        parameters={
            "layers": {"low": 1, "high": 3},
            "dropout": {"values": [0.1, 0.5]},
            "batch_size": 1,
            "second": {"values": [[64, 64], [128]], "when": {"layers": {"at_least": 2}}},
        },
        scheduler="asha",
        budget={"seconds": 60},
    )
    assert SearchSpace.from_stored(read.to_json()) == read


@pytest.mark.parametrize(
    "strange",
    [
        {"strategy": "smac"},
        {"parameters": {"rate": {"normal": [0, 1]}}},
        {"epochs": 0},
    ],
)
def test_a_stored_space_that_this_version_cannot_run_is_refused(strange: dict[str, Any]) -> None:
    with pytest.raises(SearchSpaceError):
        SearchSpace.from_stored({**SPACE, **strange})


def test_a_space_fixed_at_a_configuration_runs_it_alone() -> None:
    declared = space(
        strategy="tpe",
        trials=30,
        description="A search",
        parameters={
            "sizes": {"values": [[64, 64], [128]]},
            "decay": {"values": [None, 0.1]},
            "beta": {"values": [0.9, 0.99], "when": {"decay": 0.1}},
        },
    )
    configuration = {"sizes": [128], "decay": None}
    fixed = declared.fixed_at(configuration)
    assert (fixed.is_single, fixed.trials, fixed.description) == (True, None, None)
    assert list(configurations(fixed)) == [configuration]  # beta is absent, decay is null
    assert (fixed.name, fixed.metric, fixed.epochs) == ("tuned", "validation_accuracy", 2)
    assert SearchSpace.from_json(json.loads(json.dumps(fixed.to_json()))) == fixed
