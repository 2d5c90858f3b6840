"""The scheduler that stops nothing."""

from __future__ import annotations

from service.search.scheduler import Action, RunToTheEnd


def test_every_trial_trains_all_epochs() -> None:
    scheduler = RunToTheEnd(3)
    assert scheduler.begin(0) == 3
    assert [scheduler.report(0, epoch, 1.0 / epoch) for epoch in (1, 2, 3)] == [Action.CONTINUE] * 3
    assert scheduler.rungs() == {3: {0: 1 / 3}}
    assert scheduler.can_begin()
    assert scheduler.promote(running=()) is None
    scheduler.remove(0)
    assert scheduler.rungs() == {3: {}}


def test_a_search_goes_on_with_the_losses_of_the_last_epoch() -> None:
    scheduler = RunToTheEnd(2)
    scheduler.restore({0: {1: 0.5, 2: 0.25}, 1: {1: 0.125}})
    assert scheduler.rungs() == {2: {0: 0.25}}
