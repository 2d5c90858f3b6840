"""Of finished trials only the models of the best are kept; unfinished ones keep everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from results.records import Checkpoint, EpochReport, Lease, NewTrial
from results.states import JobState, TrialState
from results.storage import Storage, StorageError
from results.store import Store
from service.engine.models import keep_models
from tests.service.stand_ins import accept, claim, opened, settings_in, spec


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(settings_in(tmp_path, "")) as store:
        yield store


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "storage"))


def job_with(store: Store, trials: int, *, keep: int, mode: str = "min") -> Lease:
    """Claim a job of two epochs whose trials have started."""
    parameters = [{"learning_rate": 0.001 * (n + 1)} for n in range(trials)]
    accept(store, spec(trials=trials, keep=keep, mode=mode, epochs=2), parameters)
    lease = claim(store)
    for number in range(trials):
        store.start_trial(lease, number, node="here")
    return lease


def train(
    store: Store,
    storage: Storage,
    lease: Lease,
    number: int,
    rmse: float,
    state: TrialState | None = TrialState.SUCCEEDED,
) -> None:
    """Report two epochs, each with a checkpoint, and end the trial."""
    for epoch in (1, 2):
        store.write_reports(lease, [EpochReport(number, 1, epoch, {"train_rmse": rmse}, epoch)])
        name = f"jobs/{lease.job_id}/{number}/{epoch}.npz"
        storage.mark(name)
        store.add_checkpoint(lease, Checkpoint(number, epoch, epoch, name, 0, "0" * 64))
    if state is not None:
        store.finish_trial(lease, number, state)


def kept(store: Store, storage: Storage, lease: Lease) -> list[str]:
    """Keep the job's models; return which checkpoints are left, as ``trial/epoch``."""
    keep_models(store, storage, store.job(lease.job_id))
    names = storage.names(f"jobs/{lease.job_id}")
    assert names == sorted(checkpoint.name for checkpoint in store.checkpoints(lease.job_id))
    return [name.split("/", 2)[2].removesuffix(".npz") for name in names]


@pytest.mark.parametrize(
    ("keep", "mode", "left"),
    [
        (0, "min", []),
        (1, "min", ["1/2"]),
        (2, "min", ["1/2", "2/2"]),
        (1, "max", ["0/2"]),
        (9, "max", ["0/2", "1/2", "2/2"]),
    ],
)
def test_the_newest_checkpoints_of_the_best_trials_stay(
    store: Store, storage: Storage, keep: int, mode: str, left: list[str]
) -> None:
    lease = job_with(store, 3, keep=keep, mode=mode)
    for number, rmse in enumerate([3.0, 1.0, 2.0]):
        train(store, storage, lease, number, rmse)
    assert kept(store, storage, lease) == left
    assert kept(store, storage, lease) == left


def test_only_succeeded_trials_have_models(store: Store, storage: Storage) -> None:
    lease = job_with(store, 3, keep=3)
    train(store, storage, lease, 0, 0.1, TrialState.FAILED)
    train(store, storage, lease, 1, 0.2, TrialState.CANCELLED)
    train(store, storage, lease, 2, 0.3)
    assert kept(store, storage, lease) == ["2/2"]


def test_unfinished_trials_keep_their_checkpoints(store: Store, storage: Storage) -> None:
    lease = job_with(store, 3, keep=1)
    train(store, storage, lease, 0, 0.1)
    train(store, storage, lease, 1, 0.2, state=None)
    train(store, storage, lease, 2, 0.3, state=None)
    store.requeue_trial(lease, 2)
    assert kept(store, storage, lease) == ["0/2", "1/1", "1/2", "2/1", "2/2"]


def test_a_paused_trial_keeps_its_newest_checkpoint_and_a_stopped_one_none(
    store: Store, storage: Storage
) -> None:
    lease = job_with(store, 3, keep=1)
    train(store, storage, lease, 0, 0.1)
    train(store, storage, lease, 1, 0.2, state=None)
    train(store, storage, lease, 2, 0.05, TrialState.STOPPED)
    store.pause_trial(lease, 1)
    assert kept(store, storage, lease) == ["0/2", "1/2"]


def test_models_of_repeats_wait_until_their_configuration_can_be_ranked(
    store: Store, storage: Storage
) -> None:
    parameters = {"learning_rate": 0.1}
    space = replace(spec(keep=1, epochs=2).space, repeats=2)
    job = store.create_job(
        replace(spec(keep=1, epochs=2), space=space, trials=4), fingerprint="f",
        trials=[NewTrial(n, parameters, 42 + n, configuration=n - n % 2) for n in range(4)],
    )  # fmt: skip
    lease = claim(store)
    for number in range(4):
        store.start_trial(lease, number, node="here")
    for number, rmse in ((0, 0.5), (1, 0.5), (2, 0.1)):
        train(store, storage, lease, number, rmse)
    # Trial 2 may still turn out to be of the best configuration.
    assert kept(store, storage, lease) == ["0/2", "2/1", "2/2"]
    train(store, storage, lease, 3, 0.2)
    assert kept(store, storage, lease) == ["2/2"]
    assert job.id == lease.job_id


@pytest.mark.parametrize(("keep", "left"), [(0, []), (1, ["1/2"])])
def test_the_model_of_the_best_stays_where_an_extension_was_cancelled(
    store: Store, storage: Storage, keep: int, left: list[str]
) -> None:
    lease = job_with(store, 2, keep=keep)
    train(store, storage, lease, 0, 0.3)
    train(store, storage, lease, 1, 0.2)
    store.finish_job(lease, JobState.SUCCEEDED)
    store.extend_job(lease.job_id, trials=None, epochs=4, fingerprint="")
    store.request_cancel(lease.job_id)
    assert {trial.state for trial in store.trials(lease.job_id)} == {TrialState.CANCELLED}
    assert kept(store, storage, lease) == left


def test_a_better_trial_takes_the_place_of_the_best(store: Store, storage: Storage) -> None:
    lease = job_with(store, 2, keep=1)
    train(store, storage, lease, 0, 0.2)
    assert kept(store, storage, lease) == ["0/2"]
    train(store, storage, lease, 1, 0.1)
    assert kept(store, storage, lease) == ["1/2"]


def test_a_storage_that_is_away_leaves_no_row_without_its_file(
    store: Store, storage: Storage, tmp_path: Path
) -> None:
    lease = job_with(store, 2, keep=1)
    for number in (0, 1):
        train(store, storage, lease, number, float(number))
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="Not a directory"):
        keep_models(store, Storage(str(tmp_path / "file")), store.job(lease.job_id))
    (model,) = store.checkpoints(lease.job_id)
    assert (model.trial, model.epoch) == (0, 2)
    assert storage.has(model.name)


def test_what_a_copy_begins_with_stays_until_it_has_its_own(store: Store, storage: Storage) -> None:
    lease = job_with(store, 1, keep=0)
    train(store, storage, lease, 0, 0.1, TrialState.FAILED)
    store.add_trial(lease, NewTrial(1, {"learning_rate": 0.1}, 42, parent=0, start_epoch=1))
    assert kept(store, storage, lease) == ["0/1"]
    store.start_trial(lease, 1, node="here", resumed_from=1)
    store.write_reports(lease, [EpochReport(1, 1, 2, {"train_rmse": 0.1}, 2)])
    name = f"jobs/{lease.job_id}/1/2.npz"
    storage.mark(name)
    store.add_checkpoint(lease, Checkpoint(1, 2, 2, name, 0, "0" * 64))
    assert kept(store, storage, lease) == ["1/2"]
