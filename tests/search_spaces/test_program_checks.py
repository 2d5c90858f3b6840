"""What a program says must fit the parameters and the metrics of its space."""

from __future__ import annotations

from typing import Any

import pytest

from search_spaces import Choice, Constant, Constraint, Domain, Objective, Program
from search_spaces.program_checks import program_problems

PARAMETERS: dict[str, Domain] = {"lr": Constant(0.1), "amp": Choice((True, False), True)}
FLAGS = {"amp": {"true": ("--amp",), "false": ()}}


def pointers(program: Program | None, **members: Any) -> list[str]:
    space = {"program": program, "parameters": PARAMETERS, "metric": "loss", "mode": "min"}
    return [problem.pointer for problem in program_problems(space | members)]


def test_a_space_without_a_program_has_nothing_to_fit() -> None:
    assert pointers(None) == []


def test_a_program_that_fits_has_no_problem() -> None:
    program = Program(command=("sh", "{args}", "{seed}"), flags=FLAGS)
    assert pointers(program) == []


@pytest.mark.parametrize(
    ("program", "members", "expected"),
    [
        (Program(command=("sh", "{rate}"), flags=FLAGS), {}, ["/command/1"]),
        (Program(command=("sh",), environment={"A": "{rate}"}), {}, ["/environment/A"]),
        (Program(command=("sh", "{args}")), {}, ["/flags/amp"]),
        (Program(command=("sh", "{lr}"), flags={"none": {"1": ()}}), {}, ["/flags/none"]),
        (Program(command=("sh",), patterns={"acc": "(.)"}), {}, ["/metric"]),
        (Program(command=("sh",), patterns={"loss": "(.)"}),
         {"constraints": (Constraint("mb", at_most=1.0),)}, ["/constraints/0/metric"]),
        (Program(command=("sh",), patterns={"loss": "(.)"}),
         {"secondary": (Objective("seconds", "min"),)}, []),
    ],
    ids=["unknown-placeholder", "unknown-in-environment", "no-flags", "flags-of-nothing",
         "objective-without-pattern", "constraint-without-pattern", "reserved-metric"],
)  # fmt: skip
def test_what_does_not_fit_is_named_at_its_place(
    program: Program, members: dict[str, Any], expected: list[str]
) -> None:
    assert pointers(program, **members) == expected
