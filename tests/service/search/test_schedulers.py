"""Every scheduler that a search can declare, by what all of them promise."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

import search_spaces
from service.search.asha import Asha, StoppingAsha
from service.search.hyperband import Hyperband
from service.search.median import MedianStopping
from service.search.scheduler import Action, RunToTheEnd, Scheduler
from service.search.schedulers import make_scheduler
from tests.service.search.driving import Drive

EPOCHS = 12
DECLARED = {
    "none": search_spaces.Scheduler("none"),
    "asha": search_spaces.Scheduler("asha", reduction_factor=2),
    "asha that stops": search_spaces.Scheduler("asha", reduction_factor=2, stops=True),
    "hyperband": search_spaces.Scheduler("hyperband", reduction_factor=2, min_epochs=2),
    "hyperband that stops": search_spaces.Scheduler("hyperband", stops=True),
    "median": search_spaces.Scheduler("median", min_epochs=2, min_trials=2),
}
every_scheduler = pytest.mark.parametrize("name", DECLARED)


def maker(name: str) -> Callable[[], Scheduler]:
    return lambda: make_scheduler(DECLARED[name], epochs=EPOCHS)


def test_the_declared_name_decides() -> None:
    found = {name: type(maker(name)()) for name in DECLARED}
    assert found == {
        "none": RunToTheEnd,
        "asha": Asha,
        "asha that stops": StoppingAsha,
        "hyperband": Hyperband,
        "hyperband that stops": Hyperband,
        "median": MedianStopping,
    }


def test_trials_that_cannot_resume_are_stopped_rather_than_paused() -> None:
    declared = search_spaces.Scheduler("asha")
    assert isinstance(make_scheduler(declared, epochs=9, can_resume=False), StoppingAsha)
    hyperband = make_scheduler(search_spaces.Scheduler("hyperband"), epochs=9, can_resume=False)
    assert hyperband.begin(0) == 9


def test_a_scheduler_that_is_not_here_is_refused() -> None:
    with pytest.raises(ValueError, match="'auto' is not a scheduler"):
        make_scheduler(search_spaces.Scheduler("auto"), epochs=9)


@every_scheduler
@given(seed=st.integers(0, 10**6), slots=st.integers(1, 5))
def test_every_search_ends_with_a_trial_that_was_fully_trained(
    name: str, seed: int, slots: int
) -> None:
    drive = Drive(maker(name), seed, trials=20, epochs=EPOCHS, slots=slots)
    drive.finish()
    assert ("continue", EPOCHS) in {(what, epoch) for what, _, epoch in drive.log}
    assert len(drive.losses) == 20
    reported = {
        epoch: {n: losses[epoch] for n, losses in drive.losses.items() if epoch in losses}
        for epoch in drive.scheduler.rungs()
    }
    for epoch, losses in drive.scheduler.rungs().items():
        assert losses.items() <= reported[epoch].items()
    assert drive.scheduler.rungs()[EPOCHS] == reported[EPOCHS]


@every_scheduler
@given(
    seed=st.integers(0, 10**6),
    crashes=st.sets(st.integers(0, 200), min_size=1, max_size=3),
)
def test_crashes_at_any_point_change_no_decision(name: str, seed: int, crashes: set[int]) -> None:
    whole = Drive(maker(name), seed, trials=20, epochs=EPOCHS)
    broken = Drive(maker(name), seed, trials=20, epochs=EPOCHS)
    for at in range(300):
        whole.step()
        if at in crashes:
            broken.crash()
        broken.step()
    whole.finish()
    broken.finish()
    assert broken.log == whole.log
    assert broken.scheduler.rungs() == whole.scheduler.rungs()


@every_scheduler
def test_a_trial_that_has_failed_is_in_no_rung(name: str) -> None:
    scheduler = maker(name)()
    for number in range(4):
        until = scheduler.begin(number)
        for epoch in range(1, until + 1):
            if scheduler.report(number, epoch, 1.0) is not Action.CONTINUE:
                break
    scheduler.remove(1)
    assert not any(1 in losses for losses in scheduler.rungs().values())
    assert any(0 in losses for losses in scheduler.rungs().values())
    while (promotion := scheduler.promote(running=())) is not None:
        assert promotion.number != 1
        scheduler.report(promotion.number, promotion.until, 1.0)
        if promotion.until == EPOCHS:
            scheduler.end(promotion.number, 1.0)
    assert scheduler.rungs()[EPOCHS]
    scheduler.remove(1)  # once more does no harm


@every_scheduler
def test_rungs_follow_what_is_reported(name: str) -> None:
    scheduler = maker(name)()
    rungs = scheduler.rungs()
    assert max(rungs) == EPOCHS
    for epoch in range(1, scheduler.begin(0) + 1):
        scheduler.report(0, epoch, 1.0)
    assert any(rungs.values())
