"""The process that drives one job: ``python -m service.engine.driver JOB OWNER TOKEN``.

The controller starts it in a session of its own; it outlives the controller and the API. It holds
the job's lease: it renews it, writes every result under it, and stops at once when it is lost.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Sequence
from functools import partial

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
from service.engine.ray_connection import (
    NODE_SECONDS,
    check_feasible,
    connect,
)
from service.engine.recorder import Recorder
from service.engine.search import Search, make_search
from service.engine.trial import TrialContext, run_trial
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
    store: Store,
    lease: Lease,
    settings: Settings,
    gate: PauseGate,
    *,
    node_s: float = NODE_SECONDS,
) -> Ending:
    """Run the remaining trials; return the job's final state, and store everything else.

    ``node_s`` is how many seconds to wait for a node that can hold the trials. What an exception
    means for the job, :func:`service.engine.endings.ending_of` says.
    """
    job = store.job(lease.job_id)
    spec = job.spec
    records = store.trials(job.id)
    logger.info(
        "job %s (%s): %s on Ray %s", job.id, job.name, spec.space.strategy, settings.ray_address
    )
    datasets.ensure(
        spec.space.dataset,
        settings.datasets_dir,
        source=settings.fashion_mnist_dir,
        log=logger.info,
    )
    search = make_search(spec.space, seed=spec.seed, records=records)
    if search.num_samples > 0:
        connect(job, settings)
        has_run = any(record.attempt > 0 for record in records)
        check_feasible(spec, has_run=has_run, node_s=node_s)
        recorder = Recorder(store, lease, records, max_failures=spec.max_failures, gate=gate)
        _fit(search, spec, settings, recorder, gate, name=f"{job.id}-{lease.token}")
        recorder.flush()
    done = store.trials(job.id)
    left = spec.trials - sum(record.state.is_finished for record in done)
    if left <= 0:
        return outcome(done)
    if not gate.closed:
        raise StoppedEarlyError(
            f"Tune ended its run early, as it does at SIGINT and SIGUSR1; trials left: {left}"
        )
    logger.info("job %s: what is left of it waits", job.id)
    return Ending(JobState.QUEUED)


def _fit(
    search: Search,
    spec: JobSpec,
    settings: Settings,
    recorder: Recorder,
    gate: PauseGate,
    *,
    name: str,
) -> None:
    context = TrialContext(spec, settings.datasets_dir, settings.fashion_mnist_dir)
    storage = settings.ray_dir / "tune"
    survive_memory_kills()
    tuner = tune.Tuner(
        tune.with_resources(
            partial(run_trial, context=context), {"cpu": spec.cpu, "gpu": spec.gpu}
        ),
        param_space=search.param_space,
        tune_config=tune.TuneConfig(
            mode=spec.space.mode,
            metric=OBJECTIVE,
            search_alg=search.searcher,
            scheduler=gate,
            num_samples=search.num_samples,
            max_concurrent_trials=spec.max_concurrent_trials,
            reuse_actors=True,
            trial_name_creator=lambda trial: f"trial_{trial.trial_id}",
            trial_dirname_creator=lambda trial: trial.trial_id,
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
        # Tune's snapshot of this run: our records are what a take-over starts from.
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
    """Write how the run ended and return the exit status; the lease is over then."""
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
    # It misses the log files that are switched off, once a trial.
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
