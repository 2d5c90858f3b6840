"""Simulated searches: what trains when, and that the search decides as in the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import pytest

import search_spaces
from results.records import TrialRecord
from results.spec import JobSpec
from results.states import TrialState
from search_spaces import SearchSpace
from service.search.budget import BudgetTracker
from service.search.schedulers import make_scheduler
from service.search.search import Search, Step
from service.search.simulation import Outcome, Report, simulate

EPOCHS = 9


class Table:
    """Trial n loses n + 1 / epoch; its epochs take n + 1 seconds; those in ``failing`` fail."""

    def __init__(self, failing: Mapping[int, int] | None = None) -> None:
        self.failing = failing or {}

    def metrics(self, trial: Step, epoch: int) -> Mapping[str, float] | None:
        if epoch >= self.failing.get(trial.number, 100):
            return None
        return {"loss": trial.number + 1 / epoch}

    def seconds(self, trial: Step, epoch: int) -> float:
        return epoch * (trial.number + 1.0)


def search(trials: int, scheduler: search_spaces.Scheduler) -> Search:
    space = SearchSpace.from_json({
        "name": "steps", "trainable": "test_steps", "dataset": "ames", "epochs": EPOCHS,
        "metric": "loss", "mode": "min", "strategy": "grid",
        "parameters": {"x": {"values": list(range(trials))}},
    })  # fmt: skip
    space = replace(space, scheduler=scheduler)
    spec = JobSpec(name="steps", space=space, trials=trials, seed=1)
    records = [TrialRecord(n, TrialState.QUEUED, {"x": n}, 1) for n in range(trials)]
    return Search(
        spec, records, {}, scheduler=make_scheduler(scheduler, epochs=EPOCHS), sampler=None,
        budget=BudgetTracker(space, lambda: 0.0),
    )  # fmt: skip


def run(
    trials: int,
    name: str = "none",
    *,
    workers: int = 1,
    table: Table | None = None,
    seconds: float = 1e9,
    reports: list[Report] | None = None,
) -> Outcome:
    found = search(trials, search_spaces.Scheduler(name))
    take = ([] if reports is None else reports).append
    return simulate(
        found, table or Table(), epochs=EPOCHS, workers=workers, seconds=seconds, on_report=take
    )


def test_trials_follow_each_other_on_the_workers() -> None:
    # Trials of 9, 18 and 27 s on two workers: the third begins when the first ends.
    outcome = run(3, workers=2)
    assert outcome.seconds == 9 + 27
    assert outcome.epochs == {0: 9, 1: 9, 2: 9}
    assert outcome.all_epochs == 27
    assert outcome.ended(TrialState.SUCCEEDED) == [0, 1, 2]


def test_promotion_by_hand() -> None:
    reports: list[Report] = []
    outcome = run(3, "asha", reports=reports)
    # One epoch each, 1 + 2 + 3 s; then trial 0 goes on to epoch 3 and, as nothing else is left,
    # to the end: 8 s more.
    assert outcome.epochs == {0: 9, 1: 1, 2: 1}
    assert outcome.seconds == 14
    assert outcome.states == {
        0: TrialState.SUCCEEDED,
        1: TrialState.PAUSED,
        2: TrialState.PAUSED,
    }
    assert [(r.at, r.trial.number, r.epoch) for r in reports[:5]] == [
        (1, 0, 1),
        (3, 1, 1),
        (6, 2, 1),
        (7, 0, 2),
        (8, 0, 3),
    ]
    assert reports[4].metrics == {"loss": 1 / 3}


def test_reports_come_in_the_order_of_time() -> None:
    reports: list[Report] = []
    outcome = run(30, "asha", workers=4, reports=reports)
    assert all(one.at <= other.at for one, other in pairwise(reports))
    assert outcome.ended(TrialState.SUCCEEDED)[0] == 0
    assert outcome.all_epochs == len(reports) < 30 * EPOCHS / 3


def test_trials_that_are_stopped_end() -> None:
    reports: list[Report] = []
    found = search(20, search_spaces.Scheduler("asha", stops=True))
    outcome = simulate(found, Table(), epochs=EPOCHS, workers=2, on_report=reports.append)
    assert len(outcome.ended(TrialState.STOPPED)) > 10
    assert not outcome.ended(TrialState.PAUSED)


def test_a_trial_that_fails_ends_and_is_not_promoted() -> None:
    outcome = run(4, "asha", table=Table({0: 2, 1: 1}))
    assert outcome.ended(TrialState.FAILED) == [0, 1]
    assert outcome.epochs == {0: 1, 1: 0, 2: 9, 3: 1}


def test_time_ends_the_simulation() -> None:
    outcome = run(3, seconds=9.5)
    assert outcome.seconds == 9
    assert outcome.epochs == {0: 9, 1: 0}


def test_a_simulation_needs_a_worker() -> None:
    with pytest.raises(ValueError, match="at least 1 worker, got 0"):
        run(3, workers=0)
