"""What a search is expected to train, against searches with the real schedulers."""

from __future__ import annotations

from dataclasses import replace
from statistics import mean

import pytest

from results.records import JobRecord, Progress
from results.states import JobState
from search_spaces import Budget, Scheduler
from service.search.expected import expected_epochs, expected_of
from service.search.schedulers import make_scheduler
from tests.results import fakes
from tests.service.search.driving import Drive

ASHA = Scheduler("asha")


def job(scheduler: Scheduler, *, trials: int = 27, epochs: int = 9) -> JobRecord:
    found = fakes.with_scores(*map(float, range(trials))).job
    space = replace(found.spec.space, scheduler=scheduler, epochs=epochs)
    progress = Progress(trials, 0, 0, 0, 0, trials * epochs)
    spec = replace(found.spec, space=space, trials=trials)
    return replace(found, spec=spec, state=JobState.RUNNING, progress=progress)


def test_a_third_goes_on_from_each_rung() -> None:
    assert expected_epochs(job(ASHA).spec, 27) == 27 + 9 * 2 + 3 * 6


def test_of_few_trials_one_reaches_the_last_epoch() -> None:
    assert expected_epochs(job(ASHA, trials=2, epochs=27).spec, 2) == 2 + 2 + 6 + 18


@pytest.mark.parametrize("scheduler", [Scheduler("none"), Scheduler("median")])
def test_all_is_expected_where_nothing_says_how_far_trials_go(scheduler: Scheduler) -> None:
    assert expected_epochs(job(scheduler).spec, 27) == 27 * 9


def test_trials_that_confirm_train_all_their_epochs_and_a_budget_ends_the_search() -> None:
    spec = job(ASHA).spec
    assert expected_epochs(spec, 27 + 4) == 63 + 4 * 9
    limited = replace(spec, space=replace(spec.space, budget=Budget(epochs=20)))
    assert expected_epochs(limited, 27 + 4) == 20 + 4 * 9


@pytest.mark.parametrize("name", ["asha", "hyperband"])
@pytest.mark.parametrize("stops", [False, True])
@pytest.mark.parametrize("trials", [12, 90])
@pytest.mark.parametrize("epochs", [9, 50])
def test_searches_train_about_what_is_expected(
    name: str, stops: bool, trials: int, epochs: int
) -> None:
    scheduler = Scheduler(name, stops=stops)
    trained = []
    for seed in range(8):
        drive = Drive(
            lambda: make_scheduler(scheduler, epochs=epochs), seed, trials=trials, epochs=epochs
        )
        drive.finish()
        trained.append(sum(map(len, drive.losses.values())))
    expected = expected_epochs(job(scheduler, trials=trials, epochs=epochs).spec, trials)
    assert 0.7 < expected / mean(trained) < 1.3


def test_what_is_still_to_come_is_expected_beside_what_is_done() -> None:
    one = job(ASHA)

    def at(**members: int) -> int:
        return expected_of(replace(one, progress=replace(one.progress, **members)))

    assert at() == 63
    assert at(epochs_done=60, paused=7, running=2) == 60 + 2 + 18
    assert at(epochs_done=242, paused=7, running=2) == 27 * 9
    ended = replace(one, state=JobState.CANCELLED)
    assert expected_of(ended) == one.progress.epochs_total
