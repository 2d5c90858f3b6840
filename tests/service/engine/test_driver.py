"""The driver without Ray: how a job ends, and with which status its process does."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import ray
from ray import tune
from ray.air.execution._internal import RayActorManager
from ray.air.execution._internal.tracked_actor import TrackedActor
from ray.air.execution._internal.tracked_actor_task import TrackedActorTask
from ray.exceptions import LocalRayletDiedError, OutOfDiskError, RayActorError, RaySystemError
from ray.tune import TuneError

from results.records import Failure, Lease, LeaseCounts, NewTrial, TrialRecord
from results.states import FailureKind, JobState, TrialState
from results.store import Store
from service.engine import driver
from service.engine.allowance import Allowance
from service.engine.endings import Ending, outcome
from service.engine.heartbeat import EXIT_UNFINISHED
from service.engine.search import Work
from service.engine.tune_run import TuneRun
from service.settings import Settings
from tests.service.stand_ins import (
    accept,
    away,
    claim,
    listening,
    run_trial,
    settings_in,
    spec,
)

ROOT = Path(__file__).parents[3]
#: Imports what a driver of a grid imports.
GRID = """
import sys
import service.engine.driver
print(*sys.modules)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with listening() as ray_address:
        yield settings_in(tmp_path, ray_address)


@pytest.fixture
def lease(store: Store) -> Lease:
    """The lease of a job whose one trial has run: nothing is left for Ray."""
    accept(store)
    lease = claim(store)
    run_trial(store, lease)
    return lease


def record(number: int, state: TrialState, error: Failure | None = None) -> TrialRecord:
    return TrialRecord(number, state, {}, 42, error=error)


def run(store: Store, lease: Lease, settings: Settings, allowance: Allowance | None = None) -> int:
    """Return the exit status of a driver that waits for no node."""
    tune_run = TuneRun(settings.tune_dir)
    ending, _ = driver._run(store, lease, settings, allowance or Allowance(), tune_run, node_s=0)
    return driver._end(store, lease, ending)


# --- how a job ends ----------------------------------------------------------------------------


def test_a_job_succeeds_if_any_of_its_trials_did() -> None:
    failure = Failure(FailureKind.DIVERGED, "train_loss was nan")
    trials = [record(0, TrialState.FAILED, failure), record(1, TrialState.SUCCEEDED)]
    assert outcome(trials) == Ending(JobState.SUCCEEDED)


def test_a_job_without_a_success_fails_as_its_first_failure_did() -> None:
    failures = [Failure(FailureKind.DIVERGED, "it was nan"), Failure(FailureKind.TIME_LIMIT, "2 s")]
    trials = [record(n, TrialState.FAILED, failure) for n, failure in enumerate(failures)]
    message = "no trial succeeded of 2; the first failure: it was nan"
    failure = Failure(FailureKind.DIVERGED, message)
    assert outcome(trials) == Ending(JobState.FAILED, failure)


def test_a_job_that_ran_no_trial_fails_and_says_so() -> None:
    ending = outcome([])
    assert ending.state is JobState.FAILED
    assert ending.error is not None
    assert "no trial was run" in ending.error.message


def test_a_job_of_which_every_trial_ended_early_fails_and_says_so() -> None:
    ending = outcome([record(0, TrialState.STOPPED), record(1, TrialState.STOPPED)])
    assert ending.error is not None
    assert ending.error.message == (
        "no trial succeeded of 2: the search ended before a trial had trained to its end"
    )


def test_a_job_whose_trials_have_all_run_is_finished_without_ray(
    store: Store, lease: Lease, settings: Settings
) -> None:
    nobody = settings.model_copy(update={"ray_address": "127.0.0.1:1"})
    assert run(store, lease, nobody) == 0
    assert store.job(lease.job_id).state is JobState.SUCCEEDED


