"""Trials: suggested, started, finished, and the progress and best of their job."""

from __future__ import annotations

from dataclasses import replace

import pytest

from results.errors import (
    IllegalMove,
    JobNotFound,
    TrialNotFound,
)
from results.records import Failure, NewTrial, Progress
from results.states import FailureKind, JobState, TrialState
from results.store import Store
from tests.results.store.samples import accept, claim, report, started


def test_a_trial_runs_from_start_to_finish(store: Store) -> None:
    lease = started(store)
    running = store.trial(lease.job_id, 0)
    assert (running.state, running.attempt, running.node) == (TrialState.RUNNING, 1, "node-1")
    assert running.started_at is not None
    assert running.finished_at is None
    store.write_reports(lease, [report(0, 1, 0.25, train_loss=2.0), report(0, 2, 0.5)])
    failure = Failure(FailureKind.OUT_OF_MEMORY, "no memory", None)
    store.finish_trial(lease, 0, TrialState.FAILED, failure)
    done = store.trial(lease.job_id, 0)
    last = {"validation_accuracy": 0.5, "train_loss": 2.0}
    assert (done.state, done.error) == (TrialState.FAILED, failure)
    assert (done.metrics, done.epochs, done.seconds) == (last, 2, 2.0)
    assert done.finished_at is not None
    assert done.finished_at >= running.started_at
    assert store.trials(lease.job_id) == (done,)


def test_a_finished_trial_stays_as_it_is(store: Store) -> None:
    lease = started(store)
    store.write_reports(lease, [report(0, 1, 0.25)])
    store.finish_trial(lease, 0, TrialState.SUCCEEDED)
    done, curve = store.trial(lease.job_id, 0), store.curve(lease.job_id, 0)
    store.finish_trial(lease, 0, TrialState.FAILED, Failure(FailureKind.DIVERGED, "nan"))
    assert store.write_reports(lease, [report(0, 2, 0.75)]) == 0
    with pytest.raises(IllegalMove, match="has succeeded"):
        store.start_trial(lease, 0, node=None)
    assert (store.trial(lease.job_id, 0), store.curve(lease.job_id, 0)) == (done, curve)


@pytest.mark.parametrize("state", [TrialState.QUEUED, TrialState.RUNNING])
def test_a_trial_finishes_in_a_finished_state(store: Store, state: TrialState) -> None:
    lease = started(store)
    with pytest.raises(ValueError, match="state"):
        store.finish_trial(lease, 0, state)


def test_a_sampler_adds_trials(store: Store) -> None:
    job = accept(store, 0)
    lease = claim(store)
    new = NewTrial(0, {"learning_rate": 0.01, "layers": 2}, 7)
    store.add_trial(lease, new)
    store.add_trial(lease, new)
    (trial,) = store.trials(job.id)
    assert (trial.parameters, trial.seed, trial.attempt) == (new.parameters, 7, 0)
    assert trial.state is TrialState.QUEUED
    for other in (NewTrial(0, {"learning_rate": 0.02}, 7), NewTrial(0, new.parameters, 8)):
        with pytest.raises(ValueError, match="new number"):
            store.add_trial(lease, other)
    assert store.trials(job.id) == (trial,)


@pytest.mark.parametrize("number", [1, -1, 2**31])
def test_an_unknown_trial_is_refused(store: Store, number: int) -> None:
    lease = started(store)
    with pytest.raises(TrialNotFound):
        store.start_trial(lease, number, node=None)
    with pytest.raises(TrialNotFound):
        store.finish_trial(lease, number, TrialState.FAILED)


@pytest.mark.parametrize("number", [2, -1, 2**31, 10**30])
def test_an_unknown_trial_is_not_found(store: Store, number: int) -> None:
    job = accept(store)
    for ask in (store.trial, store.curve):
        with pytest.raises(TrialNotFound):
            ask(job.id, number)


def test_a_trial_whose_process_is_lost_is_queued_again(store: Store) -> None:
    lease = started(store, 2)
    store.write_reports(lease, [report(0, 1, 0.5)])
    store.requeue_trial(lease, 0)
    store.requeue_trial(lease, 0)
    lost = store.trial(lease.job_id, 0)
    assert (lost.state, lost.attempt, lost.epochs, lost.node) == (TrialState.QUEUED, 1, 1, None)
    assert store.job(lease.job_id).progress == Progress(2, 0, 0, 1, 1, 6)
    assert store.start_trial(lease, 0, node="node-2") == 2
    assert store.job(lease.job_id).progress == Progress(2, 0, 0, 2, 0, 6)
    store.finish_trial(lease, 1, TrialState.SUCCEEDED)
    done = store.trial(lease.job_id, 1)
    store.requeue_trial(lease, 1)
    assert store.trial(lease.job_id, 1) == done


