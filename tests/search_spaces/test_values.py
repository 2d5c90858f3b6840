"""Values: which can be, when two are the same, how messages quote them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from search_spaces import Code
from search_spaces.values import any_of, list_problems, plain, same, shown, value_problems


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("value", [None, True, 0, -1.5, "", "é \U0001f468\u200d\U0001f469", [],
                                   [64, "x", None], deep(4), (1, 2), 2**53 - 1])  # fmt: skip
def test_scalars_and_lists_of_them_are_values(value: object) -> None:
    assert list(value_problems(value, "")) == []


@pytest.mark.parametrize(
    ("value", "pointer", "code"),
    [
        (math.nan, "", Code.NOT_FINITE),
        (2**53, "", Code.OUT_OF_RANGE),
        ("x" * 201, "", Code.TOO_LONG),
        ("a\0", "", Code.BAD_CHARACTER),
        ([1, ["a\n"]], "/1/0", Code.BAD_CHARACTER),
        ([1, math.inf], "/1", Code.NOT_FINITE),
        ({"a": 1}, "", Code.WRONG_TYPE),
        ([{"a": 1}], "/0", Code.WRONG_TYPE),
        (deep(5), "/0/0/0/0", Code.TOO_LONG),
        ([0] * 101, "", Code.TOO_LONG),
        (b"x", "", Code.WRONG_TYPE),
    ],
)
def test_what_is_no_value_is_told_where(value: object, pointer: str, code: Code) -> None:
    assert [(p.pointer, p.code) for p in value_problems(value, "")] == [(pointer, code)]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        ("1", 1, False),
        (None, False, False),
        ([1, [2.0]], [1.0, [2]], True),
        ([1], [True], False),
        ([1], [1, 1], False),
        ([], None, False),
        ("[1]", [1], False),
    ],
)
def test_values_are_compared_as_json(one: object, other: object, expected: bool) -> None:
    assert same(one, other) is expected
    assert same(other, one) is expected


def test_tuples_become_lists() -> None:
    assert plain((1, [2, (3,)])) == [1, [2, [3]]]
    assert plain("ab") == "ab"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (1e-05, "1e-05"),
        ("a b", '"a b"'),
        ("\ud800", '"\\ud800"'),
        ("x" * 100, '"' + "x" * 60 + '..."'),
        ({"a": 1}, "an object"),
        ([64, "x", [1, [2]]], '[64, "x", [1, [...]]]'),
        (list(range(9)), "[0, 1, 2, 3, 4, 5, 6, 7, ...]"),
        (2**60, "1152921504606846976"),
        (999 * 1000**49, "about 10^149"),
        (-(10**400), "about -10^400"),
        (b"", "a bytes"),
    ],
)
def test_a_message_quotes_a_value_as_json_and_not_at_length(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_number_too_long_for_pythons_own_text_is_told() -> None:
    assert shown(10**6000) == "about 10^6000"


def test_duplicates_in_lists_of_lists_are_found() -> None:
    problems = list(list_problems([[1, 2], [2, 1], [1.0, 2], "[1, 2]"], "/values"))
    assert [(p.pointer, p.code) for p in problems] == [("/values/2", Code.DUPLICATE)]
    assert problems[0].detail == "[1.0, 2] equals a value listed before it"


def test_values_to_choose_from_are_named() -> None:
    assert any_of(["adam", "sgd"], "adm") == "did you mean adam?"
    assert any_of(["adam", "sgd"], "x") == "there are: adam, sgd"
    assert any_of([1, None], "adm") == "use one of 1, null"
    assert any_of(["adam"], 3) == 'use one of "adam"'
