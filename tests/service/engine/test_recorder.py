"""When moves of trials are written, and what happens while the database is away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from results.errors import LeaseLost
from results.records import Checkpoint, EpochReport, Lease
from results.states import TrialState
from results.storage import Storage
from results.store import Store
from results.store.batch import AddCheckpoint, FinishTrial, StartTrial
from service.engine.recorder import FLUSH_SECONDS, RETRY_SECONDS, Recorder
from service.engine.storage_thread import StorageThread
from tests.service.stand_ins import accept, away, claim, opened, settings_in


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(settings_in(tmp_path, "127.0.0.1:1")) as store:
        yield store


@pytest.fixture
def lease(store: Store) -> Lease:
    accept(store)
    return claim(store)


class Run:
    """A recorder over a clock that stands still unless it is set."""

    def __init__(self, store: Store, lease: Lease, folder: Path) -> None:
        self.now, self.slept, self.finished = 0.0, list[float](), list[str]()
        self.storage = Storage(str(folder / "storage"))
        self.files = StorageThread(self.storage)
        self.recorder = Recorder(
            store, lease, self.files,
            on_finished=lambda: self.finished.append(store.trial(lease.job_id, 0).state),
            clock=lambda: self.now, sleep=self.sleep,
        )  # fmt: skip

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def run(store: Store, lease: Lease, tmp_path: Path) -> Iterator[Run]:
    run = Run(store, lease, tmp_path)
    yield run
    run.files.close()


def epoch(number: int, value: float) -> EpochReport:
    return EpochReport(0, 0, number, {"train_rmse": value}, float(number))


def curve(store: Store, lease: Lease) -> tuple[float | None, ...]:
    return store.curve(lease.job_id, 0).metrics.get("train_rmse", ())


def test_what_has_gathered_is_written_in_order_once_it_is_due(
    run: Run, store: Store, lease: Lease
) -> None:
    run.recorder.add(StartTrial(0, "here"))
    run.recorder.report(epoch(1, 0.5))
    run.recorder.flush_if_due()
    assert store.trial(lease.job_id, 0).state is TrialState.QUEUED
    run.now += FLUSH_SECONDS
    run.recorder.flush_if_due()
    assert (store.trial(lease.job_id, 0).state, curve(store, lease)) == ("running", (0.5,))
    run.recorder.report(epoch(2, 0.25))
    run.recorder.add(FinishTrial(0, TrialState.SUCCEEDED))
    run.recorder.flush()
    assert curve(store, lease) == (0.5, 0.25)
    assert run.finished == ["succeeded"]
    before = store.last_event()
    run.recorder.flush()
    assert store.last_event() == before, "nothing is written twice"


def test_nothing_is_dropped_while_the_database_is_away(
    run: Run, store: Store, lease: Lease
) -> None:
    run.recorder.add(StartTrial(0, "here"))
    run.recorder.report(epoch(1, 0.5))
    back: list[object] = []
    with away(store) as _:

        def sleep(seconds: float) -> None:
            back.append(seconds)
            raise TimeoutError

        run.recorder._sleep = sleep
        with pytest.raises(TimeoutError):
            run.recorder.flush()
    assert back == [RETRY_SECONDS]
    run.recorder.flush()
    assert curve(store, lease) == (0.5,)


def test_a_lost_lease_ends_the_run(run: Run, store: Store, lease: Lease) -> None:
    store.release_job(lease)
    claim(store)
    run.recorder.add(StartTrial(0, "here"))
    with pytest.raises(LeaseLost):
        run.recorder.flush()


def test_a_dropped_checkpoint_is_forgotten_and_its_file_deleted(
    run: Run, store: Store, lease: Lease, tmp_path: Path
) -> None:
    names = [f"jobs/{lease.job_id}/0/s-{number}.npz" for number in (1, 2)]
    source = tmp_path / "state"
    source.write_bytes(b"state")
    kept = [Checkpoint(0, n, 1.0, name, 5, "0" * 64) for n, name in enumerate(names, start=1)]
    run.recorder.add(StartTrial(0, "here"))
    for number, checkpoint in enumerate(kept, start=1):
        run.storage.save(checkpoint.name, source)
        run.recorder.report(epoch(number, 0.5))
        run.recorder.add(AddCheckpoint(checkpoint))
    run.recorder.drop(kept[:1])
    run.recorder.flush()
    assert store.checkpoints(lease.job_id) == (kept[1],)
    run.files.close()
    assert run.storage.names("jobs") == [names[1]]
