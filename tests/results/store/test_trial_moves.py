"""Moves of trials in one transaction: what a resumed attempt has, checkpoints, and the batch."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from results.errors import IllegalMove, LeaseLost, TrialNotFound
from results.records import Checkpoint, EpochReport, Failure, Lease, NewTrial
from results.states import FailureKind, JobState, Purpose, TrialState
from results.store import Store
from results.store.batch import (
    AddCheckpoint,
    AddTrial,
    FinishTrial,
    Move,
    PauseTrial,
    PlanTrials,
    Reports,
    RequeueTrial,
    StartTrial,
)
from search_spaces import Scheduler
from tests.results.store.samples import SPACE, SPEC, accept, claim, report, started

METRIC = "validation_accuracy"


def checkpoint(epoch: int, trial: int = 0, name: str = "") -> Checkpoint:
    name = name or f"jobs/a/{trial}/s-{epoch}.npz"
    return Checkpoint(trial, epoch, float(epoch), name, 2**40, "0" * 64)


def current(trial: int, epoch: int, value: float) -> EpochReport:
    """A report of the trial's current attempt, whatever that is."""
    return EpochReport(trial, 0, epoch, {METRIC: value}, float(epoch))


def test_many_moves_are_one_transaction_in_order(store: Store) -> None:
    job = accept(store, 1)
    lease = claim(store)
    starts = store.write(
        lease,
        [
            StartTrial(0, "node-a"),
            Reports([current(0, 1, 0.25), current(0, 2, 0.5)]),
            AddCheckpoint(checkpoint(2)),
            RequeueTrial(0, "worker_lost"),
            StartTrial(0, "node-b"),
            Reports([current(0, 1, 0.125)]),
            FinishTrial(0, TrialState.SUCCEEDED),
        ],
    )
    assert starts == {0: 2}
    trial = store.trial(job.id, 0)
    assert (trial.state, trial.attempt, trial.node) == (TrialState.SUCCEEDED, 2, "node-b")
    assert (trial.metrics, trial.epochs, trial.checkpoint) == ({METRIC: 0.125}, 1, 2)
    found = store.job(job.id)
    assert (found.progress.finished, found.progress.epochs_done) == (1, 1)
    assert found.best is not None
    assert found.best.value == 0.125


@pytest.mark.parametrize(
    "bad",
    [
        StartTrial(7, None),
        Reports([EpochReport(0, 2, 1, {METRIC: 1.0}, 0.0)]),
        Reports([current(1, 1, 1.0)]),
        AddCheckpoint(checkpoint(1, trial=7)),
        AddTrial(NewTrial(0, {"learning_rate": 7}, 42)),
        AddTrial(NewTrial(0, {"learning_rate": 0.1}, 42, Purpose.CONFIRM)),
        AddTrial(NewTrial(1, {"learning_rate": 0.1}, 42, configuration=2)),
        PauseTrial(7),
        PlanTrials(0),
        PlanTrials(2, at_once=0),
        PlanTrials(2, "a budget of\x00"),
        StartTrial(0, None, resumed_from=5),
    ],
)
def test_a_batch_with_a_move_that_cannot_be_leaves_nothing(store: Store, bad: object) -> None:
    lease = started(store)
    before = store.trials(lease.job_id), store.job(lease.job_id), store.last_event()
    with pytest.raises((TrialNotFound, ValueError)):
        store.write(lease, [Reports([current(0, 1, 0.5)]), bad])  # type: ignore[list-item]
    assert (store.trials(lease.job_id), store.job(lease.job_id), store.last_event()) == before


def test_a_stale_lease_writes_no_batch(store: Store) -> None:
    lease = started(store)
    store.release_job(lease, lost=True)
    claim(store)
    with pytest.raises(LeaseLost):
        store.write(lease, [FinishTrial(0, TrialState.SUCCEEDED)])
    assert store.trial(lease.job_id, 0).state is TrialState.QUEUED


def test_a_trial_that_has_to_train_nothing_again_goes_on_in_its_attempt(store: Store) -> None:
    lease = started(store)
    store.write_reports(lease, [report(0, 1, 0.25), report(0, 2, 0.5)])
    before = store.trial(lease.job_id, 0)
    store.requeue_trial(lease, 0, detail="goes on after epoch 2")
    assert store.start_trial(lease, 0, node="node-2", resumed_from=2) == 1
    after = store.trial(lease.job_id, 0)
    assert (after.epochs, after.metrics, after.seconds) == (2, before.metrics, before.seconds)
    assert (after.started_at, after.resumed_from) == (before.started_at, 2)
    store.write_reports(lease, [report(0, 3, 0.75)])
    assert store.curve(lease.job_id, 0).reported(METRIC) == (0.25, 0.5, 0.75)
    assert store.job(lease.job_id).progress.epochs_done == 3


