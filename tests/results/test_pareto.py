"""Fronts of points, against the definition."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from results.pareto import front_numbers, hypervolume

POINTS = st.integers(1, 3).flatmap(
    lambda width: st.lists(st.tuples(*[st.integers(0, 5)] * width), max_size=30)
)


def dominates(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def peeled(points: list[tuple[int, ...]]) -> list[int]:
    """The fronts by definition: what nothing left dominates is taken away, again and again."""
    found: dict[int, int] = {}
    front = 0
    while len(found) < len(points):
        left = [i for i in range(len(points)) if i not in found]
        free = [i for i in left if not any(dominates(points[j], points[i]) for j in left)]
        found |= dict.fromkeys(free, front)
        front += 1
    return [found[i] for i in range(len(points))]


def test_two_objectives_by_hand() -> None:
    # (1, 4), (2, 2) and (4, 1) are worth choosing; (2, 3) loses to (2, 2), (4, 4) to (2, 3) too.
    assert front_numbers([(2, 2), (4, 4), (1, 4), (2, 3), (4, 1), (2, 2)]) == [0, 2, 0, 1, 0, 0]
    assert front_numbers([]) == []
    assert front_numbers([(3,), (1,), (3,)]) == [1, 0, 1]


def test_the_hypervolume_by_hand() -> None:
    # Up to (4, 4): 3 x 1 right of (1, 3), 2 x 1 more below it right of (2, 2).
    assert hypervolume([(2, 2), (1, 3)], (4, 4)) == 5
    assert hypervolume([(2, 2), (1, 3), (2, 3), (3, 3.5), (5, 0), (0, 4)], (4, 4)) == 5
    assert hypervolume([], (1, 1)) == 0


@given(POINTS)
def test_fronts_are_those_of_the_definition(points: list[tuple[int, ...]]) -> None:
    assert front_numbers(points) == peeled(points)


def test_of_many_points_each_front_is_worse_than_the_one_before() -> None:
    points = [((i * 7919) % 5003 / 5003, (i * 104729) % 4999 / 4999) for i in range(5_000)]
    fronts = front_numbers(points)
    members = [[p for p, f in zip(points, fronts, strict=True) if f == n] for n in range(3)]
    for before, after in pairwise(members):
        assert all(any(a <= c and b <= d for a, b in before) for c, d in after)
