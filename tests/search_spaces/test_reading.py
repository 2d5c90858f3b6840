"""Reading parameters from JSON: what is filled in, what is refused, and with which hint."""

from __future__ import annotations

import math
from typing import Any

import pytest

from search_spaces import Choice, Code, Constant, Domain, Range, SearchSpaceError, read_domain
from search_spaces.reading import known_members, read_parameters
from search_spaces.when import Bounds

# What a client may write, and the problems (pointer, code) that it is told.
BAD: list[tuple[str, Any, set[tuple[str, Code]]]] = [
    ("constant not a number", math.nan, {("", Code.NOT_FINITE)}),
    ("constant infinite", -math.inf, {("", Code.NOT_FINITE)}),
    ("constant too large", 10**400, {("", Code.OUT_OF_RANGE)}),
    ("constant too long", "x" * 5000, {("", Code.TOO_LONG)}),
    ("constant unprintable", "a\0b", {("", Code.BAD_CHARACTER)}),
    ("constant half a character", "\ud800", {("", Code.BAD_CHARACTER)}),
    ("bare list", [1, 2], {("", Code.WRONG_TYPE)}),
    ("empty object", {}, {("", Code.MISSING)}),
    ("misspelled values", {"valeus": [1]}, {("", Code.MISSING), ("/valeus", Code.UNKNOWN_KEY)}),
    ("constant wrapped", {"value": {"a": 1}}, {("/value", Code.WRONG_TYPE)}),
    ("constant with default", {"value": 1, "default": 1}, {("/default", Code.UNKNOWN_KEY)}),
    ("no values", {"values": []}, {("/values", Code.EMPTY)}),
    ("values text", {"values": "abc"}, {("/values", Code.WRONG_TYPE)}),
    ("values null", {"values": None}, {("/values", Code.WRONG_TYPE)}),
    ("values nested", {"values": [1, [{}]]}, {("/values/1/0", Code.WRONG_TYPE)}),
    ("values twice", {"values": [1, 2, 1.0]}, {("/values/2", Code.DUPLICATE)}),
    ("one and true", {"values": [1, True]}, {("/values/1", Code.DUPLICATE)}),
    ("too many values", {"values": list(range(1001))}, {("/values", Code.TOO_MANY)}),
    (
        "several bad values",
        {"values": [math.inf, 2**60, 1], "dflt": 1},
        {
            ("/values/0", Code.NOT_FINITE),
            ("/values/1", Code.OUT_OF_RANGE),
            ("/dflt", Code.UNKNOWN_KEY),
        },
    ),
    ("default elsewhere", {"values": [1, 2], "default": 3}, {("/default", Code.OUT_OF_RANGE)}),
    ("default true", {"values": [1, 2], "default": True}, {("/default", Code.OUT_OF_RANGE)}),
    ("default null", {"values": [1, 2], "default": None}, {("/default", Code.OUT_OF_RANGE)}),
    ("low alone", {"low": 1}, {("/high", Code.MISSING)}),
    ("high alone", {"high": 1}, {("/low", Code.MISSING)}),
    (
        "misspelled low",
        {"lo": 1, "high": 2},
        {("/low", Code.MISSING), ("/lo", Code.UNKNOWN_KEY)},
    ),
    ("low true", {"low": True, "high": 2}, {("/low", Code.WRONG_TYPE)}),
    ("low text", {"low": "1", "high": 2}, {("/low", Code.WRONG_TYPE)}),
    ("high null", {"low": 1, "high": None}, {("/high", Code.WRONG_TYPE)}),
    ("high infinite", {"low": 1.0, "high": math.inf}, {("/high", Code.NOT_FINITE)}),
    ("too wide", {"low": -1e308, "high": 1e308}, {("/high", Code.NOT_FINITE)}),
    ("exchanged", {"low": 2, "high": 1}, {("/low", Code.OUT_OF_RANGE)}),
    ("log of zero", {"low": 0.0, "high": 1.0, "log": True}, {("/low", Code.LOG_NEEDS_POSITIVE)}),
    (
        "log with step",
        {"low": 1, "high": 3, "log": True, "step": 1},
        {("/step", Code.LOG_WITH_STEP)},
    ),
    ("log a number", {"low": 1, "high": 3, "log": 1}, {("/log", Code.WRONG_TYPE)}),
    ("log text", {"low": 1, "high": 3, "log": "true"}, {("/log", Code.WRONG_TYPE)}),
    ("step zero", {"low": 1, "high": 3, "step": 0}, {("/step", Code.OUT_OF_RANGE)}),
    ("step negative", {"low": 1, "high": 3, "step": -1}, {("/step", Code.OUT_OF_RANGE)}),
    ("step misses high", {"low": 0.0, "high": 1.0, "step": 0.3}, {("/step", Code.NOT_A_MULTIPLE)}),
    (
        "step vanishes",
        {"low": 1e15, "high": 1e15 + 1, "step": 0.125},
        {("/step", Code.OUT_OF_RANGE)},
    ),
    ("type unknown", {"low": 1, "high": 3, "type": "integer"}, {("/type", Code.WRONG_TYPE)}),
    ("type a list", {"low": 1, "high": 3, "type": []}, {("/type", Code.WRONG_TYPE)}),
    (
        "whole numbers with fractions",
        {"low": 0.5, "high": 2.5, "step": 0.5, "type": "int"},
        {("/low", Code.WRONG_TYPE), ("/high", Code.WRONG_TYPE), ("/step", Code.WRONG_TYPE)},
    ),
    (
        "default above",
        {"low": 1, "high": 3, "default": 4},
        {("/default", Code.OUT_OF_RANGE)},
    ),
    (
        "default between steps",
        {"low": 0, "high": 4, "step": 2, "default": 1},
        {("/default", Code.OUT_OF_RANGE)},
    ),
    ("range and values", {"values": [1], "low": 1}, {("/low", Code.UNKNOWN_KEY)}),
    ("when a text", {"values": [1], "when": "x"}, {("/when", Code.WRONG_TYPE)}),
    ("when without values", {"values": [1], "when": {"a": []}}, {("/when/a", Code.EMPTY)}),
    ("when twice", {"values": [1], "when": {"a": [1, 1]}}, {("/when/a/1", Code.DUPLICATE)}),
    ("when nested", {"values": [1], "when": {"a": {"b": 1}}}, {("/when/a/b", Code.UNKNOWN_KEY)}),
    ("when keyed by a number", {"values": [1], "when": {1: 1}}, {("/when/1", Code.WRONG_TYPE)}),
    (
        "wrong throughout",
        {"low": 3, "high": 1, "log": True, "step": 1, "wen": 1, "when": []},
        {
            ("/wen", Code.UNKNOWN_KEY),
            ("/low", Code.OUT_OF_RANGE),
            ("/step", Code.LOG_WITH_STEP),
            ("/when", Code.WRONG_TYPE),
        },
    ),
]