def test_a_retry_is_a_new_attempt_also_where_it_trains_nothing_again(store: Store) -> None:
    lease = started(store)
    store.write_reports(lease, [report(0, 1, 0.25)])
    retry = StartTrial(0, None, resumed_from=1, is_retry=True)
    assert store.write(lease, [RequeueTrial(0, "user_error"), retry]) == {0: 2}
    trial = store.trial(lease.job_id, 0)
    assert (trial.epochs, trial.resumed_from, trial.metrics) == (1, 1, {METRIC: 0.25})
    assert store.curve(lease.job_id, 0).reported(METRIC) == (0.25,)


def test_a_new_attempt_has_the_reports_up_to_its_checkpoint(store: Store) -> None:
    lease = started(store)
    store.write_reports(
        lease, [report(0, 1, 0.25, train_loss=2.0), report(0, 2, 0.5), report(0, 3, 0.75)]
    )
    assert store.start_trial(lease, 0, node=None, resumed_from=2) == 2
    trial = store.trial(lease.job_id, 0)
    assert (trial.epochs, trial.seconds, trial.resumed_from) == (2, 2.0, 2)
    assert trial.metrics == {METRIC: 0.5, "train_loss": 2.0}
    assert store.job(lease.job_id).progress.epochs_done == 2
    store.write(lease, [Reports([current(0, 3, 0.875)])])
    assert store.curve(lease.job_id, 0).reported(METRIC) == (0.25, 0.5, 0.875)
    # A later attempt may go on from an older checkpoint, or one of a former attempt.
    assert store.start_trial(lease, 0, node=None, resumed_from=1) == 3
    assert store.curve(lease.job_id, 0).reported(METRIC) == (0.25,)
    assert store.start_trial(lease, 0, node=None, resumed_from=3) == 4
    assert store.curve(lease.job_id, 0).reported(METRIC) == (0.25, 0.5, 0.875)
    assert store.start_trial(lease, 0, node=None) == 5
    assert store.trial(lease.job_id, 0).resumed_from == 0
    assert store.job(lease.job_id).progress.epochs_done == 0


def test_a_trial_cannot_go_on_after_an_epoch_that_was_not_reported(store: Store) -> None:
    lease = started(store)
    store.write_reports(lease, [report(0, 2, 0.5)])
    with pytest.raises(ValueError, match="cannot go on after epoch 2: 1 of those epochs were"):
        store.start_trial(lease, 0, node=None, resumed_from=2)
    with pytest.raises(ValueError, match="cannot go on after epoch 3: 0 of those epochs were"):
        store.start_trial(lease, 0, node=None, resumed_from=3)
    store.finish_trial(lease, 0, TrialState.SUCCEEDED)
    with pytest.raises(IllegalMove, match="has succeeded"):
        store.start_trial(lease, 0, node=None, resumed_from=2)


def test_checkpoints_are_known_until_they_are_dropped(store: Store) -> None:
    job = accept(store, 2)
    lease = claim(store)
    for new in (checkpoint(1), checkpoint(3), checkpoint(2, trial=1)):
        store.add_checkpoint(lease, new)
    store.add_checkpoint(lease, checkpoint(3))
    assert store.checkpoints(job.id) == (checkpoint(3), checkpoint(1), checkpoint(2, trial=1))
    store.drop_checkpoints(job.id, [checkpoint(3).name, "unknown"])
    assert [trial.checkpoint for trial in store.trials(job.id)] == [1, 2]
    store.drop_checkpoints(job.id, [checkpoint(1).name, checkpoint(2, trial=1).name])
    assert store.checkpoints(job.id) == ()
    assert [trial.checkpoint for trial in store.trials(job.id)] == [0, 0]


def test_a_paused_trial_waits_and_goes_on_in_its_attempt(store: Store) -> None:
    lease = started(store, 2)
    store.write_reports(lease, [report(0, 1, 0.25), report(1, 1, 0.5)])
    store.write(lease, [PauseTrial(0), PauseTrial(1), PauseTrial(1)])
    progress = store.job(lease.job_id).progress
    assert (progress.paused, progress.running, progress.finished) == (2, 0, 0)
    assert [trial.state for trial in store.trials(lease.job_id)] == [TrialState.PAUSED] * 2
    store.requeue_trial(lease, 0)
    assert store.start_trial(lease, 0, node="node-2", resumed_from=1) == 1
    progress = store.job(lease.job_id).progress
    assert (progress.paused, progress.running, progress.epochs_done) == (1, 1, 2)
    store.write_reports(lease, [report(0, 2, 0.75)])
    assert store.curve(lease.job_id, 0).reported(METRIC) == (0.25, 0.75)
    store.release_job(lease, lost=True)
    again = claim(store)
    assert [t.state.value for t in store.trials(lease.job_id)] == ["queued", "paused"]
    assert store.job(again.job_id).progress.paused == 1


