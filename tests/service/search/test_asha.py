"""ASHA against Algorithm 2 of the paper, by hand and in random orders, and after crashes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.search.asha import Asha, StoppingAsha
from service.search.scheduler import Action, Promotion, Scheduler
from tests.service.search.driving import Drive

CONTINUE, PAUSE, STOP = Action.CONTINUE, Action.PAUSE, Action.STOP


def began(scheduler: Scheduler, losses: Mapping[int, float], epoch: int = 1) -> None:
    """Begin trials and report their losses after an epoch."""
    for number, loss in losses.items():
        scheduler.begin(number)
        scheduler.report(number, epoch, loss)


def test_promotion_by_hand() -> None:
    # Factor 3, epochs 1, 3, 9: of three trials at the first rung the best one goes on.
    asha = Asha(epochs=9)
    assert [asha.begin(number) for number in range(3)] == [1, 1, 1]
    assert asha.report(0, 1, 0.5) is PAUSE
    assert asha.report(1, 1, 0.4) is PAUSE
    assert asha.promote() is None  # 2 // 3 == 0
    assert asha.report(2, 1, 0.6) is PAUSE
    assert asha.promote() == Promotion(1, 3)
    assert asha.promote() is None
    assert [asha.report(1, 2, 0.3), asha.report(1, 3, 0.2)] == [CONTINUE, PAUSE]
    # Six trials at the first rung: its best two are 3 (now the best) and 1, which has gone on.
    began(asha, {3: 0.1, 4: 0.9, 5: 0.8})
    assert asha.promote() == Promotion(3, 3)
    # Nine trials: the best three are 6, 3 and 1; then the second rung has three, and 6 is its best.
    began(asha, {6: 0.05, 7: 0.9, 8: 0.9})
    assert asha.promote() == Promotion(6, 3)
    assert asha.promote() is None
    asha.report(3, 3, 0.15)
    asha.report(6, 3, 0.14)
    assert asha.promote() == Promotion(6, 9)
    assert asha.report(6, 9, 0.1) is CONTINUE
    assert {epoch: len(losses) for epoch, losses in asha.rungs().items()} == {1: 9, 3: 3, 9: 1}


def test_the_highest_rung_goes_first() -> None:
    asha = Asha(epochs=8, reduction_factor=2)
    began(asha, {0: 0.1, 1: 0.2, 2: 0.3, 3: 0.4})
    assert [asha.promote(), asha.promote(), asha.promote()] == [
        Promotion(0, 2),
        Promotion(1, 2),
        None,
    ]
    asha.report(0, 2, 0.1)
    asha.report(1, 2, 0.2)
    began(asha, {4: 0.0, 5: 0.9})  # the first rung has one to promote, too
    assert [asha.promote(), asha.promote()] == [Promotion(0, 4), Promotion(4, 2)]


def test_once_nothing_else_is_left_the_best_of_the_highest_rung_goes_on_to_the_end() -> None:
    asha = Asha(epochs=9)
    began(asha, {0: 0.2, 1: 0.1})
    assert asha.promote() is None
    for until in (3, 9):
        assert asha.promote(running=()) == Promotion(1, until)
        asha.report(1, until, 0.1)
    asha.end(1, 0.1)
    assert asha.promote(running=()) is None


def test_a_trial_that_ended_early_by_itself_is_an_end() -> None:
    asha = Asha(epochs=9)
    began(asha, {0: 0.2, 1: 0.1})
    asha.end(2, 0.5)
    assert asha.promote(running=()) is None
    asha.remove(2)
    assert asha.promote(running=()) == Promotion(1, 3)


def test_losses_that_are_not_finite_are_never_promoted() -> None:
    asha = Asha(epochs=9)
    began(asha, {0: math.nan, 1: math.inf, 2: -math.inf})
    assert asha.promote() is None
    assert asha.promote(running=()) is None
    began(asha, {3: 5.0})
    assert asha.promote() == Promotion(3, 3)  # 4 // 3 == 1, and it is the best


def test_a_trial_that_has_failed_is_never_promoted() -> None:
    asha = Asha(epochs=9)
    began(asha, {0: 0.1, 1: 0.2, 2: 0.3, 3: 0.4})
    asha.remove(0)
    assert asha.promote() == Promotion(1, 3)
    assert asha.rungs()[1] == {1: 0.2, 2: 0.3, 3: 0.4}


def test_a_trial_that_is_started_again_passes_the_rungs_from_which_it_was_promoted() -> None:
    asha = Asha(epochs=9)
    began(asha, {0: 0.1, 1: 0.2, 2: 0.3})
    assert asha.promote() == Promotion(0, 3)
    assert [asha.report(0, epoch, 0.7) for epoch in (1, 2, 3)] == [CONTINUE, CONTINUE, PAUSE]
    assert asha.rungs()[1][0] == 0.1
    assert asha.report(0, 3, 0.6) is PAUSE  # its end was lost, and it trained the epoch once more
    assert asha.rungs()[3] == {0: 0.6}


def test_one_rung_means_training_to_the_end() -> None:
    asha = Asha(epochs=2, min_epochs=5)
    assert asha.begin(0) == 2
    assert [asha.report(0, epoch, 0.1) for epoch in (1, 2)] == [CONTINUE, CONTINUE]


class Paper:
    """Algorithm 2 as it stands in the paper, with sets."""

    def __init__(self, rungs: tuple[int, ...], factor: int) -> None:
        self.rungs = {epoch: dict[int, float]() for epoch in rungs}
        self.promoted = {epoch: set[int]() for epoch in rungs}
        self.factor = factor

    def get_job(self) -> tuple[int, int] | None:
        epochs = list(self.rungs)
        for at in range(len(epochs) - 2, -1, -1):
            rung, promoted = self.rungs[epochs[at]], self.promoted[epochs[at]]
            by_loss = sorted(rung, key=lambda number: (rung[number], number))
            top = by_loss[: len(rung) // self.factor]
            promotable = [number for number in top if number not in promoted]
            if promotable:
                promoted.add(promotable[0])
                return promotable[0], epochs[at + 1]
        return None


@given(st.integers(0, 10**6), st.integers(2, 4), st.integers(1, 4))
def test_every_promotion_is_that_of_algorithm_2(seed: int, factor: int, workers: int) -> None:
    order = Random(seed)
    asha = Asha(epochs=16, reduction_factor=factor)
    paper = Paper(tuple(asha.rungs()), factor)
    jobs: list[tuple[int, int]] = []
    begun = 0
    for _ in range(120):
        while len(jobs) < workers:
            expected = paper.get_job()
            found = asha.promote()
            assert (found and (found.number, found.until)) == expected
            if expected is None:
                expected = (begun, asha.begin(begun))
                begun += 1
            jobs.append(expected)
        number, until = jobs.pop(order.randrange(len(jobs)))
        loss = order.randrange(20) / 20
        paper.rungs[until][number] = loss
        asha.report(number, until, loss)


@pytest.mark.parametrize("min_epochs", [1, 2])
@given(st.integers(0, 10**6), st.lists(st.integers(0, 150), max_size=3))
def test_crashes_change_no_promotion(min_epochs: int, seed: int, crashes: list[int]) -> None:
    def drive() -> Drive:
        return Drive(
            lambda: Asha(epochs=12, reduction_factor=2, min_epochs=min_epochs),
            seed,
            trials=25,
            epochs=12,
        )

    whole, broken = drive(), drive()
    for at in range(400):
        if at in crashes:
            broken.crash()
        broken.step()
    whole.finish()
    broken.finish()
    assert broken.log == whole.log
    assert any(number for what, number, _ in whole.log if what == "promoted")
    assert whole.scheduler.rungs()[12], "a search ends with a trial that was fully trained"
    assert broken.scheduler.rungs() == whole.scheduler.rungs()


def test_a_search_goes_on_with_the_trials_that_were_interrupted() -> None:
    asha = Asha(epochs=9, min_epochs=3, reduction_factor=3)
    asha.restore(
        {
            0: {1: 0.9},  # had begun
            1: {1: 0.5, 2: 0.4, 3: 0.3, 4: 0.2},  # between the rungs
            2: {1: 0.5, 2: 0.4, 3: 0.35},  # paused
            3: {1: 0.5, 2: 0.4, 3: 0.4},  # promoted, and nothing reported since
            4: {epoch: 1 / epoch for epoch in range(1, 10)},  # at the end
            5: {1: 0.3},  # failed
            6: {},
        },
        running={0, 1, 3},
    )
    asha.remove(5)
    assert [asha.begin(number) for number in (0, 1, 3)] == [3, 9, 9]
    assert asha.promote() is None  # of four at rung 3 the best, trial 4, has gone on
    assert asha.rungs() == {3: {1: 0.3, 2: 0.35, 3: 0.4, 4: 1 / 3}, 9: {4: 1 / 9}}


def test_stopping_by_hand() -> None:
    asha = StoppingAsha(epochs=9)
    assert [asha.begin(number) for number in range(4)] == [9] * 4
    # The first two have fewer than three to be compared with; then the best third goes on.
    assert [asha.report(n, 1, loss) for n, loss in enumerate((0.5, 0.9, 0.6, 0.4))] == [
        CONTINUE,
        CONTINUE,
        STOP,
        CONTINUE,
    ]
    assert asha.report(0, 2, 0.1) is CONTINUE
    assert [asha.report(number, 3, 0.1) for number in (0, 1, 3)] == [CONTINUE, CONTINUE, STOP]
    assert asha.report(0, 9, 0.1) is CONTINUE
    assert asha.promote(running=()) is None
    assert asha.can_begin()


def test_stopping_ends_a_trial_with_a_loss_that_is_not_finite() -> None:
    for epochs, expected in ((9, STOP), (1, CONTINUE)):  # at the last epoch it has ended anyway
        asha = StoppingAsha(epochs=epochs)
        asha.begin(0)
        assert asha.report(0, 1, math.nan) is expected


def test_stopping_lets_a_trial_pass_the_rungs_where_it_had_gone_on() -> None:
    asha = StoppingAsha(epochs=9)
    began(asha, {0: 0.5, 1: 0.4, 2: 0.3, 3: 0.2})
    assert asha.report(0, 1, 0.9) is CONTINUE  # started again
    restored = StoppingAsha(epochs=9)
    restored.restore({0: {1: 0.5, 2: 0.5}, 1: {1: 0.4}, 2: {1: 0.3}, 3: {1: 0.2}})
    assert restored.report(0, 1, 0.5) is CONTINUE
    assert restored.report(1, 1, 0.4) is CONTINUE  # it would have ended with its report
    restored.remove(0)
    assert restored.rungs()[1] == {1: 0.4, 2: 0.3, 3: 0.2}


@given(st.integers(0, 10**6))
def test_stopping_ends_with_a_trial_that_was_fully_trained(seed: int) -> None:
    drive = Drive(lambda: StoppingAsha(epochs=9), seed, trials=30, epochs=9)
    drive.finish()
    ends = [epoch for _, _, epoch in drive.log]
    assert len(ends) == 30
    assert 9 in ends
    assert set(ends) <= {1, 3, 9}
    assert ends.count(1) > 10
