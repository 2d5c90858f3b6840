"""Programs are read with everything that is wrong named, written back, and kept over overrides."""

from __future__ import annotations

from typing import Any

import pytest

from search_spaces import (
    PROGRAM_KEYS,
    Program,
    SearchSpace,
    SearchSpaceError,
    flag_key,
    function_of,
)

DIGEST = "sha256:" + "0a" * 32
COMMAND: dict[str, Any] = {
    "name": "mine",
    "command": ["python", "train.py", "{args}", "--seed={seed}", "--scale={scale}"],
    "metric": "val/loss (mean)",
    "mode": "min",
    "parameters": {
        "lr": {"low": 0.1, "high": 0.2},
        "amp": {"values": [True, False, None]},
        "scale": {"values": [True, 2]},
    },
    "flags": {
        "amp": {"true": "--amp", "false": "", "null": ["--no", "amp"]},
        "scale": {"true": "yes"},
    },
}
FUNCTION: dict[str, Any] = {
    "name": "mine", "trainable": "pkg/my_model.py:train", "code": DIGEST, "metric": "loss",
    "mode": "min", "parameters": {"lr": 0.1},
}  # fmt: skip


def problems(changes: dict[str, Any], base: dict[str, Any] = COMMAND) -> dict[str, str]:
    """Return what is wrong with a space, by pointer: detail and hint."""
    raw = {key: value for key, value in {**base, **changes}.items() if value is not ...}
    with pytest.raises(SearchSpaceError) as error:
        SearchSpace.from_json(raw)
    return {
        problem.pointer: f"{problem.detail}; {problem.hint}" for problem in error.value.problems
    }


def test_a_command_implies_what_it_has_not() -> None:
    space = SearchSpace.from_json(COMMAND)
    assert (space.trainable, space.dataset, space.epochs) == ("command", "none", 1)
    assert space.program is not None
    assert not space.program.is_function
    assert space.program.flags["amp"] == {"true": ("--amp",), "false": (), "null": ("--no", "amp")}


@pytest.mark.parametrize(
    "raw",
    [
        COMMAND,
        FUNCTION,
        {**FUNCTION, "dataset": "ames", "resumes": True, "epochs": 7, "early_end": True},
        {**COMMAND, "code": DIGEST, "environment": {"OMP": "{lr}"}, "resumes": True, "epochs": 3,
         "early_end": True, "patterns": {"val/loss (mean)": "loss (.+)", "epoch": r"ep (\d+)"}},
    ],
)  # fmt: skip
def test_a_space_with_a_program_is_written_and_read_again(raw: dict[str, Any]) -> None:
    space = SearchSpace.from_json(raw)
    written = space.to_json()
    assert {key: written[key] for key in PROGRAM_KEYS if key in written} == {
        key: raw[key] for key in PROGRAM_KEYS if key in raw
    }
    assert SearchSpace.from_json(written) == space
    assert SearchSpace.from_stored({**written, "a_later_key": 1}) == space


def test_a_space_without_a_program_has_none_of_its_keys() -> None:
    written = SearchSpace.from_json(
        {"name": "s", "trainable": "numpy_mlp", "dataset": "ames", "epochs": 2, "metric": "loss",
         "mode": "min", "parameters": {}}
    ).to_json()  # fmt: skip
    assert not set(PROGRAM_KEYS) & set(written)