def pausing(store: Store, lease: Lease) -> Allowance:
    """Ask the job to pause, and return its allowance as its heartbeat then leaves it."""
    store.request_pause(lease.job_id)
    return Allowance(pausing=True)


def test_a_pausing_job_that_has_run_out_of_trials_is_finished(
    store: Store, lease: Lease, settings: Settings
) -> None:
    assert run(store, lease, settings, pausing(store, lease)) == 0
    assert store.job(lease.job_id).state is JobState.SUCCEEDED


@pytest.fixture
def half_run(store: Store, monkeypatch: pytest.MonkeyPatch) -> Lease:
    """The lease of a job whose run Tune ends after the first of two trials."""
    rates = (0.001, 0.002)
    job = spec(strategy="grid", trials=2, parameters={"learning_rate": {"values": list(rates)}})
    trials = [NewTrial(n, {"learning_rate": rate}, 42) for n, rate in enumerate(rates)]
    store.create_job(job, fingerprint="", trials=trials)
    lease = claim(store)

    def do(_: TuneRun, work: Work) -> None:
        run_trial(store, lease)
        work.segments.next("segment")

    monkeypatch.setattr(TuneRun, "do", do)
    return lease


@pytest.mark.usefixtures("two_nodes")
def test_a_run_that_tune_ends_early_is_left_to_the_next_driver(
    store: Store, half_run: Lease, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Tune returns as from a whole run."""
    assert run(store, half_run, settings) == EXIT_UNFINISHED
    assert store.renew_lease(half_run, 60).state is JobState.RUNNING
    states = [trial.state for trial in store.trials(half_run.job_id)]
    assert states == [TrialState.SUCCEEDED, TrialState.QUEUED]
    assert "trials left: 1" in caplog.text


@pytest.mark.usefixtures("two_nodes")
def test_what_is_left_of_a_pausing_job_waits(
    store: Store, half_run: Lease, settings: Settings
) -> None:
    assert run(store, half_run, settings, pausing(store, half_run)) == 0
    assert store.job(half_run.job_id).state is JobState.PAUSED
    assert store.trial(half_run.job_id, 1).state is TrialState.QUEUED


# --- what goes wrong ---------------------------------------------------------------------------


def test_a_job_that_was_taken_over_is_left_alone(
    store: Store, lease: Lease, settings: Settings
) -> None:
    store.renew_lease(lease, 0.001)
    time.sleep(0.02)
    later = claim(store)
    assert run(store, lease, settings) == EXIT_UNFINISHED
    assert store.renew_lease(later, 60).state is JobState.RUNNING
    assert store.lease_counts() == LeaseCounts(take_overs=1, refused_writes=1)


def test_a_job_cancelled_as_it_ended_is_left_to_the_controller(
    store: Store, lease: Lease, settings: Settings
) -> None:
    store.request_cancel(lease.job_id)
    assert run(store, lease, settings) == EXIT_UNFINISHED
    assert store.job(lease.job_id).state is JobState.CANCELLING


def test_a_database_that_is_away_leaves_the_job_to_the_next_driver(
    store: Store, lease: Lease, settings: Settings
) -> None:
    with away(store):
        assert run(store, lease, settings) == EXIT_UNFINISHED
    assert store.job(lease.job_id).state is JobState.RUNNING


def test_a_job_on_data_that_cannot_be_had_fails_as_infeasible(
    store: Store, settings: Settings
) -> None:
    job_id = accept(store, spec(dataset="lost"))
    assert run(store, claim(store), settings) == 0
    error = store.job(job_id).error
    assert store.job(job_id).state is JobState.FAILED
    assert error is not None
    assert error.kind is FailureKind.INFEASIBLE
    assert "'lost'" in error.message


@pytest.mark.usefixtures("two_nodes")
@pytest.mark.parametrize(("cpu", "gpu"), [(5.0, 0.0), (3.0, 1.0), (1.0, 2.0)])
def test_a_trial_that_fits_no_node_fails_its_job(
    store: Store, settings: Settings, cpu: float, gpu: float
) -> None:
    job_id = accept(store, spec(cpu=cpu, gpu=gpu))
    assert run(store, claim(store), settings) == 0
    error = store.job(job_id).error
    assert error is not None
    assert error.kind is FailureKind.INFEASIBLE
    assert f"{cpu:g} CPU and {gpu:g} GPU (resources_per_trial)" in error.message
    assert "has 4 CPU and 1 GPU" in error.message
    assert store.trial(job_id, 0).state is TrialState.CANCELLED


@pytest.mark.usefixtures("two_nodes")
def test_a_job_that_has_run_waits_for_the_node_that_has_gone(
    store: Store,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is taken over when its node dies, and may be looked at before that one is back."""
    job_id = accept(store, spec(cpu=5.0))
    store.start_trial(claim(store, 0.001), 0, node="gone")
    lease = claim(store)
    monkeypatch.setattr(tune.Tuner, "fit", lambda _: run_trial(store, lease))
    assert run(store, lease, settings) == 0
    assert store.job(job_id).state is JobState.SUCCEEDED
    assert "has 4 CPU and 1 GPU: the trials wait for a node" in caplog.text


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("Could not find any running Ray instance"),
        RuntimeError("No node info found matching attributes"),
        ValueError("the cluster is of another version"),
        RaySystemError("the GCS was started again"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_ray_that_takes_no_driver_is_no_error_of_the_job(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Its head answers all the same."""

    def init(**_: object) -> None:
        raise error

    monkeypatch.setattr(ray, "init", init)
    job_id = accept(store)
    assert run(store, claim(store), settings) == EXIT_UNFINISHED
    assert store.job(job_id).state is JobState.RUNNING


def plainly(error: Exception) -> None:
    raise error


def by_a_callback(error: Exception) -> None:
    """As Tune does with what a callback of its raises, here about an actor that has died."""
    try:
        raise RayActorError
    except RayActorError:
        try:
            raise error
        except type(error):
            raise TuneError(traceback.format_exc())  # noqa: B904 - as Tune does


def by_the_actor_manager(error: Exception) -> None:
    """As Tune does with what Ray tells of a trial's process, if it is not one of two errors."""
    manager = RayActorManager(resource_manager=None)
    manager._actor_task_failed(TrackedActorTask(TrackedActor(1)), error)


@pytest.mark.usefixtures("two_nodes")
@pytest.mark.parametrize(
    ("error", "state"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), JobState.RUNNING),
        (RaySystemError("the raylet has died"), JobState.RUNNING),
        (LocalRayletDiedError(), JobState.RUNNING),
        (OutOfDiskError("the node's disk is full"), JobState.RUNNING),
        (KeyError("x"), JobState.FAILED),
    ],
    ids=["disk", "ray", "raylet", "ray's disk", "job"],
)
@pytest.mark.parametrize("is_raised", [plainly, by_a_callback, by_the_actor_manager])
def test_what_the_disk_or_ray_does_in_a_run_is_no_error_of_the_job(
    store: Store,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    state: JobState,
    is_raised: Callable[[Exception], None],
) -> None:
    monkeypatch.setattr(tune.Tuner, "fit", lambda _: is_raised(error))
    job_id = accept(store)
    status = run(store, claim(store), settings)
    assert status == (EXIT_UNFINISHED if state is JobState.RUNNING else 0)
    assert store.job(job_id).state is state


@pytest.mark.usefixtures("two_nodes")
def test_an_error_of_our_own_asks_for_a_report(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tune.Tuner, "fit", lambda _: plainly(KeyError("x")))
    job_id = accept(store)
    assert run(store, claim(store), settings) == 0
    error = store.job(job_id).error
    assert error is not None
    assert error.kind is FailureKind.INTERNAL
    assert error.message.startswith("argbest itself failed (KeyError: 'x'): please report")
    assert "Traceback" in (error.traceback or "")


@pytest.mark.usefixtures("two_nodes")
@pytest.mark.parametrize("is_raised", [plainly, by_a_callback])
def test_a_folder_that_may_not_be_used_fails_the_job_and_is_named(
    store: Store,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    is_raised: Callable[[Exception], None],
) -> None:
    """Every other driver would end in the same way."""
    error = PermissionError(errno.EACCES, "Permission denied", "/data/ray/tune")
    monkeypatch.setattr(tune.Tuner, "fit", lambda _: is_raised(error))
    job_id = accept(store)
    assert run(store, claim(store), settings) == 0
    failure = store.job(job_id).error
    assert failure is not None
    assert failure.kind is FailureKind.INFEASIBLE
    assert "may not use /data/ray/tune: Permission denied" in failure.message


@pytest.mark.usefixtures("two_nodes")
def test_what_goes_wrong_without_ray_is_no_error_of_the_job(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tune.Tuner, "fit", lambda _: plainly(KeyError("x")))
    job_id = accept(store)
    nobody = settings.model_copy(update={"ray_address": "127.0.0.1:1"})
    assert run(store, claim(store), nobody) == EXIT_UNFINISHED
    assert store.job(job_id).state is JobState.RUNNING


def test_an_error_that_cannot_be_written_leaves_the_job_to_the_next_driver(
    store: Store, lease: Lease
) -> None:
    ending = Ending(JobState.FAILED, Failure(FailureKind.USER_ERROR, "why"))
    with away(store):
        assert driver._end(store, lease, ending) == EXIT_UNFINISHED
    store.request_cancel(lease.job_id)
    assert driver._end(store, lease, ending) == EXIT_UNFINISHED
    assert store.job(lease.job_id).state is JobState.CANCELLING


# --- the process -------------------------------------------------------------------------------


def main(settings: Settings, lease: Lease) -> int:
    """Return the exit status of a driver process for the lease."""
    log = settings.log_file(lease.job_id)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.run(
            [
                sys.executable, "-m", "service.engine.driver",
                lease.job_id, lease.owner, str(lease.token),
            ],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            cwd=ROOT, timeout=120, check=False,
            env={**os.environ, **settings.environment()},
        ).returncode  # fmt: skip


def test_a_driver_with_a_list_of_configurations_imports_no_optuna() -> None:
    """Half a second of every start; only samplers need it."""
    imported = subprocess.run(
        [sys.executable, "-c", GRID], cwd=ROOT, capture_output=True, text=True, timeout=120,
        check=True,
    ).stdout.split()  # fmt: skip
    assert "ray.tune" in imported
    assert "optuna" not in imported


def test_a_process_that_finishes_its_job_ends_well(
    store: Store, lease: Lease, settings: Settings
) -> None:
    assert main(settings, lease) == 0
    assert store.job(lease.job_id).state is JobState.SUCCEEDED
    log = settings.log_file(lease.job_id).read_text(encoding="utf-8")
    assert f"job {lease.job_id}: succeeded" in log
    assert "Traceback" not in log


def test_a_process_of_an_old_lease_ends_without_writing(
    store: Store, lease: Lease, settings: Settings
) -> None:
    stale = Lease(lease.job_id, lease.owner, lease.token - 1)
    assert main(settings, stale) == EXIT_UNFINISHED
    assert store.renew_lease(lease, 60).state is JobState.RUNNING
    assert store.lease_counts().refused_writes >= 1
    assert "driver stops" in settings.log_file(lease.job_id).read_text(encoding="utf-8")


def test_a_process_without_its_database_ends_unfinished(
    store: Store, lease: Lease, settings: Settings
) -> None:
    with away(store):
        assert main(settings, lease) == EXIT_UNFINISHED
    assert store.renew_lease(lease, 60).state is JobState.RUNNING
