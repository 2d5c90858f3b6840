"""Domains: their sizes, their values, what lies in them, their JSON form."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from search_spaces import Choice, Constant, Domain, Range, SearchSpaceError, read_domain

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-1000, 1000)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("abcé _-", max_size=8)
)
VALUES = SCALARS | st.recursive(
    st.lists(SCALARS, max_size=3), lambda inner: st.lists(inner, max_size=2), max_leaves=3
)


def hashable(value: Any) -> Any:
    return tuple(map(hashable, value)) if isinstance(value, list) else value


@st.composite
def choices(draw: st.DrawFn) -> Choice:
    values = draw(st.lists(VALUES, min_size=1, max_size=8, unique_by=hashable))
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


DOMAINS = st.builds(Constant, VALUES) | choices() | stepped_ranges() | open_ranges()


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
    assert len(set(map(hashable, values))) == len(values)
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


def test_a_value_may_be_a_list() -> None:
    sizes = Choice(([64, 64], (128,), []), [128])
    assert sizes.values == ([64, 64], [128], [])
    assert sizes.default == [128]
    assert [64.0, 64] in sizes
    assert [64] not in sizes
    assert 128 not in sizes
    assert sizes.to_json() == {"values": [[64, 64], [128], []], "default": [128]}
    assert Constant((1, 2)).to_json() == {"value": [1, 2]}  # a bare list is not a domain


def test_a_domain_does_not_share_its_lists_with_who_built_it() -> None:
    value = [1, 2]
    domain = Choice((value,), value)
    value.append(3)
    assert domain.values == ([1, 2],)
    assert domain.default == [1, 2]


@settings(deadline=None)
@given(DOMAINS, st.lists(st.integers(-600, 600) | st.floats(-600, 600), max_size=4))
def test_parts_hold_all_values_and_one_from_each_side_of_every_number(
    domain: Domain, numbers: list[float]
) -> None:
    parts = list(domain.parts(numbers))
    assert all(value in domain for value, _ in parts)
    if domain.size is not None:
        assert sum(size for _, size in parts) == domain.size
    if isinstance(domain, Range) and (domain.size is None or domain.size < 1000):
        values = list(domain.listed()) if domain.size is not None else [domain.low, domain.high]
        found = [value for value, _ in parts]
        for number in numbers:
            for holds in (number.__lt__, number.__le__, number.__gt__, number.__ge__):
                wanted = any(holds(value) is True for value in values)
                assert any(holds(value) is True for value in found) or not wanted


def test_a_vast_range_is_cut_into_parts_without_listing_it() -> None:
    domain = Range(0, 10**12, 0, type="int")
    assert list(domain.parts([7, 10**6 + 0.5])) == [
        (0, 7), (7, 1), (8, 10**6 - 7), (10**6 + 1, 10**12 - 10**6)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("high", "step", "kind", "hint"),
    [
        (1.0, 0.3, "float", "make high 0.9 or 1.2, or take another step"),
        (10, 4, "int", "make high 8 or 12, or take another step"),
        (1.0, 3.0, "float", "make high 3.0, or take another step"),
        (1.7e308, 1.6e308, "float", "make high 1.6e+308, or take another step"),
        (2**53 - 1, 2**53 - 2, "int", "make high 9007199254740990, or take another step"),
    ],
)
def test_a_step_that_does_not_divide_the_range_is_told_the_nearest_ends(
    high: float, step: float, kind: Any, hint: str
) -> None:
    with pytest.raises(SearchSpaceError) as caught:
        Range(0, high, 0, step=step, type=kind)
    assert [problem.hint for problem in caught.value.problems] == [hint]


@pytest.mark.parametrize(
    ("domain", "hint"),
    [
        ({"low": 0, "high": 9, "step": 3, "default": 4}, "the nearest one is 3"),
        ({"low": 0.5, "high": 0.9, "default": 2}, "the nearest one is 0.9"),
        ({"values": ["relu", "tanh"], "default": "rleu"}, "did you mean relu?"),
        ({"values": [1, [2, 3], None], "default": 2}, "use one of 1, [2, 3], null"),
        ({"values": list(range(20)), "default": -1},
         "use one of 0, 1, 2, 3, 4, 5, 6, 7 or 12 more"),
    ],
)  # fmt: skip
def test_a_default_that_is_no_value_is_told_a_good_one(domain: Any, hint: str) -> None:
    with pytest.raises(SearchSpaceError) as caught:
        read_domain(domain)
    assert [problem.hint for problem in caught.value.problems] == [hint]
