"""The median stopping rule, by hand and against medians computed anew."""

from __future__ import annotations

import math
import statistics
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.search.median import MOST_RUNGS, MedianStopping
from service.search.scheduler import FORBIDDEN, Action

CONTINUE, STOP = Action.CONTINUE, Action.STOP


def train(rule: MedianStopping, number: int, losses: list[float]) -> list[Action]:
    rule.begin(number)
    return [rule.report(number, epoch, loss) for epoch, loss in enumerate(losses, start=1)]


def test_by_hand() -> None:
    rule = MedianStopping(epochs=3, min_trials=2)
    assert rule.begin(0) == 3
    assert train(rule, 0, [0.8, 0.6, 0.4]) == [CONTINUE] * 3  # running averages .8, .7, .6
    assert train(rule, 1, [1.0, 0.8, 0.6]) == [CONTINUE] * 3  # running averages 1, .9, .8
    # The medians are .9, .8 and .7; a best loss that equals one is not worse.
    assert train(rule, 2, [0.9, 0.9]) == [CONTINUE, STOP]
    # A trial that gets worse goes on with its best loss: .5 is below every median.
    assert train(rule, 3, [0.5, 0.9, 0.9]) == [CONTINUE] * 3
    assert rule.promote(running=()) is None
    assert rule.can_begin()


def test_no_trial_is_stopped_before_min_epochs_or_with_too_few_to_compare_with() -> None:
    rule = MedianStopping(epochs=4, min_epochs=3, min_trials=2)
    assert train(rule, 0, [0.1] * 4) == [CONTINUE] * 4
    assert train(rule, 1, [9.0] * 4) == [CONTINUE] * 4
    assert train(rule, 2, [9.0] * 3) == [CONTINUE, CONTINUE, STOP]


def test_a_loss_that_is_not_finite_is_worse_than_any() -> None:
    rule = MedianStopping(epochs=2, min_trials=1)
    assert train(rule, 0, [1.0, math.nan]) == [CONTINUE] * 2
    assert train(rule, 1, [math.inf]) == [STOP]
    assert train(rule, 2, [0.5, 9.0]) == [CONTINUE] * 2


def test_epochs_that_violate_a_constraint_have_no_part_in_the_averages() -> None:
    rule = MedianStopping(epochs=3, min_trials=2)
    for number in range(2):
        assert train(rule, number, [FORBIDDEN, 0.1, 0.1]) == [CONTINUE] * 3
    assert train(rule, 2, [FORBIDDEN, 5.0]) == [CONTINUE, STOP]
    assert train(rule, 3, [FORBIDDEN, FORBIDDEN]) == [CONTINUE, STOP]
    assert train(rule, 4, [5.0, 0.05, 9.0]) == [CONTINUE] * 3


def test_an_epoch_that_is_trained_again_changes_nothing() -> None:
    rule = MedianStopping(epochs=2, min_trials=1)
    train(rule, 0, [1.0, 1.0])
    assert train(rule, 1, [0.9]) == [CONTINUE]
    assert rule.report(1, 1, 9.0) is CONTINUE
    assert rule.rungs()[1] == {0: 1.0, 1: 0.9}


def test_a_trial_that_failed_after_its_last_epoch_counts_no_more() -> None:
    rule = MedianStopping(epochs=2, min_trials=1)
    train(rule, 0, [0.1, 0.1])
    rule.remove(0)
    assert train(rule, 1, [9.0, 9.0]) == [CONTINUE] * 2


@pytest.mark.parametrize("epochs", [1, 999, 1000, 1001, 100_000])
def test_a_bounded_number_of_epochs_is_compared(epochs: int) -> None:
    rungs = list(MedianStopping(epochs=epochs).rungs())
    assert len(rungs) <= MOST_RUNGS
    assert rungs == sorted(rungs)
    assert rungs[-1] == epochs
    assert (len(rungs) == epochs) == (epochs <= MOST_RUNGS)


def test_parameters_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, got 3, 1 and 0"):
        MedianStopping(epochs=3, min_trials=0)


@given(st.integers(0, 10**6))
def test_against_medians_computed_anew(seed: int) -> None:
    random, epochs = Random(seed), 5
    rule = MedianStopping(epochs=epochs, min_trials=3)
    complete: list[list[float]] = []
    for number in range(20):
        losses = [random.randrange(10) / 10 for _ in range(epochs)]
        expected = []
        for epoch in range(1, epochs):
            means = [statistics.fmean(each[:epoch]) for each in complete]
            is_worse = len(means) >= 3 and min(losses[:epoch]) > statistics.median(means) + 1e-12
            expected.append(STOP if is_worse else CONTINUE)
            if is_worse:
                break
        else:
            expected.append(CONTINUE)
            complete.append(losses)
        found = train(rule, number, losses[: len(expected)])
        if not any(  # equal but for rounding: either is right
            math.isclose(
                min(losses[:e]), statistics.median([statistics.fmean(c[:e]) for c in complete])
            )
            for e in range(1, len(expected) + 1)
            if complete
        ):
            assert found == expected