@pytest.mark.parametrize(("raw", "expected"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_domain_is_refused_with_all_its_problems(
    raw: Any, expected: set[tuple[str, Code]]
) -> None:
    with pytest.raises(SearchSpaceError) as caught:
        read_domain(raw)
    problems = caught.value.problems
    assert {(problem.pointer, problem.code) for problem in problems} == expected
    assert len(problems) == len(expected)
    assert all(problem.detail and problem.hint for problem in problems)
    assert len(str(caught.value).encode()) < 2000


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (0.01, Constant(0.01)),
        (None, Constant(None)),
        ({"value": 1}, Constant(1)),
        ({"value": 1, "when": {"a": "x"}}, Constant(1, when={"a": ("x",)})),
        ({"values": ["a", "b"]}, Choice(("a", "b"), "a")),
        ({"values": [None, 1], "default": 1.0}, Choice((None, 1), 1)),
        ({"low": 1, "high": 3}, Range(1, 3, 1, type="int")),
        ({"low": 1, "high": 3.0}, Range(1.0, 3.0, 1.0)),
        ({"low": 1, "high": 3, "default": 2.5}, Range(1.0, 3.0, 2.5)),
        ({"low": 1.0, "high": 3.0, "type": "int"}, Range(1, 3, 1, type="int")),
        ({"low": 1, "high": 3, "type": "float"}, Range(1.0, 3.0, 1.0)),
        ({"low": 2, "high": 2, "step": None}, Range(2, 2, 2, type="int")),
    ],
)
def test_what_is_left_out_is_filled_in(raw: Any, expected: Domain) -> None:
    domain = read_domain(raw)
    assert domain == expected
    assert repr(domain) == repr(expected)  # 1 and 1.0 are equal, but not the same parameter


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"values": [[64, 64], [128]]}, Choice(([64, 64], [128]), [64, 64])),
        ({"value": [0.9, 0.999]}, Constant([0.9, 0.999])),
        ({"values": [None, 0.1]}, Choice((None, 0.1), None)),
        ({"values": [0.1, None], "default": None}, Choice((0.1, None), None)),
        (
            {"value": 1, "when": {"layers": {"at_least": 2, "less_than": 5}}},
            Constant(1, when={"layers": Bounds({"at_least": 2, "less_than": 5})}),
        ),
        ({"value": 1, "when": {"sizes": [[64, 64]]}}, Constant(1, when={"sizes": ([64, 64],)})),
        ({"value": 1, "when": {"decay": None}}, Constant(1, when={"decay": (None,)})),
    ],
)
def test_lists_nulls_and_bounds_are_read_and_written_back(raw: Any, expected: Domain) -> None:
    assert read_domain(raw) == expected
    assert read_domain(expected.to_json()) == expected


