"""Rungs: which of their trials are the best."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from service.search.rung import Rung


def test_of_equal_losses_the_lower_number_is_better() -> None:
    rung = Rung()
    for number in (4, 2, 3):
        rung.add(number, 1.0)
        rung.pause(number)
    assert rung.best_paused() == (1.0, 2)
    assert [rung.is_among_best(number, 3) for number in (2, 3, 4)] == [True, False, False]
    rung.resume(2)
    assert rung.best_paused() == (1.0, 3)


def test_a_loss_that_is_not_finite_is_the_worst_and_never_the_best() -> None:
    rung = Rung()
    for number, loss in enumerate((math.nan, -math.inf, math.inf)):
        rung.add(number, loss)
        rung.pause(number)
    assert rung.best_paused() is None
    assert not any(rung.is_among_best(number, 1) for number in range(3))
    rung.add(3, 1e300)
    assert rung.is_among_best(3, 4)


def test_a_trial_can_be_taken_out_and_its_loss_replaced() -> None:
    rung = Rung()
    rung.add(0, 1.0)
    rung.pause(0)
    rung.add(0, 2.0)
    assert (dict(rung.losses), len(rung), rung.best_paused()) == ({0: 2.0}, 1, None)
    rung.remove(0)
    rung.remove(0)
    assert (dict(rung.losses), len(rung)) == ({}, 0)


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0, math.inf]), max_size=20), st.integers(1, 4))
def test_the_best_are_those_that_a_sort_puts_first(losses: list[float], factor: int) -> None:
    rung = Rung()
    for number, loss in enumerate(losses):
        rung.add(number, loss)
    in_order = sorted(range(len(losses)), key=lambda number: (losses[number], number))
    best = {n for n in in_order[: len(losses) // factor] if math.isfinite(losses[n])}
    assert {n for n in range(len(losses)) if rung.is_among_best(n, factor)} == best
