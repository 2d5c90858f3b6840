"""Jobs that go on to more trials or epochs after they have finished."""

from __future__ import annotations

from dataclasses import replace

import pytest

from results.errors import IllegalMove, JobNotFound
from results.records import Checkpoint, DriverProcess, Failure, JobRecord, Lease, NewTrial
from results.states import FailureKind, JobState, Purpose, TrialState
from results.store import Store
from search_spaces import SearchSpaceError
from tests.results.store.samples import (
    SPACE,
    SPEC,
    UNKNOWN_IDS,
    accept,
    change,
    claim,
    report,
)

EPOCHS = SPACE.epochs
SUCCEEDED, FAILED, CANCELLED = TrialState.SUCCEEDED, TrialState.FAILED, TrialState.CANCELLED
QUEUED, STOPPED = TrialState.QUEUED, TrialState.STOPPED


def train(
    store: Store, lease: Lease, number: int, *accuracies: float, attempt: int = 1, first: int = 1
) -> None:
    """Report these accuracies in a trial that has started."""
    reports = [report(number, e, a, attempt=attempt) for e, a in enumerate(accuracies, first)]
    store.write_reports(lease, reports)


def rested(store: Store, job: JobRecord) -> float:
    return sum(rest.seconds() for rest in store.rests(job.id))


def keep_model(store: Store, lease: Lease, number: int, epoch: int) -> Checkpoint:
    kept = Checkpoint(number, epoch, 1.0, f"{number}/{epoch}.npz", 100, "0" * 64)
    store.add_checkpoint(lease, kept)
    return kept


def finished(store: Store, *, state: JobState = JobState.SUCCEEDED) -> JobRecord:
    """Return a job of three trials: the best, which has a model, another, and a failed one."""
    accept(store, 3)
    lease = claim(store)
    store.set_driver(lease, DriverProcess("here", 7, 1.0))
    for number, last in enumerate((0.5, 0.9)):
        store.start_trial(lease, number, node="node-1")
        train(store, lease, number, 0.1, 0.2, last)
        if number == 1:
            keep_model(store, lease, number, EPOCHS)
        store.finish_trial(lease, number, SUCCEEDED)
    store.start_trial(lease, 2, node="node-1")
    store.finish_trial(lease, 2, FAILED, Failure(FailureKind.USER_ERROR, "it broke"))
    store.finish_job(lease, state)
    return store.job(lease.job_id)


def states(store: Store, job_id: str) -> list[TrialState]:
    return [trial.state for trial in store.trials(job_id)]


def test_more_epochs_go_on_from_models_and_begin_the_others_again(store: Store) -> None:
    before = finished(store)
    after = store.last_event()
    extended = store.extend_job(before.id, trials=None, epochs=5, fingerprint="another")
    job = extended.job
    assert extended.restarts == (0,)
    assert (job.state, job.claims, job.finished_at) == (JobState.QUEUED, 0, None)
    assert (job.fingerprint, job.spec.space.epochs, job.spec.trials) == ("another", 5, 3)
    assert job.spec == replace(before.spec, space=replace(before.spec.space, epochs=5))
    assert job.best == before.best
    progress = job.progress
    assert (progress.finished, progress.failed, progress.running) == (1, 1, 0)
    assert (progress.trials, progress.epochs_done, progress.epochs_total) == (3, 6, 15)
    assert states(store, job.id) == [QUEUED, QUEUED, FAILED]
    events = [(e.trial, e.state, e.detail) for e in store.events(after=after)]
    assert events == [
        (0, "queued", "extended"),
        (1, "queued", "extended"),
        (None, "queued", "extended to 5 epochs"),
    ]


