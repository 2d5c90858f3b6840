"""Files that no row names are deleted, and rows whose files are gone are dropped."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from results.records import Checkpoint, CodeRecord, EpochReport, Lease
from results.spec import DataRef
from results.states import JobState, TrialState
from results.storage import Storage, StorageError
from results.store import Store
from results.store.tables import CODE, DATASETS
from service.engine import leftovers
from service.engine.job_data import name_in_storage
from service.engine.leftovers import (
    recognize,
    start_sweeps,
    sweep,
    sweep_code,
    sweep_datasets,
    sweep_deleted_jobs,
)
from tests.service.running import until
from tests.service.stand_ins import accept, claim, opened, settings_in, spec

HOUR_S = 3600.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(settings_in(tmp_path, "")) as store:
        yield store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "storage"


@pytest.fixture
def storage(folder: Path) -> Storage:
    found = Storage(str(folder))
    found.sign()
    return found


def running(store: Store) -> Lease:
    """Claim a new job of two trials and three epochs; they have started."""
    parameters = [{"learning_rate": 0.001}, {"learning_rate": 0.002}]
    accept(store, spec(trials=2, epochs=3), parameters)
    lease = claim(store)
    for number in (0, 1):
        store.start_trial(lease, number, node="here")
    return lease


def add(store: Store, storage: Storage, lease: Lease, trial: int, epoch: int) -> str:
    """Store a checkpoint; return its name."""
    name = f"jobs/{lease.job_id}/{trial}/{epoch}.npz"
    storage.mark(name)
    store.write_reports(lease, [EpochReport(trial, 1, epoch, {"train_rmse": 1.0}, epoch)])
    store.add_checkpoint(lease, Checkpoint(trial, epoch, epoch, name, 0, "0" * 64))
    return name


def named(store: Store, lease: Lease) -> list[str]:
    return sorted(checkpoint.name for checkpoint in store.checkpoints(lease.job_id))


def finish(store: Store, lease: Lease, state: TrialState = TrialState.SUCCEEDED) -> None:
    for number in (0, 1):
        store.finish_trial(lease, number, state)
    store.finish_job(lease, JobState(state))


def age(folder: Path, seconds: float = 2 * HOUR_S) -> None:
    """Make all files in the storage look as if they had been written so long ago."""
    then = time.time() - seconds
    for path in folder.rglob("*"):
        os.utime(path, (then, then))


def test_files_without_a_row_are_deleted(store: Store, storage: Storage) -> None:
    lease, other = running(store), "jobs/0123456789abcdef/0/1.npz"
    wanted = [add(store, storage, lease, trial, epoch) for trial in (0, 1) for epoch in (1, 2)]
    for name in ("0/3.npz", "1/3.npz.0badf00d.part", "stop/segment"):
        storage.mark(f"jobs/{lease.job_id}/{name}")
    storage.mark(other)
    sweep(store, storage, lease.job_id)
    assert storage.names() == sorted([*wanted, other])
    assert named(store, lease) == wanted


def test_rows_without_a_file_are_dropped(
    store: Store, storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    lease = running(store)
    first, second = add(store, storage, lease, 1, 1), add(store, storage, lease, 1, 2)
    storage.delete(second)
    with caplog.at_level(logging.WARNING):
        sweep(store, storage, lease.job_id)
    assert named(store, lease) == [first]
    assert store.trial(lease.job_id, 1).checkpoint == 1
    (line,) = caplog.messages
    assert f"trial 1 after epoch 2 is gone: {second} is not in the storage" in line


def test_of_a_share_that_is_not_mounted_no_row_is_dropped(
    store: Store, storage: Storage, folder: Path
) -> None:
    lease = running(store)
    names = [add(store, storage, lease, 1, epoch) for epoch in (1, 2)]
    mounted = folder.rename(folder.with_name("mounted"))
    for is_empty_folder in (False, True):
        if is_empty_folder:
            folder.mkdir()
        with pytest.raises(StorageError, match=r"lacks the file argbest-storage.*mount it"):
            recognize(store, storage)
        with pytest.raises(StorageError, match="mount it"):
            sweep(store, storage, lease.job_id)
    assert named(store, lease) == names
    assert list(folder.iterdir()) == []
    folder.rmdir()
    mounted.rename(folder)
    recognize(store, storage)
    sweep(store, storage, lease.job_id)
    assert named(store, lease) == names


def test_a_storage_is_signed_at_its_first_use(store: Store, folder: Path) -> None:
    storage = Storage(str(folder))
    recognize(store, storage)
    storage.check()
    assert storage.names() == []


def test_a_storage_of_a_former_version_is_signed_if_a_checkpoint_is_there(
    store: Store, folder: Path
) -> None:
    storage = Storage(str(folder))
    lease = running(store)
    first, second = (add(store, storage, lease, 1, epoch) for epoch in (1, 2))
    storage.delete(first)
    recognize(store, storage)
    storage.check()
    sweep(store, storage, lease.job_id)
    assert named(store, lease) == [second]


def test_the_row_of_a_model_that_is_gone_stays(store: Store, storage: Storage) -> None:
    """The API can then say that the model is missing, and where it was."""
    lease = running(store)
    model = add(store, storage, lease, 0, 1)
    store.finish_trial(lease, 0, TrialState.SUCCEEDED)
    storage.delete(model)
    sweep(store, storage, lease.job_id)
    assert named(store, lease) == [model]


def test_a_job_without_files_has_nothing_to_sweep(store: Store, storage: Storage) -> None:
    lease = running(store)
    sweep(store, storage, lease.job_id)
    assert (storage.names(), named(store, lease)) == ([], [])


def test_files_of_a_deleted_job_go_after_an_hour(
    store: Store, storage: Storage, folder: Path
) -> None:
    lease, live = running(store), running(store)
    add(store, storage, lease, 0, 1)
    wanted = add(store, storage, live, 0, 1)
    finish(store, lease)
    store.delete_job(lease.job_id)
    age(folder, 0.9 * HOUR_S)
    sweep_deleted_jobs(store, storage)
    assert len(storage.names()) == 2
    age(folder)
    sweep_deleted_jobs(store, storage)
    assert storage.names() == [wanted]


def test_files_that_are_not_of_this_database_are_left(
    store: Store, storage: Storage, folder: Path
) -> None:
    names = ["jobs/0123456789abcdef/0/1.npz", "jobs/notes.txt", "jobs/reports/a", "other/b"]
    for name in names:
        storage.mark(name)
    age(folder)
    sweep_deleted_jobs(store, storage)
    assert storage.names() == names


def test_a_job_that_ended_without_a_driver_keeps_its_models_only(
    store: Store, storage: Storage, folder: Path
) -> None:
    lease = running(store)
    model = add(store, storage, lease, 0, 1)
    add(store, storage, lease, 1, 1)
    storage.mark(f"jobs/{lease.job_id}/stop/segment")
    store.finish_trial(lease, 0, TrialState.SUCCEEDED)
    store.finish_trial(lease, 1, TrialState.CANCELLED)
    store.request_cancel(lease.job_id)
    store.finish_job(lease, JobState.CANCELLED)
    sweep_deleted_jobs(store, storage)
    assert len(storage.names()) == 3
    age(folder)
    sweep_deleted_jobs(store, storage)
    assert storage.names() == named(store, lease) == [model]


def test_files_of_an_unfinished_job_are_left(store: Store, storage: Storage, folder: Path) -> None:
    lease = running(store)
    names = [add(store, storage, lease, 0, epoch) for epoch in (1, 2)]
    age(folder)
    sweep_deleted_jobs(store, storage)
    assert storage.names() == named(store, lease) == names


def test_an_empty_storage_is_not_made(store: Store, folder: Path) -> None:
    sweep_deleted_jobs(store, Storage(str(folder)))
    assert not folder.exists()


def test_the_sweeps_run_in_a_thread_from_the_start_on_until_stopped(
    store: Store, storage: Storage, folder: Path
) -> None:
    lease, stopped = running(store), threading.Event()
    add(store, storage, lease, 0, 1)
    finish(store, lease)
    store.delete_job(lease.job_id)
    age(folder)
    start_sweeps(store, storage, stopped, event_days=1e-9)
    until(lambda: not storage.names(), within_s=30, what="the files are deleted")
    assert [event.state for event in store.events()] == ["deleted"]
    stopped.set()
    until(lambda: not sweeping(), within_s=30, what="the thread has ended")


def test_a_storage_that_is_away_is_swept_later(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    nobody = Storage("s3://key:secret@bucket?endpoint_override=http://127.0.0.1:1")
    stopped = threading.Event()
    accept(store)
    accept(store)
    start_sweeps(store, nobody, stopped, event_days=1e-9)
    until(lambda: "the next sweep is in an hour" in caplog.text, within_s=30, what="a line")
    assert sweeping()
    assert len(store.events()) == 1, "old events need no storage to go"
    stopped.set()
    until(lambda: not sweeping(), within_s=30, what="the thread has ended")


def sweeping() -> bool:
    return any(thread.name == "sweeps" for thread in threading.enumerate())


def test_code_that_no_job_needs_is_deleted_with_its_file(store: Store, storage: Storage) -> None:
    for letter in "ab":
        storage.mark(f"code/{letter}.tar.gz")
        store.add_code(CodeRecord(f"sha256:{letter * 64}", f"code/{letter}.tar.gz", 1, 1, 1))
    with store._database.write() as connection:
        old = sa.update(CODE).where(CODE.c.name == "code/a.tar.gz")
        connection.execute(old.values(used_at=CODE.c.used_at - 2 * 86_400))
    sweep_code(store, storage)
    assert storage.names("code") == ["code/b.tar.gz"]


def test_removed_data_sets_are_deleted_once_no_job_names_them(
    store: Store, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    used, unused = "a" * 64, "b" * 64
    for name, digest in (("used", used), ("unused", unused), ("kept", "c" * 64)):
        storage.mark(name_in_storage(digest))
        store.add_dataset(name, digest, kind="regression", size=0, card={})
    accept(store, replace(spec(), data=DataRef(used, "regression", "y", ("train", "test"))))
    store.remove_dataset("used")
    store.remove_dataset("unused")
    sweep_datasets(store, storage)
    assert len(storage.names("datasets")) == 3  # a job may be about to name one
    monkeypatch.setattr(leftovers, "QUIET", timedelta(seconds=-1))
    sweep_datasets(store, storage)
    assert storage.names("datasets") == [name_in_storage(used), name_in_storage("c" * 64)]


def test_data_that_are_sent_again_while_a_sweep_runs_stay(
    store: Store, storage: Storage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two sweeps at once forget each content once; what is written meanwhile is newer."""
    digest = "a" * 64
    storage.mark(name_in_storage(digest))
    store.add_dataset("prices", digest, kind="regression", size=0, card={})
    store.remove_dataset("prices")
    with store._database.write() as connection:
        then = DATASETS.c.removed_at - 2 * HOUR_S
        connection.execute(sa.update(DATASETS).values(removed_at=then))
    age(folder)

    def forget(*, removed_for_seconds: float) -> tuple[str, ...]:
        found = forget_datasets(removed_for_seconds=removed_for_seconds)
        assert forget_datasets(removed_for_seconds=removed_for_seconds) == ()
        storage.mark(name_in_storage(digest))
        store.add_dataset("prices", digest, kind="regression", size=0, card={})
        return found

    forget_datasets = store.forget_datasets
    monkeypatch.setattr(store, "forget_datasets", forget)
    sweep_datasets(store, storage)
    assert storage.names("datasets") == [name_in_storage(digest)]
    assert store.dataset("prices").digest == digest