def test_a_success_without_the_objective_is_never_the_best(store: Store) -> None:
    lease = started(store, 2)
    store.write_reports(lease, [replace(report(0, 1, 0.5), metrics={"train_loss": 0.1})])
    store.finish_trial(lease, 0, TrialState.SUCCEEDED)
    assert store.job(lease.job_id).best is None
    store.write_reports(lease, [report(1, 1, 0.25)])
    store.finish_trial(lease, 1, TrialState.SUCCEEDED)
    best = store.job(lease.job_id).best
    assert best is not None
    assert (best.trial, best.value) == (1, 0.25)


def test_the_best_stays_while_failed_trials_run_again(store: Store) -> None:
    lease = started(store, 2)
    for number, state in enumerate((TrialState.SUCCEEDED, TrialState.FAILED)):
        store.write_reports(lease, [report(number, 1, 0.5)])
        store.finish_trial(lease, number, state)
    store.finish_job(lease, JobState.SUCCEEDED)
    best = store.job(lease.job_id).best
    assert store.retry_failed(lease.job_id).best == best
    assert store.job(lease.job_id).progress == Progress(2, 1, 0, 0, 2, 6)
    lease = claim(store)
    store.start_trial(lease, 1, node=None)
    store.write_reports(lease, [report(1, 1, 0.75, attempt=2)])
    assert store.job(lease.job_id).best == best
    store.finish_trial(lease, 1, TrialState.SUCCEEDED)
    again = store.job(lease.job_id).best
    assert again is not None
    assert (again.trial, again.value) == (1, 0.75)


@pytest.mark.parametrize(("mode", "best"), [("max", 1), ("min", 2)])
def test_the_best_trial_has_the_best_last_value_and_lowest_number(
    store: Store, mode: str, best: int
) -> None:
    job = accept(store, 7, mode=mode)
    lease = claim(store)
    last = {0: 0.5, 1: 0.9, 2: 0.1, 3: 0.1, 4: 0.9, 5: 0.99 if mode == "max" else 0.01}
    for number, value in last.items():
        store.start_trial(lease, number, node=None)
        store.write_reports(
            lease, [report(number, 1, 1 - value), report(number, 2, value, test_accuracy=0.3)]
        )
        # The best of all has failed, so it is not the best; trial 6 reports nothing.
        state = TrialState.FAILED if number == 5 else TrialState.SUCCEEDED
        store.finish_trial(lease, number, state)
    store.finish_trial(lease, 6, TrialState.SUCCEEDED)
    found = store.job(job.id)
    assert found.best is not None
    assert (found.best.trial, found.best.value) == (best, last[best])
    assert found.best.metric == "validation_accuracy"
    assert found.best.metrics == {"validation_accuracy": last[best], "test_accuracy": 0.3}
    assert found.best.parameters == {"learning_rate": 0.1}
    assert found.progress == Progress(7, 7, 1, 0, 12, 21)
    assert store.jobs().items == (found,)


def test_progress_and_best_of_one_job_are_not_those_of_another(store: Store) -> None:
    first, second = accept(store, 1), accept(store, 1)
    lease = claim(store)
    store.start_trial(lease, 0, node=None)
    store.write_reports(lease, [report(0, 1, 0.5)])
    assert store.job(first.id).progress == Progress(1, 0, 0, 1, 1, 3)
    store.finish_trial(lease, 0, TrialState.SUCCEEDED)
    by_id = {job.id: job for job in store.jobs().items}
    assert by_id[first.id].best is not None
    assert by_id[second.id].best is None
    assert by_id[second.id].progress == Progress(1, 0, 0, 0, 0, 3)


def test_a_failure_is_kept_whatever_its_text(store: Store) -> None:
    job = accept(store, 1)
    lease = claim(store)
    store.finish_job(lease, JobState.FAILED, Failure(FailureKind.USER_ERROR, "a\x00b\ud800é", None))
    error = store.job(job.id).error
    assert error == Failure(FailureKind.USER_ERROR, r"a\u0000b\ud800é", None)


def test_the_trials_that_move_are_those_that_run_and_those_that_are_named(store: Store) -> None:
    job = accept(store, 5)
    lease = claim(store)
    for number in (1, 2, 3):
        store.start_trial(lease, number, node=None)
    store.finish_trial(lease, 2, TrialState.STOPPED)
    store.finish_trial(lease, 3, TrialState.STOPPED)
    moving = store.moving_trials(job.id, {3, 4, 99})
    assert [trial.number for trial in moving] == [1, 3, 4]
    assert moving[0] == store.trial(job.id, 1)
    assert [trial.number for trial in store.moving_trials(job.id, [])] == [1]
    with pytest.raises(JobNotFound):
        store.moving_trials("0" * 16, [])
