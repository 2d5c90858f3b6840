"""The process that drives one job: ``python -m service.driver JOB OWNER TOKEN``.

The controller starts it in a session of its own; it outlives the controller and the API. It holds
the job's lease: it renews it, writes every result under it, and stops at once when it is lost.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Sequence
from functools import partial

import ray
from ray import tune
from ray.exceptions import RayError
from ray.tune import TuneError

from results.errors import IllegalMove, LeaseLost, StoreUnavailable
from results.records import Failure, JobRecord, Lease, TrialRecord
from results.states import FailureKind, JobState, TrialState
from results.store import open_store
from results.store.base import Store
from search_spaces import SearchSpace
from service import logs
from service.cluster import is_reachable
from service.heartbeat import EXIT_UNFINISHED, Heartbeat
from service.log_lines import log_state
from service.logs import limit_log
from service.processes import JOB_ID_VARIABLE
from service.settings import Settings
from service.spec import JobSpec
from service.tune_callback import Recorder
from service.tune_memory import survive_memory_kills
from service.tune_pause import PauseGate, PauseReached
from service.tune_search import Search, make_search
from service.tune_trial import TrialContext, run_trial
from trainables import datasets
from trainables.contract import TrainableError

logger = logging.getLogger("service.driver")

#: Our records replace Tune's log files; a trial's first message carries no metric yet.
TUNE_SETTINGS = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "RAY_AIR_NEW_OUTPUT": "0",
}
#: A trial whose process was lost is no failure of the user's code: it is started again this often
#: beyond the job's ``max_failures``, which the recorder counts for the failures that trials tell.
LOST_RETRIES = 3


def drive(store: Store, lease: Lease, settings: Settings, gate: PauseGate) -> None:
    """Run what is left of the job and record how it ended, or that it waits."""
    job = store.job(lease.job_id)
    spec = JobSpec.from_json(job.spec)
    records = store.trials(job.id)
    logger.info("job %s (%s): %s on Ray %s", job.id, job.name, spec.strategy, settings.ray_address)
    datasets.ensure(
        spec.dataset, settings.datasets_dir, source=settings.fashion_mnist_dir, log=logger.info
    )
    search = make_search(
        SearchSpace.from_json(spec.space_json()),
        seed=spec.seed,
        job_id=job.id,
        records=records,
        stack=spec.stack,
    )
    if search.num_samples > 0:
        _connect(job, spec, settings)
        recorder = Recorder(store, lease, records, spec=spec, gate=gate)
        _fit(search, spec, settings, recorder, gate, name=f"{job.id}-{lease.token}")
        recorder.flush()
    done = store.trials(job.id)
    if gate.closed and sum(record.state.is_finished for record in done) < spec.trials:
        logger.info("job %s: what is left of it waits", job.id)
        store.release_job(lease)
        return
    state, error = _outcome(done)
    store.finish_job(lease, state, error)
    log_state(logger, job.id, state)


def _connect(job: JobRecord, spec: JobSpec, settings: Settings) -> None:
    threads = str(max(1, int(spec.cpu)))
    variables = {
        JOB_ID_VARIABLE: job.id,
        "ARGBEST_CACHE_DIR": str(settings.cache_dir),
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "NUMBA_NUM_THREADS": threads,
        # Ray would show all GPUs to a trial that asked for none.
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",
    }
    try:
        ray.init(
            address=settings.ray_address,
            namespace=job.id,
            runtime_env={"env_vars": variables},
            logging_level=logging.WARNING,
            log_to_driver=True,
        )
    except (OSError, RuntimeError, ValueError, RayError) as error:
        raise RayUnavailableError(f"no driver can connect to Ray: {error}") from error
    # Ray's own SIGTERM handler waits for trials; a driver told to end ends.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(EXIT_UNFINISHED))
    _check_feasible(spec)


def _check_feasible(spec: JobSpec) -> None:
    """Refuse a trial that none of the cluster's nodes could hold: Tune would wait for ever.

    Where all workers are away, be it for a restart or because an autoscaler has ended them, Tune is
    to wait: its trials start with the first that comes, and are what an autoscaler asks for.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if any(n.get("CPU", 0.0) >= spec.cpu and n.get("GPU", 0.0) >= spec.gpu for n in nodes):
        return
    cpus = max((node.get("CPU", 0.0) for node in nodes), default=0.0)
    gpus = max((node.get("GPU", 0.0) for node in nodes), default=0.0)
    if cpus == 0.0:
        logger.warning("no node of the cluster has CPUs at present: the trials wait for one")
        return
    raise InfeasibleError(
        f"a trial asks for {spec.cpu:g} CPU and {spec.gpu:g} GPU (resources_per_trial); "
        f"the cluster's largest node has {cpus:g} CPU and {gpus:g} GPU"
    )


