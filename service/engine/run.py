"""Runs what is left of one job's trials by Ray Tune, in the job's driver process."""

from __future__ import annotations

import logging
import shutil
from functools import partial
from typing import Any

from ray import tune

from results.records import Lease
from results.spec import JobSpec
from results.states import JobState
from results.store import Store
from service.engine.allowance import Allowance
from service.engine.endings import Ending, StoppedEarlyError, outcome
from service.engine.memory_kills import survive_memory_kills
from service.engine.messages import OBJECTIVE
from service.engine.pause_gate import PauseGate, PauseReached
from service.engine.ray_connection import NODE_SECONDS, check_feasible, connect
from service.engine.recorder import Recorder
from service.engine.search import search_options
from service.engine.training import TrialContext
from service.engine.trial import run_trial
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


def run_job(
    store: Store,
    lease: Lease,
    settings: Settings,
    allowance: Allowance,
    *,
    node_s: float = NODE_SECONDS,
) -> Ending:
    """Run the remaining trials; return the job's final state, and store everything else.

    ``node_s`` is how many seconds to wait for a node that can hold the trials. What an exception
    means for the job, :func:`service.engine.endings.ending_of` says.
    """
    gate = PauseGate(allowance)
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
