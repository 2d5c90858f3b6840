"""Domains: what they refuse, what lies in them, their JSON form."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from search_spaces import Choice, Code, Constant, Domain, Range, SearchSpaceError, read_domain

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-1000, 1000)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("abcé _-", max_size=8)
)


@st.composite
def choices(draw: st.DrawFn) -> Choice:
    values = draw(st.lists(SCALARS, min_size=1, max_size=8, unique_by=lambda value: value))
    return Choice(tuple(values), draw(st.sampled_from(values)))


@st.composite
def stepped_ranges(draw: st.DrawFn) -> Range:
    """Ranges of decimals with two places, or of whole numbers, with a step that fits."""
    places = draw(st.sampled_from([0, 2]))
    low, step = draw(st.integers(-500, 500)), draw(st.integers(1, 50))
    steps = draw(st.integers(0, 40))
    numbers = [low, low + steps * step, step]
    if places == 0:
        low_, high, step_ = numbers
        return Range(low_, high, low_, step=step_, type="int")
    low_f, high_f, step_f = (float(Fraction(number, 100)) for number in numbers)
    return Range(low_f, high_f, high_f, step=step_f)


@st.composite
def open_ranges(draw: st.DrawFn) -> Range:
    low, high = sorted(draw(st.tuples(*[st.floats(1e-6, 1e6)] * 2)))
    return Range(low, high, low, log=draw(st.booleans()))


DOMAINS = st.builds(Constant, SCALARS) | choices() | stepped_ranges() | open_ranges()

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


@settings(deadline=None)
@given(DOMAINS)
def test_json_form_reads_back_as_the_same_domain(domain: Domain) -> None:
    assert read_domain(domain.to_json()) == domain
    assert read_domain(domain.to_json()).to_json() == domain.to_json()


@settings(deadline=None)
@given(DOMAINS)
def test_a_listed_domain_has_its_size_and_no_value_twice(domain: Domain) -> None:
    assume(domain.size is not None)
    values = list(domain.listed())
    assert len(values) == domain.size
    assert len(set(values)) == len(values)
    assert all(value in domain for value in values)
    assert domain.default in domain


@settings(deadline=None)
@given(stepped_ranges())
def test_a_stepped_range_goes_from_low_to_high(domain: Range) -> None:
    values = list(domain.listed())
    assert (values[0], values[-1]) == (domain.low, domain.high)
    assert domain.step is not None
    for before, after in pairwise(values):
        assert after - before == pytest.approx(domain.step)
        assert domain.nearest((before * 3 + after) / 4) == before
        assert (before + after) / 2 not in domain or domain.type == "int"


@settings(deadline=None)
@given(open_ranges(), st.floats(-1e9, 1e9))
def test_an_open_range_holds_what_lies_between_its_ends(domain: Range, value: float) -> None:
    assert (value in domain) == (domain.low <= value <= domain.high)
    assert domain.low in domain
    assert domain.high in domain
    assert domain.nearest(value) in domain


def test_steps_are_decimal() -> None:
    assert list(Range(0.1, 0.5, 0.1, step=0.1).listed()) == [0.1, 0.2, 0.3, 0.4, 0.5]


@pytest.mark.parametrize(
    ("domain", "size"),
    [
        (Range(1, 4, 1, type="int"), 4),
        (Range(1, 5, 1, step=2, type="int"), 3),
        (Range(1, 4, 1, log=True, type="int"), 4),
        (Range(0.0, 1.0, 0.0), None),
        (Range(0.5, 0.5, 0.5), 1),
        (Range(0.0, 1.0, 0.0, step=1e-9), 10**9 + 1),
    ],
)
def test_size(domain: Range, size: int | None) -> None:
    assert domain.size == size


def test_an_open_range_is_not_listed() -> None:
    with pytest.raises(ValueError, match="without step"):
        list(Range(0.0, 1.0, 0.0).listed())


@pytest.mark.parametrize("value", [True, "1", None, math.nan, math.inf, 1.0])
def test_what_is_no_whole_number_is_not_in_a_range_of_them(value: object) -> None:
    assert value not in Range(0, 3, 0, type="int")


def test_a_value_lies_in_a_choice_as_json_compares_it() -> None:
    assert 1.0 in Choice((1, 2), 1)
    assert True not in Choice((1, 2), 1)
    assert 1 not in Constant(True)


def test_domains_are_values() -> None:
    assert len({Constant(1, when={"a": (1,)}), Constant(1, when={"a": (1,)})}) == 1
    with pytest.raises(AttributeError):
        Constant(1).value = 2  # type: ignore[misc]
