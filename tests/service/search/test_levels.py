"""Which epoch a model is told."""

from __future__ import annotations

from service.search.levels import ENOUGH, Levels, Values


def test_the_highest_epoch_with_enough_values_counts_else_the_lowest_with_any() -> None:
    levels = Levels()
    assert levels.epoch is None
    assert levels.at(None) == {}
    for number in range(ENOUGH - 1):
        levels.add(number, 1, Values((1.0 * number,)))
    for number in range(3):
        levels.add(number, 3, Values((2.0 * number,)))
    assert levels.epoch == 1, "neither has enough"
    for number in range(3, ENOUGH):
        levels.add(number, 3, Values((2.0 * number,)))
    assert levels.epoch == 3
    assert levels.at(3)[4] == Values((8.0,))


def test_values_are_replaced_and_forgotten() -> None:
    levels = Levels()
    assert not levels.add(0, 1, Values((1.0,)))
    assert levels.add(0, 1, Values((2.0,), (0.5,)))
    levels.add(0, 3, Values((3.0,)))
    levels.add(1, 1, Values((4.0,)))
    assert levels.remove(0)
    assert not levels.remove(7)
    assert (levels.at(1), levels.at(3)) == ({1: Values((4.0,))}, {})
    assert levels.epoch == 1


def test_trials_of_other_jobs_count_until_the_jobs_own_are_enough() -> None:
    levels = Levels()
    for number in range(1, ENOUGH + 5):
        levels.add(-number, 9, Values((1.0,)))
    for number in range(ENOUGH - 1):
        levels.add(number, 1, Values((2.0,)))
    assert levels.epoch == 9
    levels.add(ENOUGH, 1, Values((2.0,)))
    assert levels.epoch == 1
    assert levels.remove(ENOUGH)
    assert levels.epoch == 9
