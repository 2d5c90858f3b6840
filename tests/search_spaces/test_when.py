"""The conditions of one parameter: when they hold, how they are read and written."""

from __future__ import annotations

from typing import Any

import pytest

from search_spaces import Code
from search_spaces.when import Bounds, holds, meets, numbers_in, read_when, when_json


def read(raw: object) -> Any:
    conditions, problems = read_when(raw)
    assert not problems
    return conditions


@pytest.mark.parametrize(
    ("limits", "inside", "outside"),
    [
        ({"at_least": 2}, [2, 2.0, 3], [1, 1.999]),
        ({"greater_than": 2}, [2.001, 3], [2, 1]),
        ({"at_most": 2}, [2, -5], [3, 2.0001]),
        ({"less_than": 2}, [1, 1.999], [2, 3]),
        ({"at_least": 0.1, "less_than": 0.5}, [0.1, 0.49], [0.5, 0.09]),
    ],
)
def test_bounds_hold_numbers(limits: dict[str, float], inside: Any, outside: Any) -> None:
    bounds = read({"a": limits})["a"]
    assert all(meets(value, bounds) for value in inside)
    assert not any(meets(value, bounds) for value in outside)
    assert not any(meets(value, bounds) for value in (None, True, "2", "3", [2], [3]))


def test_an_absent_parameter_meets_no_condition_and_null_is_not_absent() -> None:
    null = read({"decay": None})
    assert holds(null, {"decay": None})
    assert not holds(null, {})
    assert not holds(null, {"decay": 0})
    assert not holds(read({"layers": {"at_least": 0}}), {})
    assert holds({}, {})


def test_all_conditions_must_hold() -> None:
    when = read({"layers": {"at_least": 2}, "sizes": [[64, 64], [128]]})
    assert holds(when, {"layers": 2, "sizes": [128]})
    assert not holds(when, {"layers": 1, "sizes": [128]})
    assert not holds(when, {"layers": 2, "sizes": [64]})


@pytest.mark.parametrize(
    "raw",
    [
        {"a": "x"},
        {"a": ["x", None]},
        {"a": [[1, 2]]},
        {"a": {"at_least": 1, "less_than": 2.5}},
        {"a": None, "b": {"greater_than": 0}},
    ],
)
def test_json_form_reads_back(raw: Any) -> None:
    assert when_json(read(raw)) == {"when": raw}
    assert read(read(raw)) == read(raw)  # as dataclasses.replace does


def test_no_conditions_are_not_written() -> None:
    assert when_json({}) == {}
    assert when_json(read({"a": ["x"]})) == {"when": {"a": "x"}}


@pytest.mark.parametrize(
    ("raw", "pointer", "code", "hint"),
    [
        ([], "/when", Code.WRONG_TYPE, "use an object of parameter names and values"),
        ({1: 1}, "/when/1", Code.WRONG_TYPE, "use the name of a parameter"),
        ({"a": []}, "/when/a", Code.EMPTY, "list at least one value"),
        ({"a": {}}, "/when/a", Code.EMPTY, "name a value, a list of values or some of at_least, "
         "greater_than, at_most, less_than"),
        ({"a": {"at_least": "2"}}, "/when/a/at_least", Code.WRONG_TYPE, "use a number"),
        ({"a": {"at_least": True}}, "/when/a/at_least", Code.WRONG_TYPE, "use a number"),
        ({"a": {"min": 2}}, "/when/a/min", Code.UNKNOWN_KEY, "write at_least instead"),
        ({"a": {">=": 2}}, "/when/a/>=", Code.UNKNOWN_KEY, "write at_least instead"),
        ({"a": {"atleast": 2}}, "/when/a/atleast", Code.UNKNOWN_KEY, "did you mean at_least?"),
    ],
)  # fmt: skip
def test_what_is_no_condition_is_told(raw: Any, pointer: str, code: Code, hint: str) -> None:
    _, problems = read_when(raw)
    assert [(p.pointer, p.code, p.hint) for p in problems] == [(pointer, code, hint)]


def test_numbers_of_all_forms_are_found() -> None:
    when = read({"a": {"at_least": 1, "less_than": 2.5}, "b": [3, "x", True, [4]], "c": 5})
    assert sorted(numbers_in(when.values())) == [1, 2.5, 3, 5]


def test_bounds_are_told_in_words() -> None:
    assert str(Bounds({"at_least": 2, "less_than": 0.5})) == "at least 2 and less than 0.5"
