"""Runs what is left of one job's trials by Ray Tune, in the job's driver process."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext

from results.records import JobRecord, Lease, TrialRecord
from results.spec import JobSpec
from results.states import JobState
from results.storage import Storage, StorageError
from results.store import Store
from search_spaces import SearchSpace
from service.engine import warm_processes
from service.engine.allowance import Allowance
from service.engine.checkpoints import end_mark, stop_mark, stop_marks
from service.engine.code_files import JobCode
from service.engine.endings import Ending, StoppedEarlyError, outcome
from service.engine.job_data import ensure_data
from service.engine.leftovers import recognize, sweep
from service.engine.models import keep_models
from service.engine.patience import Patience
from service.engine.ray_connection import NODE_SECONDS, InfeasibleError, check_feasible, connect
from service.engine.recorder import Recorder
from service.engine.search import Work
from service.engine.searching import make_search
from service.engine.segment_queue import SegmentQueue
from service.engine.storage_thread import StorageThread
from service.engine.training import TrialContext
from service.engine.trial_output import TrialOutput
from service.engine.tune_run import TuneRun
from service.settings import Settings
from trainables.contract import CodeUnavailable

logger = logging.getLogger("service.engine.driver")

#: A job without a slot looks this often whether it has one.
SLOT_SECONDS = 0.1
#: A job that needs what lies in a storage which cannot be read looks this often for it.
STORAGE_SECONDS = 10.0
#: Models that are not among the best are deleted this often while the job runs, and at its end.
PRUNE_SECONDS = 5.0


def run_job(
    store: Store,
    lease: Lease,
    settings: Settings,
    allowance: Allowance,
    run: TuneRun,
    *,
    node_s: float = NODE_SECONDS,
) -> Ending:
    """Run the remaining trials; return the job's final state, and store everything else.

    ``node_s`` is how many seconds to wait for a node that can hold the trials. What an exception
    means for the job, :func:`service.engine.endings.ending_of` says.
    """
    job = store.job(lease.job_id)
    spec, space, records = job.spec, job.spec.space, store.trials(job.id)
    address = settings.ray_address
    check_program(space, settings)
    logger.info("job %s (%s): %s on Ray %s", job.id, job.name, space.strategy, address)
    has_paused = False
    if _left(job, records):
        storage = _storage_of(store, settings, allowance, job)
        _ensure_data(spec, settings, storage, allowance)
        connect(job, settings)
        has_run = any(record.attempt > 0 for record in records)
        check_feasible(spec, has_run=has_run, node_s=node_s)
        has_paused = _run_segments(store, lease, settings, allowance, run, storage, job, records)
        job, records = store.job(job.id), store.trials(job.id)
    left = _left(job, records)
    if not left:
        return outcome(records)
    if not has_paused:
        raise StoppedEarlyError(f"Tune ended its run early; trials left: {left}")
    logger.info("job %s: %d trials are left for later", job.id, left)
    return Ending(JobState.QUEUED)


def check_program(space: SearchSpace, settings: Settings) -> None:
    """Raise :class:`InfeasibleError` for a program where this service runs none.

    It did when the job was accepted, or the API's settings are others than the controller's.
    """
    if space.program is not None and not settings.allow_commands:
        raise InfeasibleError(
            "this service runs no programs of its clients (ARGBEST_ALLOW_COMMANDS is off for its "
            "controller): start it with `argbest serve --allow-commands`, then `argbest retry` "
            "lets the job go on"
        )


def _left(job: JobRecord, records: Sequence[TrialRecord]) -> int:
    return job.progress.trials - sum(record.state.is_finished for record in records)


def _run_segments(
    store: Store,
    lease: Lease,
    settings: Settings,
    allowance: Allowance,
    run: TuneRun,
    storage: Storage,
    job: JobRecord,
    records: Sequence[TrialRecord],
) -> bool:
    """Run segments until none is left or the job pauses; return whether it has paused."""
    code = _code(store, job, settings)
    files = StorageThread(storage)
    prune = _at_intervals(lambda: files.do(lambda: keep_models(store, storage, store.job(job.id))))
    recorder = Recorder(store, lease, files, on_finished=prune)
    search = make_search(store, job, records)
    segments = SegmentQueue(
        job.id,
        job.spec,
        search,
        store.checkpoints(job.id),
        allowance=allowance,
        recorder=recorder,
        marks=_Marks(job.id, files),
        output=TrialOutput(settings.trial_logs_dir(job.id), settings.max_trial_log_bytes),
        failures=store.failures(job.id),
    )
    context = _context(job, settings, code).to_bytes()
    work = Work(segments, recorder, context, (job.spec.cpu, job.spec.gpu))
    gives_back = settings.warm_processes and _left(job, records) > 1
    try:
        with warm_processes.keep_one(lambda: segments.is_full) if gives_back else nullcontext():
            while True:
                _wait_for_slot(allowance, run)
                run.do(work)
                recorder.flush()
                if not segments.has_no_slot:
                    break
        files.do(lambda: keep_models(store, storage, store.job(job.id)))
        files.do(lambda: storage.delete(*storage.names(stop_marks(job.id))))
    finally:
        search.close()
        files.close()
    return segments.has_paused


def _wait_for_slot(allowance: Allowance, run: TuneRun) -> None:
    """Wait while other jobs have their turn, and keep no slot from them."""
    while not (allowance.slots or allowance.pausing):
        run.end()
        time.sleep(SLOT_SECONDS)


def _storage_of(store: Store, settings: Settings, allowance: Allowance, job: JobRecord) -> Storage:
    """Return the storage, without what a former driver of the job has left there.

    Waits for one that cannot be read if the job needs something in it, unless the job is to pause:
    without checkpoints its trials would begin again, and without code or data they would fail.
    """
    storage = Storage(settings.storage_uri)
    while not allowance.pausing:
        try:
            recognize(store, storage)
            sweep(store, storage, job.id)
        except StorageError as error:
            needed = _needed(store, job)
            if not needed:
                logger.warning("%s; states are stored when it can be used", error)
                break
            logger.warning("%s; the job waits for its %s", error, needed)
            time.sleep(STORAGE_SECONDS)
        else:
            break
    return storage


def _needed(store: Store, job: JobRecord) -> str:
    """Return in words what the job needs of the storage before it can go on, "" for nothing."""
    if job.spec.code is not None:
        return "code"
    if job.spec.data is not None:
        return "data"
    return "checkpoints" if store.checkpoints(job.id) else ""


def _ensure_data(spec: JobSpec, settings: Settings, storage: Storage, allowance: Allowance) -> None:
    """Prepare the job's data on this node, unless the job is to pause anyway."""
    if not allowance.pausing:
        ensure_data(
            spec, settings.datasets_dir, storage, source=settings.fashion_mnist_dir,
            log=logger.info, patience=Patience(lambda text: logger.warning("the job %s", text)),
        )  # fmt: skip