@pytest.mark.parametrize(
    "before", [[], [StartTrial(0, None)], [StartTrial(0, None), PauseTrial(0)]]
)
def test_a_trial_is_stopped_wherever_it_is(store: Store, before: list[Move]) -> None:
    job, ended_before = accept(store, 1), ends(store)
    lease = claim(store)
    store.write(lease, [*before, FinishTrial(0, TrialState.STOPPED, detail="budget")])
    trial, found = store.trial(job.id, 0), store.job(job.id)
    assert trial.state is TrialState.STOPPED
    assert trial.finished_at is not None
    counts = found.progress
    assert (counts.finished, counts.stopped, counts.failed) == (1, 1, 0)
    assert (counts.running, counts.paused, found.best) == (0, 0, None)
    assert store.events(job_id=job.id)[-1].detail == "budget"
    assert ends(store) - ended_before == Counter({TrialState.STOPPED: 1})
    with pytest.raises(IllegalMove, match="has stopped"):
        store.start_trial(lease, 0, node=None)


def ends(store: Store) -> Counter[TrialState]:
    """How often trials ended without a failure; the counts of former tests are among them."""
    return Counter({end.state: end.trials for end in store.trial_outcomes() if end.kind is None})


def test_paused_trials_are_stopped_with_a_job_that_succeeds(store: Store) -> None:
    ended_before = ends(store)
    for state, ended in (
        (JobState.SUCCEEDED, ["stopped", "cancelled"]),
        (JobState.FAILED, ["cancelled", "cancelled"]),
    ):
        lease = started(store, 2)
        store.write(lease, [PauseTrial(0)])
        store.finish_job(lease, state)
        job = store.job(lease.job_id)
        assert [trial.state.value for trial in store.trials(job.id)] == ended
        assert job.progress.stopped == ended.count("stopped")
        assert (job.progress.finished, job.progress.paused) == (2, 0)
    assert ends(store) - ended_before == {TrialState.STOPPED: 1, TrialState.CANCELLED: 3}


def test_the_number_of_trials_follows_the_search(store: Store) -> None:
    lease = started(store, 2)
    store.write(lease, [PlanTrials(7)])
    assert (store.job(lease.job_id).progress.trials, store.job(lease.job_id).ended_by) == (7, "")
    store.plan_trials(lease, 2, ended_by="it has trained 20 epochs")
    store.plan_trials(lease, 3)
    job = store.job(lease.job_id)
    assert (job.progress.trials, job.ended_by) == (3, "it has trained 20 epochs")
    with pytest.raises(ValueError, match="total must be an integer from 2"):
        store.plan_trials(lease, 1)
    store.finish_job(lease, JobState.SUCCEEDED)
    assert store.job(lease.job_id).ended_by == "it has trained 20 epochs"


def test_trials_of_one_configuration_and_what_they_are_for(store: Store) -> None:
    lease = started(store, 1)
    again = NewTrial(1, {"learning_rate": 0.1}, 43, Purpose.CONFIRM, configuration=0)
    store.write(lease, [PlanTrials(2), AddTrial(again), AddTrial(again)])
    first, second = store.trials(lease.job_id)
    assert (first.purpose, first.configuration) == (Purpose.SEARCH, 0)
    assert (second.purpose, second.configuration, second.seed) == (Purpose.CONFIRM, 0, 43)


def test_a_trial_keeps_the_size_of_its_newest_checkpoint(store: Store) -> None:
    lease = started(store)
    assert store.trial(lease.job_id, 0).model_bytes == 0
    store.add_checkpoint(lease, checkpoint(1))
    store.drop_checkpoints(lease.job_id, [checkpoint(1).name])
    assert store.trial(lease.job_id, 0).model_bytes == 2**40


