"""Placeholders become arguments and variables."""

from __future__ import annotations

from typing import Any

from search_spaces import Program
from trainables.command_lines import CommandLine

PLACES = {"seed": "5", "epochs": "3", "config": "/x/config.json"}
VALUES = {"lr": 1e-05, "name": "a b", "n": 3, "amp": True, "none": None, "sizes": [1, 2]}
FLAGS = {"amp": {"true": ("--amp",), "false": ()}, "none": {"null": ()}, "n": {"3": ("-n", "3")}}


def arguments(*command: str, **changes: Any) -> list[str]:
    return CommandLine(
        Program(command=command, flags=FLAGS), {**VALUES, **changes}, PLACES
    ).arguments()


def test_all_parameters_become_arguments() -> None:
    assert arguments("x", "{args}", "end") == [
        "x", "--lr=1e-05", "--name=a b", "-n", "3", "--amp", "--sizes=[1, 2]", "end",
    ]  # fmt: skip
    assert "--amp" not in arguments("{args}", amp=False)


def test_a_placeholder_alone_may_be_none_or_several() -> None:
    assert arguments("x", "{amp}", "{n}", amp=False) == ["x", "-n", "3"]
    assert arguments("{lr}", "{name}", "{none}") == ["1e-05", "a b"]


def test_placeholders_inside_an_argument() -> None:
    assert arguments("lr={lr} {{x}}", "{seed}/{epochs}", "{config}") == [
        "lr=1e-05 {x}", "5/3", "/x/config.json",
    ]  # fmt: skip
    assert arguments("[{amp}]", amp=False) == ["[]"]


def test_variables() -> None:
    program = Program(command=("x",), environment={"A": "{lr}-{seed}", "B": "{{}}"})
    assert CommandLine(program, VALUES, PLACES).environment() == {"A": "1e-05-5", "B": "{}"}
