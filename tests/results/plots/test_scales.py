"""Which values an axis shows, and when it is logarithmic."""

from __future__ import annotations

import pytest
from matplotlib.axes import Axes

from results.plots.scales import Scale, collapsed
from tests.results.plots.helpers import drawn


@pytest.mark.parametrize(
    ("values", "mode", "expected"),
    [
        ([0.88, 0.87, 0.86, 0.1, 0.1], "max", {3, 4}),
        ([0.3, 0.31, 0.5, 10.0], "min", {3}),
        ([0.88, 0.1, 0.1], "max", set()),  # Two of three: the others are no majority.
        ([0.88, 0.85, 0.80, 0.75], "max", set()),
        ([0.5, 0.5, 0.5, 0.5001], "min", set()),
        ([0.5], "min", set()),
        ([], "max", set()),
    ],
)
def test_collapsed(values: list[float], mode: str, expected: set[int]) -> None:
    assert collapsed(dict(enumerate(values)), mode) == expected


@pytest.mark.parametrize(
    ("values", "mode", "log"),
    [
        ([0.01, 0.5, 1.0], "max", True),
        ([0.02, 1.0], "max", False),
        ([0.1, 1.0], "min", True),
        ([0.11, 1.0], "min", False),
        ([0.0, 1.0], "min", False),
        ([-1.0, 1.0], "min", False),
        ([0.5], "min", False),
    ],
)
def test_a_scale_over_decades_is_logarithmic(values: list[float], mode: str, log: bool) -> None:
    assert Scale.of(values, mode) == Scale(min(values), max(values), log)


def test_a_logarithmic_scale_has_positive_values_only() -> None:
    assert Scale.of([1.0, 2.0], "min", log=True).log
    assert not Scale.of([0.0, 2.0], "min", log=True).log


def axes_with(scale: Scale) -> Axes:
    return drawn(lambda figure: scale.set_on(figure.add_subplot(), "y"))


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.5, 0.5), (0.0, 0.0), (-1e100, 1e100), (1.0, 1.0 + 2**-52), (1e-100, 1e-100), (-3.0, -3.0)],
)
def test_the_limits_lie_around_the_values(low: float, high: float) -> None:
    found = axes_with(Scale(low, high, log=False)).get_ylim()
    assert found[0] < low <= high < found[1]


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (1e-100, 1e100), (2.0, 3.0), (0.3, 40.0)])
def test_a_logarithmic_axis_has_numbers(low: float, high: float) -> None:
    axes = axes_with(Scale(low, high, log=True))
    bottom, top = axes.get_ylim()
    assert 0 < bottom < low <= high < top
    assert any(bottom <= tick <= top for tick in axes.get_yticks())
