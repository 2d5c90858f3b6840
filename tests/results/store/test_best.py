"""The best configuration on a job's row follows repeats, constraints and several objectives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from results.ranking import rank
from results.records import BestTrial, Checkpoint, Lease, NewTrial
from results.states import JobState, TrialState
from results.store import Store
from search_spaces import Constraint, Objective
from tests.results.store.samples import SPACE, SPEC, change, claim, report


def running(store: Store, trials: int, **members: Any) -> Lease:
    """Claim a job of so many running trials, whose configurations come one after another."""
    repeats = members.get("repeats", 1)
    space = replace(SPACE, trials=trials // repeats, **members)
    store.create_job(
        replace(SPEC, trials=trials, space=space),
        fingerprint="fingerprint",
        trials=[
            NewTrial(n, {"learning_rate": 0.1}, 42 + n, configuration=n - n % repeats)
            for n in range(trials)
        ],
    )
    lease = claim(store)
    for number in range(trials):
        store.start_trial(lease, number, node=None)
    return lease


def finish(store: Store, lease: Lease, number: int, value: float, seconds: float = 1.0) -> None:
    store.write_reports(lease, [replace(report(number, 1, value), seconds=seconds)])
    store.finish_trial(lease, number, TrialState.SUCCEEDED)


def best_of(store: Store, lease: Lease) -> BestTrial | None:
    """The best on the job's row; it is the one of the ranking."""
    job = store.job(lease.job_id)
    order = rank(store.trials(job.id), job.spec.space).configurations
    assert (None if job.best is None else job.best.trial) == (
        order[0].trial.number if order else None
    )
    return job.best


def test_the_mean_of_repeats_decides_once_all_have_succeeded(store: Store) -> None:
    lease = running(store, 6, repeats=2)
    finish(store, lease, 0, 0.5)
    assert best_of(store, lease) is None
    finish(store, lease, 1, 1.0)
    finish(store, lease, 2, 0.9)
    best = best_of(store, lease)
    assert best is not None
    assert (best.trial, best.value, best.n, best.metrics) == (
        0, 0.75, 2, {"validation_accuracy": 0.75},
    )  # fmt: skip
    assert round(best.standard_deviation or 0, 4) == 0.3536
    finish(store, lease, 3, 0.8)
    store.finish_trial(lease, 4, TrialState.STOPPED)
    finish(store, lease, 5, 1.0)
    best = best_of(store, lease)
    assert best is not None
    assert (best.trial, round(best.value, 4)) == (2, 0.85)
    store.finish_job(lease, JobState.SUCCEEDED)
    assert store.job(lease.job_id).best == best


def test_a_configuration_that_breaks_a_constraint_is_not_the_best(store: Store) -> None:
    lease = running(store, 3, constraints=(Constraint("model_bytes", at_most=100),))
    for number, size in enumerate([100, 101, 50]):
        checkpoint = Checkpoint(number, 1, 1.0, f"{number}", size, "0" * 64)
        store.add_checkpoint(lease, checkpoint)
    finish(store, lease, 1, 0.9)
    assert best_of(store, lease) is None
    finish(store, lease, 0, 0.5)
    finish(store, lease, 2, 0.25)
    best = best_of(store, lease)
    assert best is not None
    assert (best.trial, best.value) == (0, 0.5)


def test_of_several_objectives_the_first_decides_and_then_the_others(store: Store) -> None:
    lease = running(store, 3, secondary=(Objective("seconds", "min"),))
    for number, seconds in enumerate([3.0, 1.0, 2.0]):
        finish(store, lease, number, 0.5, seconds)
    best = best_of(store, lease)
    assert best is not None
    assert best.trial == 1


def test_the_best_of_a_former_version_is_compared_with(store: Store) -> None:
    lease = running(store, 2)
    finish(store, lease, 0, 0.5)
    former = '{"trial": 0, "parameters": {}, "metrics": {"validation_accuracy": 0.5}}'
    change(store, f"UPDATE jobs SET best = '{former}'")
    best = best_of(store, lease)
    assert best is not None
    assert (best.value, best.n, best.standard_deviation) == (0.5, 1, None)
    finish(store, lease, 1, 0.25)
    assert store.job(lease.job_id).best == best