def _at_intervals(action: Callable[[], None]) -> Callable[[], None]:
    """Return a function that does what ``action`` does, or nothing if that was just done."""
    last = time.monotonic()

    def act() -> None:
        nonlocal last
        if time.monotonic() - last >= PRUNE_SECONDS:
            last = time.monotonic()
            action()

    return act


class _Marks:
    """Asks segments to stop, by marks in the storage."""

    def __init__(self, job_id: str, files: StorageThread) -> None:
        self._job_id, self._files = job_id, files

    def stop(self, segment_id: str) -> None:
        """Ask a segment to stop at its next checkpoint."""
        self._files.mark(stop_mark(self._job_id, segment_id))

    def end(self, segment_id: str) -> None:
        """Ask a segment to end after its next epoch."""
        self._files.mark(end_mark(self._job_id, segment_id))


def _code(store: Store, job: JobRecord, settings: Settings) -> JobCode | None:
    """Return the code that the job's program needs, None for a job without."""
    if job.spec.code is None:
        return None
    record = store.code(job.spec.code)
    if record is None:
        raise CodeUnavailable(f"the code {job.spec.code} is gone: send it again, as a new job")
    return JobCode(record, settings.cache_dir)


def _context(job: JobRecord, settings: Settings, code: JobCode | None) -> TrialContext:
    """Return what all trials of the job have in common."""
    return TrialContext(
        job.id,
        job.spec,
        settings.datasets_dir,
        settings.fashion_mnist_dir,
        settings.storage_uri,
        settings.checkpoint_seconds,
        settings.max_checkpoint_bytes,
        settings.max_program_memory_bytes,
        settings.max_program_disk_bytes,
        code,
    )
