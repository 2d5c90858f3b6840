from __future__ import annotations

import math

import pytest
from scipy import stats

from results.intervals import difference, estimate


def test_a_case_worked_by_hand() -> None:
    # Mean 2, deviation 1, n = 3: half the width is t(0.975, 2) / sqrt(3) = 4.3027 / 1.7321.
    found = estimate([1.0, 2.0, 3.0])
    assert (found.mean, found.standard_deviation, found.n) == (2.0, 1.0, 3)
    assert found.low == pytest.approx(2 - 2.4841, abs=1e-4)
    assert found.high == pytest.approx(2 + 2.4841, abs=1e-4)


def test_differences_agree_with_the_paired_test_of_scipy() -> None:
    first, second = [0.81, 0.84, 0.80, 0.86], [0.79, 0.83, 0.81, 0.82]
    theirs = stats.ttest_rel(first, second).confidence_interval(0.95)
    ours = difference(first, second)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert not ours.is_above_zero
    assert not ours.is_below_zero


def test_one_value_has_no_interval_and_equal_ones_a_point() -> None:
    one = estimate([0.5])
    assert (one.standard_deviation, one.low, one.high) == (None, None, None)
    assert not one.is_above_zero
    equal = difference([2.0, 2.0], [1.5, 1.5])
    assert (equal.low, equal.high) == (0.5, 0.5)
    assert equal.is_above_zero
    assert difference([1.5, 1.5], [2.0, 2.0]).is_below_zero


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [math.inf]])
def test_values_that_have_no_mean_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        estimate(values)


def test_where_the_deviation_is_too_large_for_a_float_there_is_a_mean_alone() -> None:
    assert estimate([1e308, 1.5e308]).mean == 1.25e308
    huge = estimate([1.7e308, -1.7e308])
    assert huge.mean == 0.0
    assert (huge.standard_deviation, huge.low, huge.high) == (None, None, None)
    assert not huge.is_above_zero
    assert estimate([1e100, -1e100]).standard_deviation == pytest.approx(math.sqrt(2) * 1e100)


def test_pairs_must_be_pairs() -> None:
    with pytest.raises(ValueError, match="shorter"):
        difference([1.0, 2.0], [1.0])
