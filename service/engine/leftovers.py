"""Deletes files and events that nobody needs, and forgets checkpoints whose files are gone."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby

from results.errors import JobNotFound, StoreUnavailable, UnreadableJob
from results.records import JobRecord
from results.states import DELETED
from results.storage import Storage, StorageError, StoredFile
from results.store import Store
from service.engine.job_data import name_in_storage
from service.engine.models import keep_models

logger = logging.getLogger("service.engine.leftovers")

#: A job's files are left alone until none of them has been written for so long.
QUIET = timedelta(hours=1)
# Of a storage of a former version, which has no mark, so many checkpoints are looked for.
_LOOKED_FOR = 20


def recognize(store: Store, storage: Storage) -> None:
    """Raise :class:`results.storage.StorageError` unless the database's checkpoints lie here.

    Signs a storage at its first use: the database names no checkpoint then. One that a former
    version has filled is signed if any of some checkpoints is there.
    """
    names = store.checkpoint_names(_LOOKED_FOR)
    try:
        storage.check()
    except StorageError:
        if names and not any(map(storage.has, names)):
            raise
        storage.sign()


def sweep(store: Store, storage: Storage, job_id: str) -> None:
    """Make the job's files and its checkpoints' rows match, before anything of it runs.

    Files that no row names are deleted: checkpoints whose row was never written, parts of files,
    marks. Rows of unfinished trials whose file is gone are dropped. The row of a finished trial
    stays, to tell that its model is missing here. Raises :class:`results.storage.StorageError`,
    also where another storage stands in the place of the right one: then nothing is gone.
    """
    # Listed before the rows are read, so every listed file that counts has its row by then.
    names = storage.names(f"jobs/{job_id}")
    checkpoints = store.checkpoints(job_id)
    unfinished = {t.number for t in store.trials(job_id) if not t.state.is_finished}
    storage.delete(*sorted(set(names) - {checkpoint.name for checkpoint in checkpoints}))
    gone = [c for c in checkpoints if c.trial in unfinished and c.name not in names]
    if gone:
        storage.check()
    for checkpoint in gone:
        logger.warning(
            "job %s: the checkpoint of trial %d after epoch %d is gone: %s is not in the storage",
            job_id, checkpoint.trial, checkpoint.epoch, checkpoint.name,
        )  # fmt: skip
    if gone:
        store.drop_checkpoints(job_id, [checkpoint.name for checkpoint in gone])


def sweep_deleted_jobs(store: Store, storage: Storage) -> None:
    """Delete what is left in the storage of jobs that were deleted, or ended without a driver.

    Files of a deleted job are left if the storage was away when it was deleted; those of a job
    that was cancelled in the queue are left of its former driver. A job that this database has
    never had is not touched: another database may use the same storage. Raises
    :class:`results.storage.StorageError`.
    """
    for job_id, files in _files_by_job(storage).items():
        if max(file.modified for file in files) > datetime.now(UTC) - QUIET:
            continue
        try:
            _tidy(store, storage, store.job(job_id), files)
        except JobNotFound:
            if _was_deleted(store, job_id):
                logger.info("job %s was deleted: deleting its %d files", job_id, len(files))
                storage.delete_folder(f"jobs/{job_id}")
        except UnreadableJob as error:
            logger.info("the files of job %s are left alone: %s", job_id, error)


def sweep_code(store: Store, storage: Storage) -> None:
    """Delete code that no job has named for a day, and what uploads that broke off have left.

    Raises :class:`results.storage.StorageError`; the log names what was to be deleted.
    """
    for name in store.drop_unused_code():
        logger.info("no job needs %s, sent or used a day ago: deleting it", name)
        storage.delete(name)


def sweep_datasets(store: Store, storage: Storage) -> None:
    """Delete what is left in the storage of removed data sets that no job names any longer.

    A file that was written since is of the same content, sent again, and stays. Each content is
    forgotten by one of several sweeps at once. Raises :class:`results.storage.StorageError`.
    """
    for digest in store.forget_datasets(removed_for_seconds=QUIET.total_seconds()):
        name = name_in_storage(digest)
        written = {file.name: file.modified for file in storage.files("datasets")}
        if name in written and written[name] < datetime.now(UTC) - QUIET:
            logger.info("data set %s was removed and no job names it: deleting it", digest[:12])
            storage.delete(name)


def sweep_events(store: Store, keep_days: float) -> None:
    """Delete the events that are older than so many days."""
    if pruned := store.prune_events(keep_days):
        logger.info("%d changes of state were older than %g days: deleted", pruned, keep_days)


def start_sweeps(
    store: Store, storage: Storage, stopped: threading.Event, *, event_days: float
) -> None:
    """Start a thread that sweeps now and every hour until ``stopped``, however slow it is."""
    threading.Thread(
        target=_sweep_hourly, args=(store, storage, stopped, event_days), name="sweeps", daemon=True
    ).start()


def _sweep_hourly(
    store: Store, storage: Storage, stopped: threading.Event, event_days: float
) -> None:
    while not stopped.is_set():
        try:
            sweep_events(store, event_days)  # first: it needs no storage
            sweep_deleted_jobs(store, storage)
            sweep_code(store, storage)
            sweep_datasets(store, storage)
        except (StorageError, StoreUnavailable) as error:
            logger.warning("the next sweep is in an hour: %s", error)
        stopped.wait(QUIET.total_seconds())


def _files_by_job(storage: Storage) -> Mapping[str, Sequence[StoredFile]]:
    """Return the files in the storage by the id of their job."""
    files = [file for file in storage.files("jobs") if file.name.count("/") > 1]
    return {key: tuple(group) for key, group in groupby(files, lambda f: f.name.split("/")[1])}


def _was_deleted(store: Store, job_id: str) -> bool:
    """Whether the database remembers that the job was deleted."""
    after = 0
    while events := store.events(after=after, job_id=job_id):
        if any(event.state == DELETED for event in events):
            return True
        after = events[-1].id
    return False


def _tidy(store: Store, storage: Storage, job: JobRecord, files: Sequence[StoredFile]) -> None:
    """Delete all files of a finished job but its models."""
    if job.state.is_finished and len(files) > job.spec.keep:
        keep_models(store, storage, job)
        named = {checkpoint.name for checkpoint in store.checkpoints(job.id)}
        storage.delete(*(file.name for file in files if file.name not in named))