@pytest.mark.parametrize(
    ("raw", "hints"),
    [
        ({"min": 0, "max": 1}, {"write low instead", "write high instead"}),
        ({"low": 0, "high": 8, "q": 2}, {"write step instead"}),
        ({"low": 1, "max": 8}, {"add high", "write high instead"}),
        ({"low": 1, "high": 8, "min": 1}, {"write low instead"}),
        ({"values": [1, 2], "if": {"a": 1}}, {"write when instead"}),
        ({"values": [1, 2], "min": 1}, {"there are: values, default, when"}),
    ],
)
def test_the_words_of_other_tools_are_told_ours(raw: Any, hints: set[str]) -> None:
    with pytest.raises(SearchSpaceError) as caught:
        read_domain(raw)
    assert hints <= {problem.hint for problem in caught.value.problems}


def test_a_distribution_is_told_how_it_is_said_here() -> None:
    with pytest.raises(SearchSpaceError) as caught:
        read_domain({"distribution": "log_uniform_values", "low": 0.1, "high": 1.0})
    (problem,) = caught.value.problems
    assert '"log": true' in problem.hint


def test_a_bare_list_is_told_both_its_meanings() -> None:
    with pytest.raises(SearchSpaceError) as caught:
        read_domain([0.1, 0.01])
    assert caught.value.problems[0].hint == (
        'write {"values": [0.1, 0.01]}, or {"value": ...} where the list is one value'
    )


def test_an_object_as_a_value_is_told_to_become_parameters() -> None:
    with pytest.raises(SearchSpaceError, match=r"optimizer\.momentum for instance"):
        read_domain({"values": [{"name": "adam"}]})


def test_parameters_are_read_one_by_one() -> None:
    domains, problems = read_parameters({"good": 1, "a/b": {"values": []}})
    assert domains == {"good": Constant(1)}
    assert [problem.pointer for problem in problems] == ["/parameters/a~1b/values"]
    assert [problem.pointer for problem in read_parameters([1])[1]] == ["/parameters"]


def test_unknown_keys_of_a_newer_version_are_dropped() -> None:
    newer = {"low": 1, "high": 3, "prior": "normal", "when": {"a": {"at_least": 2, "near": 3}}}
    assert known_members(newer) == {"low": 1, "high": 3, "when": {"a": {"at_least": 2}}}
    assert known_members(0.1) == 0.1
