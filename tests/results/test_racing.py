from __future__ import annotations

import math

from results.racing import Pair, survivors


def losses(**rows: list[float | None]) -> dict[Pair, float | None]:
    """Losses by configuration (``c1``, ``c2``, ...) with the seeds 0, 1, 2, ..."""
    return {(int(c[1:]), seed): loss for c, row in rows.items() for seed, loss in enumerate(row)}


def test_nobody_drops_out_by_two_pairs() -> None:
    found = losses(c1=[0.1, 0.1], c2=[0.9, 0.9])
    assert survivors([1, 2], [0, 1], found) == (1, 2)


def test_what_is_clearly_above_the_leader_drops_out() -> None:
    # Differences to configuration 1: 0.1, 0.1, 0.1 and 0.1, 0.0, -0.03.
    found = losses(c1=[0.1, 0.3, 0.2], c2=[0.2, 0.4, 0.3], c3=[0.2, 0.3, 0.17])
    assert survivors([2, 3, 1], [0, 1, 2], found) == (3, 1)


def test_one_that_failed_is_out_at_once_and_no_leader() -> None:
    found = losses(c1=[0.1, None], c2=[0.3, 0.3])
    assert survivors([1, 2], [0, 1], found) == (2,)
    assert survivors([1], [0, 1], found) == ()


def test_huge_losses_count_as_failures_and_the_largest_that_do_not_overflow_nothing() -> None:
    found = losses(c1=[1e308, 1e308, 1e308], c2=[0.3, 0.3, -1e101], c3=[1e100, 1e100, -1e100])
    assert survivors([1, 2, 3], [0, 1, 2], found) == (3,)
    assert survivors([1], [0], found) == ()
    most = losses(c1=[-1e100] * 3, c2=[1e100] * 3)
    assert survivors([1, 2], [0, 1, 2], most) == (1,)


def test_a_decision_worked_by_hand() -> None:
    """Differences 1, 2, 3: mean 2, half width 2.484: they stay. Of 2, 3, 4 the interval is > 0."""
    zeros: list[float | None] = [0.0, 0.0, 0.0]
    assert survivors([1, 2], [0, 1, 2], losses(c1=zeros, c2=[1.0, 2.0, 3.0])) == (1, 2)
    assert survivors([1, 2], [0, 1, 2], losses(c1=zeros, c2=[2.0, 3.0, 4.0])) == (1,)
    assert math.isclose(4.3027 / math.sqrt(3), 2.484, abs_tol=1e-3)
