"""The process that drives one job: ``python -m service.engine.driver JOB OWNER TOKEN``.

The controller starts it in a session of its own, so it outlives the controller and the API. It
renews the job's lease, writes every result under it, and stops at once when the lease is lost.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from ray import tune

from results.errors import IllegalMove, LeaseLost, StoreUnavailable
from results.records import Lease
from results.spec import JobSpec
from results.states import JobState
from results.store import Store, open_store
from service import logs
from service.engine.cluster import is_reachable
from service.engine.endings import Ending, StoppedEarlyError, ending_of, outcome
from service.engine.heartbeat import EXIT_UNFINISHED, Heartbeat
from service.engine.memory_kills import survive_memory_kills
from service.engine.messages import OBJECTIVE
from service.engine.pause_gate import PauseGate, PauseReached
from service.engine.ray_connection import NODE_SECONDS, check_feasible, connect
from service.engine.recorder import Recorder
from service.engine.search import search_options
from service.engine.training import TrialContext
from service.engine.trial import run_trial
from service.log_lines import log_state
from service.logs import limit_log
from service.settings import Settings
from trainables import datasets

logger = logging.getLogger("service.engine.driver")

#: Our records replace Tune's log files; a trial's first message carries no metric yet.
TUNE_SETTINGS = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "RAY_AIR_NEW_OUTPUT": "0",
}
#: Extra restarts for lost processes, on top of ``max_failures``, which counts only the failures
#: that trials report.
LOST_RETRIES = 3


def drive(
    store: Store, lease: Lease, settings: Settings, gate: PauseGate, *, node_s: float
) -> Ending:
    """Run the remaining trials; return the job's final state, and store everything else.

    ``node_s`` is how many seconds to wait for a node that can hold the trials. What an exception
    means for the job, :func:`service.engine.endings.ending_of` says.
    """
    job = store.job(lease.job_id)
    spec, space, records = job.spec, job.spec.space, store.trials(job.id)
    address = settings.ray_address
    logger.info("job %s (%s): %s on Ray %s", job.id, job.name, space.strategy, address)
    source = settings.fashion_mnist_dir
    datasets.ensure(space.dataset, settings.datasets_dir, source=source, log=logger.info)
    search = search_options(space, seed=spec.seed, records=records)
    if search["num_samples"] > 0:
        connect(job, settings)
        has_run = any(record.attempt > 0 for record in records)
        check_feasible(spec, has_run=has_run, node_s=node_s)
        recorder = Recorder(store, lease, records, max_failures=spec.max_failures, gate=gate)
        _fit(spec, settings, recorder, gate, search, name=f"{job.id}-{lease.token}")
        recorder.flush()
        records = store.trials(job.id)
    left = spec.trials - sum(record.state.is_finished for record in records)
    if left <= 0:
        return outcome(records)
    if not gate.closed:
        raise StoppedEarlyError(
            f"Tune ended its run early, as it does at SIGINT and SIGUSR1; trials left: {left}"
        )
    logger.info("job %s: %d trials are left for later", job.id, left)
    return Ending(JobState.QUEUED)


def _fit(
    spec: JobSpec,
    settings: Settings,
    recorder: Recorder,
    gate: PauseGate,
    search: dict[str, Any],
    *,
    name: str,
) -> None:
    """Let Tune run the trials; its snapshot of the run is removed, since only records count."""
    context = TrialContext(spec, settings.datasets_dir, settings.fashion_mnist_dir)
    trial = partial(run_trial, context=context)
    storage = settings.ray_dir / "tune"
    survive_memory_kills()
    tuner = tune.Tuner(
        tune.with_resources(trial, {"cpu": spec.cpu, "gpu": spec.gpu}),
        param_space=search.pop("param_space", None),
        tune_config=tune.TuneConfig(
            mode=spec.space.mode,
            metric=OBJECTIVE,
            scheduler=gate,
            max_concurrent_trials=spec.max_concurrent_trials,
            reuse_actors=True,
            trial_name_creator=lambda trial: f"trial_{trial.trial_id}",
            trial_dirname_creator=lambda trial: trial.trial_id,
            **search,
        ),
        run_config=tune.RunConfig(
            name=name,
            storage_path=str(storage),
            callbacks=[recorder],
            failure_config=tune.FailureConfig(max_failures=spec.max_failures + LOST_RETRIES),
            verbose=0,
        ),
    )
    try:
        tuner.fit()
    except PauseReached:
        logger.info("the last running trial has ended")
    finally:
        shutil.rmtree(storage / name, ignore_errors=True)


def _run(
    store: Store,
    lease: Lease,
    settings: Settings,
    gate: PauseGate,
    *,
    node_s: float = NODE_SECONDS,
) -> Ending | None:
    """Drive the job and return how that ended; None if the next driver is to go on with it."""
    try:
        return drive(store, lease, settings, gate, node_s=node_s)
    except Exception as error:
        # The edge of this process: an exception ends the job, or leaves it to the next driver.
        ending = ending_of(error)
        # Ray may have gone without an exception of its own.
        if ending is None or not is_reachable(settings.ray_address):
            logger.error("driver stops: %s: %s", type(error).__name__, error)
            return None
        logger.exception("the job could not be driven")
        return ending


def _end(store: Store, lease: Lease, ending: Ending | None) -> int:
    """Write how the run ended, which ends the lease; return the exit status."""
    if ending is None:
        return EXIT_UNFINISHED
    if ending.error is not None:
        logger.error("the job failed: %s", ending.error.message)
    try:
        if ending.state.is_finished:
            store.finish_job(lease, ending.state, ending.error)
            log_state(logger, lease.job_id, ending.state)
        else:
            store.release_job(lease)
    except (LeaseLost, IllegalMove, StoreUnavailable) as error:
        logger.error("driver stops: %s: %s", type(error).__name__, error)
        return EXIT_UNFINISHED
    return 0


def main(arguments: Sequence[str]) -> int:
    """Drive the job that the arguments name; return the process's exit status."""
    job_id, owner, token = arguments
    settings = Settings()
    logs.configure(settings.log_format, job_id=job_id)
    os.environ.update(TUNE_SETTINGS)
    # Once a trial, it warns that the log files which are switched off are missing.
    logging.getLogger("ray.tune.analysis.experiment_analysis").setLevel(logging.ERROR)
    lease = Lease(job_id, owner, int(token))
    store = open_store(settings.store_url)
    gate = PauseGate()
    heartbeat = Heartbeat(store, lease, settings, gate)
    heartbeat.start()
    ending = _run(store, lease, settings, gate)
    # Before the last write: a renewal after it would find the lease gone.
    heartbeat.stop()
    status = _end(store, lease, ending)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    limit_log(settings.log_file(job_id), settings.max_log_bytes)
    # Ray's exit handlers wait for trial processes that the end of this one ends anyway.
    os._exit(status)


if __name__ == "__main__":
    main(sys.argv[1:])