@pytest.mark.parametrize(
    ("changes", "pointer", "said"),
    [
        ({"command": "python train.py --lr '{lr}'"}, "/command",
         'write ["python", "train.py", "--lr", "{lr}"]'),
        ({"command": []}, "/command", "the command is empty"),
        ({"command": ["python", 3]}, "/command/1", "3 is not text"),
        ({"command": ["p", "--lr {lr}"]}, "/command/1", 'write ["--lr", "{lr}"]'),
        ({"command": ["p", "{lrr}"]}, "/command/1", "did you mean lr"),
        ({"command": ["p", "{epoch}"]}, "/command/1", "did you mean epochs"),
        ({"command": ["awk", "{print}"]}, "/command/1", "{{ and }} are braces"),
        ({"command": ["p", "{"]}, "/command/1", "{{ or }}"),
        ({"command": ["p", "x{args}"]}, "/command/1", "an argument of the command of its own"),
        ({"command": ["p", "a\x00b"]}, "/command/1", "NUL"),
        ({"command": ["p", "x" * 20_000]}, "/command/1", "too long"),
        ({"command": ["p", "={amp}"]}, "/command/1", "2 arguments, not a part of one"),
        ({"command": ["p"] * 300}, "/command", "list at most 200"),
        ({"environment": {"A B": "x"}}, "/environment/A B", "not the name of a variable"),
        ({"environment": {"ARGBEST_TOKEN": "x"}}, "/environment/ARGBEST_TOKEN", "another name"),
        ({"environment": {"LD_PRELOAD": "x"}}, "/environment/LD_PRELOAD", "another name"),
        ({"environment": {"A": "{args}"}}, "/environment/A", "several arguments"),
        ({"environment": {"A": 1}}, "/environment/A", "1 is not text"),
        ({"flags": {"amp": {"true": "--amp"}}}, "/flags/amp",
         '"flags": {"amp": {"true": "--amp", "false": "", "null": ""}}'),
        ({"flags": {**COMMAND["flags"], "apm": {}}}, "/flags/apm", "did you mean amp"),
        ({"flags": {**COMMAND["flags"], "lr": {"1": "--x 2"}}}, "/flags/lr/1", "looks like two"),
        ({"patterns": {"val/loss (mean)": "("}}, "/patterns/val~1loss (mean)", "missing )"),
        ({"patterns": {"val/loss (mean)": "(a)(b)"}}, "/patterns/val~1loss (mean)", "2 groups"),
        ({"patterns": {"vall": "(a)"}}, "/metric", "no pattern finds"),
        ({"patterns": {"trial": "(a)", "val/loss (mean)": "(a)"}}, "/patterns/trial", "a column"),
        ({"metric": "epoch"}, "/metric", "a column epoch"),
        ({"metric": "loss\u200b"}, "/metric", "U+200B"),
        ({"early_end": True}, "/early_end", "give epochs"),
        ({"early_end": 1}, "/early_end", "true or false"),
        ({"trainable": "numpy_mlp"}, "/trainable", "leave it out"),
        ({"dataset": "ames"}, "/dataset", "leave it out"),
        ({"parameters_schema": {}}, "/parameters_schema", "only a function"),
        ({"code": ""}, "/code", "name a folder"),
        ({"comand": ["x"]}, "/comand", "did you mean command"),
        ({"program": "train.py"}, "/program", "write command instead"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(changes: dict[str, Any], pointer: str, said: str) -> None:
    found = problems(changes)
    assert said in found[pointer]


@pytest.mark.parametrize(
    ("changes", "pointer", "said"),
    [
        ({"code": ...}, "/code", "must be sent along"),
        ({"command": ["x"]}, "/command", "the trainable is a function"),
        ({"patterns": {"loss": "(a)"}}, "/patterns", "for a command"),
        ({"trainable": "numpy_mlp", "dataset": "ames", "epochs": 2}, "/code", "for a program"),
        ({"trainable": "command"}, "/command", "needs a command"),
        ({"parameters_schema": 3}, "/parameters_schema", "JSON Schema"),
    ],
)
def test_functions_have_no_members_of_commands(
    changes: dict[str, Any], pointer: str, said: str
) -> None:
    assert said in problems(changes, FUNCTION)[pointer]


def test_a_parameter_under_conditions_is_passed_with_all_others_only() -> None:
    momentum = {"values": [0.1, 0.9], "when": {"amp": [True]}}
    parameters = {**COMMAND["parameters"], "momentum": momentum}
    SearchSpace.from_json({**COMMAND, "parameters": parameters})
    found = problems({"parameters": parameters, "command": ["p", "{momentum}"]})
    assert "conditions" in found["/command/1"]


def test_values_that_are_not_passed_as_arguments_need_no_flags() -> None:
    space = SearchSpace.from_json({**COMMAND, "command": ["p", "{config}"], "flags": {}})
    assert space.program == Program(command=("p", "{config}"))


def test_a_parameter_of_the_name_of_a_placeholder_is_refused_where_both_are_meant() -> None:
    parameters = {"seed": {"values": [1, 2]}}
    plain = {**COMMAND, "flags": {}, "parameters": parameters}
    SearchSpace.from_json({**plain, "command": ["p", "{args}"]})
    assert "the service's own" in problems({**plain, "command": ["p", "{seed}"]})["/command/1"]


def test_overrides_keep_the_program_and_are_checked_against_it() -> None:
    space = SearchSpace.from_json(COMMAND)
    changed = space.with_overrides({"lr": 0.5}, "grid", 4)
    assert changed.program == space.program
    assert changed.epochs == 4
    with pytest.raises(SearchSpaceError, match="/flags/fast: fast can be true"):
        space.with_overrides({"fast": True})


def test_flags_of_parameters_that_no_longer_exist_are_dropped() -> None:
    raw = {
        **COMMAND,
        "command": ["p", "{args}"],
        "parameters": {
            "amp": {"values": [True, False]},
            "deep": {"values": [True, False], "when": {"amp": [True]}},
        },
        "flags": {name: {"true": f"--{name}", "false": ""} for name in ("amp", "deep")},
    }
    changed = SearchSpace.from_json(raw).with_overrides({"amp": False})
    assert changed.program is not None
    assert set(changed.program.flags) == {"amp"}
    assert SearchSpace.from_stored(changed.to_json()) == changed


def test_one_configuration_of_a_space_runs_the_same_program() -> None:
    space = SearchSpace.from_json(COMMAND)
    assert space.fixed_at({"lr": 0.1, "amp": None, "scale": 2}).program == space.program


@pytest.mark.parametrize(
    ("value", "key"), [(True, "true"), (None, "null"), (0.5, "0.5"), ("adam", "adam"), ([1], "[1]")]
)
def test_a_value_has_one_key_among_flags(value: object, key: str) -> None:
    assert flag_key(value) == key


@pytest.mark.parametrize(
    ("name", "found"),
    [("a.py:f", ("a.py", "f")), ("p/a.py:train_it", ("p/a.py", "train_it")), ("a:f", None),
     ("a.py:1f", None), ("a.py", None), ("numpy_mlp", None)],
)  # fmt: skip
def test_a_trainable_may_name_a_function(name: str, found: tuple[str, str] | None) -> None:
    assert function_of(name) == found


@pytest.mark.parametrize(
    ("code", "is_packed"), [(DIGEST, True), (".", False), (DIGEST[:-1], False)]
)
def test_code_is_packed_where_it_is_a_digest(code: str, is_packed: bool) -> None:
    assert Program(code=code).is_packed is is_packed
    assert Program().is_packed
