"""The conditions of a whole space: order, impossible ones, what a replacement leaves."""

from __future__ import annotations

from typing import Any

import pytest

from search_spaces import Code, Domain, read_domain
from search_spaces.conditions import condition_problems, dependency_order, without_impossible


def domains(**raw: Any) -> dict[str, Domain]:
    return {name: read_domain(domain) for name, domain in raw.items()}


def test_parameters_come_after_those_that_they_depend_on() -> None:
    parameters = domains(
        c={"value": 1, "when": {"b": {"at_least": 1}}},
        a={"values": [1, 2]},
        b={"low": 0, "high": 2, "when": {"a": 1}},
        x={"value": 1, "when": {"y": 1}},
        y={"value": 1, "when": {"x": 1}},
    )
    assert dependency_order(parameters) == ("a", "b", "c")


@pytest.mark.parametrize(
    ("parent", "condition", "is_possible"),
    [
        ({"low": 1, "high": 3}, {"at_least": 3}, True),
        ({"low": 1, "high": 3}, {"greater_than": 3}, False),
        ({"low": 1, "high": 3}, {"greater_than": 2, "less_than": 3}, False),
        ({"low": 1, "high": 3, "log": True}, {"greater_than": 2, "less_than": 3}, False),
        ({"low": 1.0, "high": 3.0}, {"greater_than": 2, "less_than": 3}, True),
        ({"low": 1.0, "high": 3.0}, {"greater_than": 3}, False),
        ({"low": 1.0, "high": 3.0}, {"at_least": 3}, True),
        ({"low": 1.0, "high": 3.0}, {"greater_than": 2, "less_than": 2}, False),
        ({"low": 0.0, "high": 1.0, "step": 0.25}, {"greater_than": 0.25, "less_than": 0.5}, False),
        ({"low": 0.0, "high": 1.0, "step": 0.25}, {"at_least": 0.25, "less_than": 0.5}, True),
        ({"values": [1, "x", None]}, {"at_most": 1}, True),
        ({"values": ["x", None, True, [9]]}, {"at_least": 0}, False),
        (3, {"at_least": 3}, True),
        ({"low": 1, "high": 3}, [0, 2], False),
        ({"values": [[1, 2], 3]}, [[1, 2]], True),
        ({"values": [[1, 2], 3]}, [1], False),
    ],
)
def test_a_condition_must_be_possible(parent: Any, condition: Any, is_possible: bool) -> None:
    parameters = domains(a=parent, b={"value": 1, "when": {"a": condition}})
    found = [(p.pointer, p.code) for p in condition_problems(parameters)]
    impossible = ("/parameters/b/when/a", Code.IMPOSSIBLE_CONDITION)
    assert found == ([] if is_possible else [impossible])


@pytest.mark.parametrize(
    ("parent", "condition", "detail", "hint"),
    [
        ({"low": 1, "high": 3}, {"at_least": 4}, "a is never at least 4", "a goes from 1 to 3"),
        ({"low": 1, "high": 3}, 0, "a never takes the value 0", "a goes from 1 to 3"),
        (
            {"low": 1, "high": 3},
            ">= 2",
            'a never takes the value ">= 2"',
            'compare with {"at_least": ...}, "greater_than", "at_most" or "less_than"',
        ),
        ({"values": ["adam", "sgd"]}, "adm", 'a never takes the value "adm"', "did you mean adam?"),
        ({"values": [1, None]}, "x", 'a never takes the value "x"', "use one of 1, null"),
        ({"values": ["x"]}, {"at_most": 1}, "a is never at most 1", 'use one of "x"'),
    ],
)
def test_an_impossible_condition_is_told_what_would_be_possible(
    parent: Any, condition: Any, detail: str, hint: str
) -> None:
    parameters = domains(a=parent, b={"value": 1, "when": {"a": condition}})
    assert [(p.detail, p.hint) for p in condition_problems(parameters)] == [(detail, hint)]


def test_bounds_that_a_replaced_parameter_cannot_meet_take_the_parameter_with_them() -> None:
    declared = domains(
        layers={"low": 1, "high": 3},
        second={"values": [64, 128], "when": {"layers": {"at_least": 2}}},
        third={"values": [64, 128], "when": {"layers": {"greater_than": 2}}},
    )
    replaced = {**declared, **domains(layers={"low": 1, "high": 2})}
    left = without_impossible(replaced, ["layers"])
    assert list(left) == ["layers", "second"]
    assert left["second"] == declared["second"]