def test_each_change_of_a_trial_is_an_event(store: Store) -> None:
    job = accept(store, 1)
    lease = claim(store)
    before = store.last_event()
    store.start_trial(lease, 0, node=None)
    store.write_reports(lease, [report(0, 1, 0.5)])
    store.requeue_trial(lease, 0, detail=FailureKind.WORKER_LOST)
    store.start_trial(lease, 0, node=None, resumed_from=1)
    store.pause_trial(lease, 0)
    store.start_trial(lease, 0, node=None, resumed_from=1)
    store.finish_trial(lease, 0, TrialState.SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    found = store.events(after=before, job_id=job.id)
    assert [(e.trial, e.state, e.attempt, e.detail) for e in found] == [
        (0, "running", 1, ""),
        (0, "queued", 1, "worker_lost"),
        (0, "running", 1, "goes on after epoch 1"),
        (0, "paused", 1, "waits after epoch 1"),
        (0, "running", 1, "goes on after epoch 1"),
        (0, "succeeded", 1, ""),
        (None, "succeeded", None, ""),
    ]


def population(store: Store) -> tuple[Lease, str]:
    """Return a job whose trial 0 has paused after epoch 2, and a copy of it, trial 1."""
    scheduler = Scheduler("pbt", population=2, perturb=("learning_rate",))
    spec = replace(SPEC, space=replace(SPACE, scheduler=scheduler))
    job = store.create_job(spec, fingerprint="f", trials=[])
    lease = claim(store)
    store.write(lease, [
        AddTrial(NewTrial(0, {"learning_rate": 0.1}, 42)),
        StartTrial(0, "here"), Reports([current(0, e, 0.1 * e) for e in (1, 2)]),
        AddCheckpoint(checkpoint(2)), PauseTrial(0),
        AddTrial(NewTrial(1, {"learning_rate": 0.12}, 42, parent=0, start_epoch=2)),
    ])  # fmt: skip
    return lease, job.id


def test_a_copy_begins_after_its_start_epoch_and_counts_what_it_trains_itself(store: Store) -> None:
    lease, job_id = population(store)
    copy = store.trial(job_id, 1)
    assert (copy.parent, copy.start_epoch, copy.epochs, copy.trained) == (0, 2, 2, 0)
    assert store.curve(job_id, 1).epochs == ()
    assert [curve.trial for curve in store.curves(job_id)] == [0]
    with pytest.raises(ValueError, match="resumed_from must be an integer from 2"):
        store.start_trial(lease, 1, node="here")
    store.write(lease, [StartTrial(1, "here", 2), Reports([current(1, 3, 0.5)])])
    assert store.curve(job_id, 1).epochs == (3,)
    assert store.job(job_id).progress.epochs_done == 3
    assert store.trial(job_id, 1).attempt == 1
    # Lost before a checkpoint of its own: it begins again from its parent's state.
    store.write(lease, [RequeueTrial(1, "lost"), StartTrial(1, "there", 2, is_retry=True)])
    again = store.trial(job_id, 1)
    assert (again.attempt, again.epochs, again.trained) == (2, 2, 0)
    assert store.job(job_id).progress.epochs_done == 2
    store.write(lease, [Reports([current(1, 3, 0.6)]), FinishTrial(1, TrialState.SUCCEEDED)])
    assert store.curve(job_id, 1).metrics == {METRIC: (0.6,)}
    assert store.job(job_id).best is not None


def test_a_copy_has_an_earlier_parent_and_stays_the_copy_of_it(store: Store) -> None:
    lease, job_id = population(store)
    same = NewTrial(1, {"learning_rate": 0.12}, 42, parent=0, start_epoch=2)
    store.add_trial(lease, same)
    for wrong in (replace(same, start_epoch=1), replace(same, parent=None, start_epoch=0)):
        with pytest.raises(ValueError, match="another configuration, seed, purpose or parent"):
            store.add_trial(lease, wrong)
    for number, parent, epoch in ((2, 2, 2), (2, 0, 0), (2, None, 2)):
        with pytest.raises(ValueError, match="trial 2"):
            store.add_trial(lease, NewTrial(number, {}, 1, parent=parent, start_epoch=epoch))
    details = [event.detail for event in store.events(after=0, job_id=job_id) if event.trial == 1]
    assert details == ["from trial 0 after epoch 2"]


def test_a_population_trains_as_many_epochs_as_its_places_have(store: Store) -> None:
    _, job_id = population(store)
    progress = store.job(job_id).progress
    assert (progress.trials, progress.epochs_total) == (3, 6)


def test_of_a_population_only_what_never_finished_runs_again(store: Store) -> None:
    lease, job_id = population(store)
    lost = Failure(FailureKind.DIVERGED, "nan")
    store.write(lease, [StartTrial(1, "here", 2), FinishTrial(1, TrialState.FAILED, lost)])
    store.finish_job(lease, JobState.FAILED)
    assert store.trial(job_id, 0).state is TrialState.CANCELLED
    job = store.retry_failed(job_id)
    assert (job.state, job.progress.failed, job.progress.finished) == (JobState.QUEUED, 1, 1)
    assert store.trial(job_id, 0).state is TrialState.QUEUED
    assert store.trial(job_id, 1).state is TrialState.FAILED
    lease = claim(store)
    store.write(lease, [StartTrial(0, "here", 2), FinishTrial(0, TrialState.SUCCEEDED)])
    store.finish_job(lease, JobState.SUCCEEDED)
    with pytest.raises(IllegalMove, match="only failed trials that others have replaced"):
        store.retry_failed(job_id)
    assert store.job(job_id).state is JobState.SUCCEEDED
