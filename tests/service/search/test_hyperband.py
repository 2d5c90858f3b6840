"""Hyperband's brackets: their sizes, and that trials are compared within them."""

from __future__ import annotations

from collections import Counter

import pytest

from service.search.hyperband import Hyperband, bracket_shares
from service.search.scheduler import Action, Promotion


def test_brackets_have_the_sizes_of_the_paper() -> None:
    # Li et al. 2018, table 1 (R = 81, eta = 3): 81, 34, 15, 8 and 5 trials, rounded up.
    shares = bracket_shares(5, 3)
    assert [share / shares[0] * 81 for share in shares] == pytest.approx([81, 33.75, 15, 7.5, 5])
    assert sum(shares) == pytest.approx(1)


def test_a_trials_bracket_follows_from_its_number_and_shares_are_kept_early() -> None:
    hyperband = Hyperband(epochs=81)
    for trials in (20, 1000):
        counts = Counter(hyperband.bracket(number) for number in range(trials))
        for bracket, share in enumerate(bracket_shares(5, 3)):
            assert abs(counts[bracket] - share * trials) < 3


def test_each_bracket_begins_to_compare_later_than_the_one_before() -> None:
    hyperband = Hyperband(epochs=9)
    untils = {hyperband.bracket(number): hyperband.begin(number) for number in range(20)}
    assert untils == {0: 1, 1: 3, 2: 9}


def test_trials_are_compared_within_their_bracket_and_the_highest_rung_goes_first() -> None:
    hyperband = Hyperband(epochs=9)
    numbers: dict[int, list[int]] = {0: [], 1: [], 2: []}
    for number in range(30):
        numbers[hyperband.bracket(number)].append(number)
    first, second = numbers[0][:3], numbers[1][:3]
    for number in (*first, *second):
        until = hyperband.begin(number)
        for epoch in range(1, until):
            assert hyperband.report(number, epoch, 0.0) is Action.CONTINUE
        assert hyperband.report(number, until, 1 / (1 + number)) is Action.PAUSE
    # The best of three in each bracket: the one at epoch 3 goes before the one at epoch 1.
    assert hyperband.promote() == Promotion(max(second), 9)
    assert hyperband.promote() == Promotion(max(first), 3)
    assert hyperband.promote() is None
    assert set(hyperband.rungs()[3]) == set(second)


def test_once_nothing_new_begins_each_bracket_trains_one_to_the_end() -> None:
    """The last bracket trains all of its to the end, which may be worse than those that wait."""
    hyperband = Hyperband(epochs=9)
    first = next(n for n in range(30) if hyperband.bracket(n) == 0)
    second = next(n for n in range(30) if hyperband.bracket(n) == 1)
    for number in (first, second):
        hyperband.report(number, hyperband.begin(number), 0.5)
    assert hyperband.promote() is None
    assert hyperband.promote(running=()) == Promotion(second, 9)
    for until in (3, 9):
        assert hyperband.promote(running=[second]) == Promotion(first, until)
        assert hyperband.promote(running=[first, second]) is None
        hyperband.report(first, until, 0.5)
    for number in (first, second):
        hyperband.end(number, 0.5)
    assert hyperband.promote(running=()) is None


def test_trials_that_were_interrupted_go_on_in_their_bracket() -> None:
    hyperband = Hyperband(epochs=9)
    second = next(n for n in range(30) if hyperband.bracket(n) == 1)
    hyperband.restore({second: {1: 0.5}}, running=[second])
    assert hyperband.promote(running=()) is None
    assert hyperband.begin(second) == 3
