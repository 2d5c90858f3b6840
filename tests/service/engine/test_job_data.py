"""A job's data come to each node: by name, or by the digest of users' content."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from results.spec import DataRef, JobSpec
from results.storage import Storage
from search_spaces import NO_DATASET
from service.engine.job_data import ensure_data, load_data, name_in_storage
from service.engine.patience import PATIENCE_SECONDS, Patience
from tests.service.stand_ins import spec
from tests.trainables.own_data.files import made, table
from trainables.contract import DatasetUnavailable
from trainables.datasets import RegressionData
from trainables.own_data.making import tree_of
from trainables.own_data.stored import write

PATIENCE = Patience(lambda _: None, sleep=lambda _: None)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "storage"))


@pytest.fixture
def job(tmp_path: Path, storage: Storage) -> JobSpec:
    """A job on a user's data, which are in the storage."""
    storage.sign()
    file = tmp_path / "content.npz"
    digest = write(file, tree_of(made(tmp_path, table(), target="price").prepared))
    storage.save(name_in_storage(digest), file)
    data = DataRef(digest, "regression", "price", ("train", "validation", "test"))
    return replace(spec(dataset="prices"), data=data)


def test_users_data_are_fetched_once(tmp_path: Path, storage: Storage, job: JobSpec) -> None:
    folder, lines = tmp_path / "datasets", []
    options: dict[str, Any] = {"source": None, "log": lines.append, "patience": PATIENCE}
    ensure_data(job, folder, storage, **options)
    assert lines == ["prices: fetching it from the storage"]
    storage.delete_folder("datasets")
    ensure_data(job, folder, storage, **options)
    assert len(lines) == 1
    data = load_data(job, folder, source=None)
    assert isinstance(data, RegressionData)
    assert data.name == "prices"
    assert [path.name for path in folder.iterdir()] == ["own"]


def test_a_node_waits_for_a_storage_that_is_away_and_then_gives_up(
    tmp_path: Path, storage: Storage, job: JobSpec
) -> None:
    (tmp_path / "storage").rename(tmp_path / "away")
    now, said = [0.0], list[str]()
    patience = Patience(said.append, lambda: now[-1], lambda seconds: now.append(now[-1] + seconds))
    with pytest.raises(DatasetUnavailable, match=r"cannot be fetched: .*mount it"):
        ensure_data(
            job, tmp_path / "datasets", storage, source=None, log=said.append, patience=patience
        )
    assert now[-1] == PATIENCE_SECONDS
    assert [line for line in said if "waits for its data" in line] == said[1:]


def test_a_file_that_is_gone_is_told(tmp_path: Path, storage: Storage, job: JobSpec) -> None:
    storage.delete_folder("datasets")
    with pytest.raises(DatasetUnavailable, match="prices: its file cannot be fetched"):
        ensure_data(
            job, tmp_path / "datasets", storage, source=None, log=lambda _: None, patience=PATIENCE
        )


def test_argbests_own_data_and_none(tmp_path: Path, storage: Storage) -> None:
    options: dict[str, Any] = {"source": None, "log": lambda _: None, "patience": PATIENCE}
    ensure_data(spec(), tmp_path, storage, **options)
    ames = load_data(spec(), tmp_path, source=None)
    assert isinstance(ames, RegressionData)
    without = replace(spec(), space=replace(spec().space, dataset=NO_DATASET, checked=True))
    ensure_data(without, tmp_path, storage, **options)
    assert load_data(without, tmp_path, source=None) is None