class InfeasibleError(Exception):
    """No node of the cluster could run a trial of the job."""


class RayUnavailableError(Exception):
    """This process cannot connect to Ray: the head, or the raylet beside it, is gone or changes."""


#: What stops a driver through no fault of its job; whoever drives it next goes on with it. It was
#: taken over, or cancelled just as it ended, or the store, Ray, the disk or the network failed.
NO_FAULT_OF_THE_JOB = (
    LeaseLost,
    IllegalMove,
    StoreUnavailable,
    RayUnavailableError,
    RayError,
    OSError,
)


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
            mode=spec.mode,
            metric="objective",
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


def _outcome(records: Sequence[TrialRecord]) -> tuple[JobState, Failure | None]:
    """A job succeeds if any of its trials did; else the first failure says why."""
    if any(record.state is TrialState.SUCCEEDED for record in records):
        return JobState.SUCCEEDED, None
    first = next((record.error for record in records if record.error), None)
    kind = first.kind if first else FailureKind.USER_ERROR
    why = first.message if first else "no trial was run"
    message = f"none of the job's {len(records)} trials succeeded; the first failure: {why}"
    return JobState.FAILED, Failure(kind, message)


def _run(store: Store, lease: Lease, settings: Settings, gate: PauseGate) -> int:
    try:
        drive(store, lease, settings, gate)
    except Exception as error:
        # The edge of this process: whatever the job itself did wrong becomes its error.
        # Tune wraps what its callbacks raise into an error of which only the text is left.
        cause = error.__context__ if isinstance(error, TuneError) else error
        if isinstance(cause, NO_FAULT_OF_THE_JOB):
            logger.error("driver stops: %s: %s", type(cause).__name__, cause)
            return EXIT_UNFINISHED
        if isinstance(error, TrainableError | InfeasibleError):
            return _fail(store, lease, Failure(FailureKind.INFEASIBLE, str(error)))
        logger.exception("the job could not be driven")
        # Ray may have gone without an exception of its own.
        if not is_reachable(settings.ray_address):
            return EXIT_UNFINISHED
        return _fail(store, lease, _failure(error))
    return 0


def _failure(error: Exception) -> Failure:
    text = "".join(traceback.format_exception(error))
    # A TuneError's text is a whole traceback: its last line says what happened.
    last = str(error).strip().splitlines()[-1:]
    message = ": ".join([type(error).__name__, *last])
    return Failure(FailureKind.USER_ERROR, message, text)


def _fail(store: Store, lease: Lease, failure: Failure) -> int:
    logger.error("the job failed: %s", failure.message)
    try:
        store.finish_job(lease, JobState.FAILED, failure)
    except (LeaseLost, IllegalMove, StoreUnavailable):
        logger.exception("the job's failure could not be written")
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
    status = _run(store, lease, settings, gate)
    heartbeat.stop()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    limit_log(settings.log_file(job_id), settings.max_log_bytes)
    # Ray's exit handlers wait for trial processes that the end of this one ends anyway.
    os._exit(status)


if __name__ == "__main__":
    main(sys.argv[1:])