def test_an_extended_job_finishes_with_its_numbers_and_its_history(store: Store) -> None:
    job = finished(store)
    store.extend_job(job.id, trials=None, epochs=5, fingerprint="another")
    lease = claim(store)
    assert store.leased_jobs()[job.id].driver is None
    assert store.start_trial(lease, 1, node=None, resumed_from=EPOCHS) == 1
    train(store, lease, 1, 0.3, 0.4, first=4)
    assert store.job(job.id).best == job.best
    store.finish_trial(lease, 1, SUCCEEDED)
    assert store.start_trial(lease, 0, node=None) == 2
    train(store, lease, 0, *(0.1, 0.2, 0.3, 0.4, 0.6), attempt=2)
    store.finish_trial(lease, 0, SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    ended = store.job(job.id)
    assert ended.best is not None
    # Trial 1 was best after three epochs; after five it no longer is.
    assert (ended.best.trial, ended.best.value) == (0, 0.6)
    assert (ended.progress.finished, ended.progress.epochs_done) == (3, 10)
    assert ended.started_at == job.started_at
    (first, second) = store.curves(job.id)
    assert first.metrics["validation_accuracy"] == (0.1, 0.2, 0.3, 0.4, 0.6)
    assert second.metrics["validation_accuracy"] == (0.1, 0.2, 0.9, 0.3, 0.4)


def test_more_trials_leave_those_that_succeeded_as_they_are(store: Store) -> None:
    before = finished(store)
    good = store.trials(before.id)
    extended = store.extend_job(before.id, trials=4, epochs=None, fingerprint="another")
    job = extended.job
    assert (extended.restarts, job.state) == ((), JobState.QUEUED)
    assert (job.progress.trials, job.progress.finished, job.progress.failed) == (4, 3, 1)
    assert (job.spec.trials, job.spec.space.trials, job.spec.space.epochs) == (4, 4, EPOCHS)
    assert store.trials(job.id) == good
    lease = claim(store)
    store.add_trial(lease, NewTrial(3, {"learning_rate": 0.2}, 42))
    store.start_trial(lease, 3, node=None)
    train(store, lease, 3, 0.1, 0.2, 0.95)
    store.finish_trial(lease, 3, SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    best = store.job(job.id).best
    assert best is not None
    assert (best.trial, best.value) == (3, 0.95)


def test_both_at_once(store: Store) -> None:
    job = finished(store)
    extended = store.extend_job(job.id, trials=6, epochs=4, fingerprint="another")
    assert extended.restarts == (0,)
    assert (extended.job.progress.trials, extended.job.progress.epochs_total) == (6, 24)
    assert store.events(job_id=job.id)[-1].detail == "extended to 6 trials and 4 epochs"


@pytest.mark.parametrize("running", [False, True])
def test_the_same_request_again_changes_nothing(store: Store, running: bool) -> None:
    job = finished(store)
    first = store.extend_job(job.id, trials=5, epochs=4, fingerprint="another")
    if running:
        claim(store)
    kept = (store.job(job.id), store.trials(job.id), store.last_event())
    for totals in ({"trials": 5, "epochs": 4}, {"trials": 5, "epochs": None}):
        again = store.extend_job(job.id, **totals, fingerprint="a third")
        assert (again.job, again.restarts) == (kept[0], first.restarts)
    assert (store.job(job.id), store.trials(job.id), store.last_event()) == kept
    with pytest.raises(IllegalMove, match=str(kept[0].state)) as refused:
        store.extend_job(job.id, trials=5, epochs=6, fingerprint="another")
    assert "wait" in refused.value.hint


def test_a_failed_job_runs_what_it_never_finished_but_not_what_failed(store: Store) -> None:
    job = accept(store, 3)
    lease = claim(store)
    store.start_trial(lease, 0, node=None)
    store.finish_trial(lease, 0, FAILED, Failure(FailureKind.DIVERGED, "not finite"))
    store.start_trial(lease, 1, node=None)
    train(store, lease, 1, 0.5)
    store.finish_job(lease, JobState.FAILED, Failure(FailureKind.INTERNAL, "it broke"))
    assert states(store, job.id) == [FAILED, CANCELLED, CANCELLED]
    extended = store.extend_job(job.id, trials=4, epochs=None, fingerprint="another")
    assert extended.restarts == (1,)
    assert (extended.job.error, extended.job.progress.finished) == (None, 1)
    assert states(store, job.id) == [FAILED, QUEUED, QUEUED]
    assert all(trial.finished_at is None for trial in store.trials(job.id)[1:])


@pytest.mark.parametrize(
    "totals",
    [
        {"trials": 3, "epochs": None},
        {"trials": 2, "epochs": 9},
        {"trials": 9, "epochs": EPOCHS},
        {"trials": None, "epochs": 1},
    ],
)
def test_a_total_must_be_larger_than_the_jobs(store: Store, totals: dict[str, int | None]) -> None:
    job = finished(store)
    with pytest.raises(IllegalMove, match="already") as refused:
        store.extend_job(job.id, **totals, fingerprint="another")
    assert refused.value.hint
    assert store.job(job.id) == job


@pytest.mark.parametrize("totals", [(None, None), (0, None), (None, -1), (True, None), (2.5, None)])
def test_totals_are_whole_numbers(store: Store, totals: tuple[int | None, int | None]) -> None:
    job = finished(store)
    with pytest.raises(ValueError, match=r"none is given|integer from 1"):
        store.extend_job(job.id, trials=totals[0], epochs=totals[1], fingerprint="another")
    assert store.job(job.id) == job


def test_a_listed_strategy_takes_more_epochs_but_no_more_trials(store: Store) -> None:
    space = replace(SPACE, strategy="one_at_a_time", trials=None)
    spec = replace(SPEC, space=space, trials=1)
    job = store.create_job(
        spec, fingerprint="fingerprint", trials=[NewTrial(0, {"learning_rate": 0.1}, 42)]
    )
    store.finish_job(claim(store), JobState.SUCCEEDED)
    with pytest.raises(SearchSpaceError, match="takes no number of trials"):
        store.extend_job(job.id, trials=4, epochs=None, fingerprint="another")
    extended = store.extend_job(job.id, trials=None, epochs=7, fingerprint="another").job
    assert extended.spec == replace(spec, space=replace(space, epochs=7))


def test_what_a_newer_version_wrote_into_the_specification_stays(store: Store) -> None:
    job = finished(store)
    if store._database.is_sqlite:
        change(store, "UPDATE jobs SET spec = json_set(spec, '$.newer', 1)")
    else:
        change(store, """UPDATE jobs SET spec = jsonb_set(spec::jsonb, '{newer}', '1')::json""")
    store.extend_job(job.id, trials=None, epochs=9, fingerprint="another")
    with store._database.read() as connection:
        found = connection.exec_driver_sql("SELECT CAST(spec AS TEXT) FROM jobs").scalar_one()
    assert '"newer"' in found
    assert store.job(job.id).spec.space.epochs == 9


def test_a_cancelled_extension_goes_on_to_what_was_asked(store: Store) -> None:
    before = finished(store)
    store.extend_job(before.id, trials=None, epochs=5, fingerprint="another")
    lease = claim(store)
    store.start_trial(lease, 1, node=None, resumed_from=EPOCHS)
    train(store, lease, 1, 0.95, first=4)
    store.request_cancel(before.id)
    store.finish_job(lease, JobState.CANCELLED)
    assert states(store, before.id) == [CANCELLED, CANCELLED, FAILED]
    assert store.job(before.id).best == before.best
    with pytest.raises(IllegalMove, match="5 epochs already") as refused:
        store.extend_job(before.id, trials=None, epochs=4, fingerprint="another")
    assert "at least 5" in refused.value.hint
    for _ in range(2):
        extended = store.extend_job(before.id, trials=None, epochs=5, fingerprint="another")
        assert (extended.job.state, extended.restarts) == (JobState.QUEUED, (0,))
    job = extended.job
    assert (job.finished_at, job.progress.finished, job.best) == (None, 1, before.best)
    assert states(store, job.id) == [QUEUED, QUEUED, FAILED]
    lease = claim(store)
    # The epoch after the checkpoint is trained again.
    assert store.start_trial(lease, 1, node=None, resumed_from=EPOCHS) == 2
    train(store, lease, 1, 0.95, 0.96, attempt=2, first=4)
    store.finish_trial(lease, 1, SUCCEEDED)
    store.start_trial(lease, 0, node=None)
    train(store, lease, 0, *(0.1, 0.2, 0.3, 0.4, 0.6), attempt=2)
    store.finish_trial(lease, 0, SUCCEEDED)
    store.finish_job(lease, JobState.SUCCEEDED)
    best = store.job(job.id).best
    assert best is not None
    assert (best.trial, best.value) == (1, 0.96)


def test_a_job_cancelled_in_the_queue_runs_by_an_extension_to_its_own_totals(store: Store) -> None:
    job = accept(store, 3)
    store.request_cancel(job.id)
    for totals in ((2, None), (None, EPOCHS - 1)):
        with pytest.raises(IllegalMove, match="already"):
            store.extend_job(job.id, trials=totals[0], epochs=totals[1], fingerprint="another")
    extended = store.extend_job(job.id, trials=3, epochs=None, fingerprint="fingerprint")
    assert (extended.restarts, extended.job.spec) == ((), job.spec)
    assert extended.job.progress == job.progress
    assert states(store, job.id) == [QUEUED] * 3
    assert claim(store).job_id == job.id


def test_a_search_that_a_budget_ended_goes_on_to_the_trials_that_it_was_asked(
    store: Store,
) -> None:
    asked = replace(SPEC, space=replace(SPACE, trials=9), trials=9)
    job = store.create_job(asked, fingerprint="", trials=())
    lease = claim(store)
    store.plan_trials(lease, 1, ended_by="the budget of 1 seconds is spent")
    store.finish_job(lease, JobState.SUCCEEDED)
    with pytest.raises(IllegalMove, match="already"):
        store.extend_job(job.id, trials=None, epochs=EPOCHS, fingerprint="another")
    extended = store.extend_job(job.id, trials=9, epochs=None, fingerprint="another").job
    assert (extended.state, extended.progress.trials) == (JobState.QUEUED, 9)
    assert extended.ended_by == ""
    store.finish_job(claim(store), JobState.SUCCEEDED)
    with pytest.raises(IllegalMove, match="9 trials already"):
        store.extend_job(job.id, trials=9, epochs=None, fingerprint="another")


@pytest.mark.parametrize("totals", [(5, None), (None, EPOCHS + 2)])
def test_a_trial_that_a_budget_stopped_before_it_began_runs_by_an_extension(
    store: Store, totals: tuple[int | None, int | None]
) -> None:
    """Trial 0 never began, trial 1 was stopped amid its epochs, trial 2 confirmed another."""
    job = accept(store, 2)
    lease = claim(store)
    store.add_trial(lease, NewTrial(2, {"learning_rate": 0.1}, 43, Purpose.CONFIRM, 1))
    store.start_trial(lease, 1, node=None)
    train(store, lease, 1, 0.5)
    for number in (0, 1, 2):
        store.finish_trial(lease, number, STOPPED)
    store.plan_trials(lease, 3, ended_by="the budget of 1 seconds is spent")
    store.finish_job(lease, JobState.SUCCEEDED)
    before = store.job(job.id).progress
    assert (before.finished, before.stopped) == (3, 3)
    trials, epochs = totals
    extended = store.extend_job(job.id, trials=trials, epochs=epochs, fingerprint="another")
    assert states(store, job.id) == [QUEUED, STOPPED, STOPPED]
    assert store.trials(job.id)[0].finished_at is None
    progress = extended.job.progress
    assert (progress.finished, progress.stopped, extended.restarts) == (2, 2, ())
    lease = claim(store)
    store.start_trial(lease, 0, node=None)
    store.finish_trial(lease, 0, SUCCEEDED)
    assert store.job(job.id).progress.finished == 3


def test_an_unknown_job_is_not_extended(store: Store) -> None:
    for job_id in UNKNOWN_IDS:
        with pytest.raises(JobNotFound):
            store.extend_job(job_id, trials=9, epochs=None, fingerprint="another")


def test_a_trial_that_goes_on_has_not_run_while_its_job_rested(store: Store) -> None:
    job = finished(store)
    change(store, "UPDATE trials SET started_at = 1000, finished_at = 1001")
    store.extend_job(job.id, trials=None, epochs=5, fingerprint="another")
    lease = claim(store)
    assert store.trials(job.id)[1].started_at is None
    store.start_trial(lease, 1, node=None, resumed_from=EPOCHS)
    started = store.trials(job.id)[1].started_at
    assert started is not None
    assert started.timestamp() > 10**9


def test_the_rest_between_the_end_and_the_extension_is_known(store: Store) -> None:
    job = finished(store)
    store.extend_job(job.id, trials=None, epochs=5, fingerprint="another")
    assert rested(store, job) == 0.0  # it has not gone on yet
    claim(store)
    times = {"queued": 90, "running": 100, "succeeded": 110}
    for state, at in times.items():
        change(store, f"UPDATE events SET at = {at} WHERE trial IS NULL AND state = '{state}'")
    last = max(e.id for e in store.events(job_id=job.id) if e.trial is None)
    change(store, f"UPDATE events SET at = 650 WHERE id = {last}")
    assert rested(store, job) == 540.0


@pytest.mark.parametrize(
    ("states", "seconds"),
    [
        (["paused", "queued", "running", "succeeded"], 0.0),
        (["running", "paused", "cancelled"], 10.0),
        (["running", "succeeded", "paused", "running"], 20.0),
    ],
    ids=["paused before it began", "cancelled while paused", "extended and paused"],
)
def test_a_job_rests_since_it_first_ran(store: Store, states: list[str], seconds: float) -> None:
    job = finished(store)
    change(store, f"DELETE FROM events WHERE job_id = '{job.id}'")
    for at, state in enumerate(states):
        change(
            store,
            "INSERT INTO events (job_id, state, at, detail) "
            f"VALUES ('{job.id}', '{state}', {10 * at}, '')",
        )
    assert rested(store, job) == seconds


def test_a_job_that_was_extended_has_not_run_while_it_rested(store: Store) -> None:
    job, before = finished(store), store.durations().job_run
    change(store, "UPDATE jobs SET started_at = started_at - 900, finished_at = finished_at - 800")
    change(store, "UPDATE events SET at = at - 800 WHERE trial IS NULL")
    store.extend_job(job.id, trials=None, epochs=5, fingerprint="another")
    lease = claim(store)
    change(store, "UPDATE events SET at = at - 50 WHERE id = (SELECT MAX(id) FROM events)")
    store.finish_job(lease, JobState.SUCCEEDED)
    number, seconds = store.durations().job_run
    assert number == before[0] + 1
    assert seconds - before[1] == pytest.approx(50, abs=10)
