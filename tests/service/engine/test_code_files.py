"""Code is fetched once to a node, and each attempt has a fresh copy; what is missing is named."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from results.records import CodeRecord
from results.states import FailureKind
from results.storage import Storage
from service.engine.code_files import JobCode, lay_out
from service.engine.failures import failure_of_trial
from service.engine.patience import Patience
from tests.service.code.archives import file, packed
from trainables.contract import CodeUnavailable

CONTENT = packed(file("train.py"), file("run.sh", b"#!/bin/sh\n", mode=0o755))
SHA256 = hashlib.sha256(CONTENT).hexdigest()
RECORD = CodeRecord(f"sha256:{SHA256}", "code/x.tar.gz", len(CONTENT), 2, 19)


#: Nothing here is to be waited for but what a test lets come back.
PATIENCE = Patience(lambda _: None, sleep=lambda _: None, clock=lambda: 0.0)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    storage = Storage(str(tmp_path / "storage"))
    storage.sign()
    (tmp_path / "sent").write_bytes(CONTENT)
    storage.save(RECORD.name, tmp_path / "sent")
    return storage


@pytest.fixture
def code(tmp_path: Path) -> JobCode:
    return JobCode(RECORD, tmp_path / "cache")


def cached(code: JobCode) -> Path:
    return code.cache_dir / "code" / f"{SHA256}.tar.gz"


def test_each_attempt_has_a_fresh_copy_and_the_node_fetches_once(
    code: JobCode, storage: Storage, tmp_path: Path
) -> None:
    lay_out(code, storage, tmp_path / "1" / "code", PATIENCE)
    (tmp_path / "1" / "code" / "train.py").write_text("spoiled", encoding="utf-8")
    storage.delete(RECORD.name)
    lay_out(code, storage, tmp_path / "2" / "code", PATIENCE)
    assert (tmp_path / "2" / "code" / "train.py").read_bytes() == b"print(1)\n"
    assert os.access(tmp_path / "2" / "code" / "run.sh", os.X_OK)


def test_a_changed_archive_of_a_node_is_fetched_again(
    code: JobCode, storage: Storage, tmp_path: Path
) -> None:
    lay_out(code, storage, tmp_path / "1", PATIENCE)
    cached(code).write_bytes(packed(file("train.py", b"evil")))
    lay_out(code, storage, tmp_path / "2", PATIENCE)
    assert (tmp_path / "2" / "train.py").read_bytes() == b"print(1)\n"


def test_many_trial_processes_may_fetch_at_once(
    code: JobCode, storage: Storage, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: lay_out(code, storage, tmp_path / f"{n}", PATIENCE), range(8)))
    assert all((tmp_path / f"{n}" / "train.py").exists() for n in range(8))
    assert [path.name for path in cached(code).parent.iterdir()] == [cached(code).name]


def test_archives_that_nobody_uses_are_deleted(
    code: JobCode, storage: Storage, tmp_path: Path
) -> None:
    for name in ("old", "new"):
        (code.cache_dir / "code").mkdir(parents=True, exist_ok=True)
        (code.cache_dir / "code" / name).touch()
    os.utime(code.cache_dir / "code" / "old", (1.0, 1.0))
    lay_out(code, storage, tmp_path / "1", PATIENCE)
    assert {path.name for path in cached(code).parent.iterdir()} == {"new", cached(code).name}


def test_code_that_is_gone_damaged_or_cannot_be_written_is_named(
    code: JobCode, storage: Storage, tmp_path: Path
) -> None:
    other = replace(code, record=replace(RECORD, name="code/other"))
    with pytest.raises(CodeUnavailable, match="is not in the storage") as caught:
        lay_out(other, storage, tmp_path / "1", PATIENCE)
    assert failure_of_trial(caught.value).kind is FailureKind.INFEASIBLE
    (tmp_path / "damaged").write_bytes(CONTENT[:-9])
    storage.save("code/other", tmp_path / "damaged")
    with pytest.raises(CodeUnavailable, match="is damaged in the storage"):
        lay_out(other, storage, tmp_path / "2", PATIENCE)
    (tmp_path / "file").touch()
    with pytest.raises(CodeUnavailable, match="cannot be written on this node"):
        lay_out(code, storage, tmp_path / "file" / "code", PATIENCE)


def test_an_archive_that_is_larger_than_its_record_is_not_unpacked(
    code: JobCode, storage: Storage, tmp_path: Path
) -> None:
    small = replace(code, record=replace(RECORD, unpacked=5))
    with pytest.raises(CodeUnavailable, match="cannot be had"):
        lay_out(small, storage, tmp_path / "1", PATIENCE)


def test_a_node_waits_for_a_storage_that_is_away(
    code: JobCode, storage: Storage, tmp_path: Path
) -> None:
    mounted = (tmp_path / "storage").rename(tmp_path / "mounted")
    (tmp_path / "storage").mkdir()
    said: list[str] = []

    def mount(_: float) -> None:
        (tmp_path / "storage").rmdir()
        mounted.rename(tmp_path / "storage")

    patience = Patience(said.append, clock=lambda: 0.0, sleep=mount)
    lay_out(code, storage, tmp_path / "1", patience)
    assert (tmp_path / "1" / "train.py").exists()
    assert len(said) == 1
    assert said[0].startswith("waits for its code: the storage ")
