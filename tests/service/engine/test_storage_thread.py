"""Work on the storage in the background: in order, to its end, and whatever fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from results.storage import Storage, StorageError
from service.engine import storage_thread
from service.engine.storage_thread import StorageThread
from tests.service.running import until


def test_work_is_done_in_order_and_to_its_end(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path / "storage"))
    files = StorageThread(storage)
    files.mark("jobs/a/stop/1")
    files.mark("jobs/a/stop/2")
    files.delete(["jobs/a/stop/1", "jobs/a/stop/unknown"])
    files.close()
    assert storage.names("jobs") == ["jobs/a/stop/2"]


def test_work_that_fails_is_said_and_the_next_is_done(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def away() -> None:
        raise StorageError("the server is away")

    def wrong() -> None:
        raise KeyError("odd")

    files = StorageThread(Storage(str(tmp_path / "storage")))
    done: list[int] = []
    for work in (away, wrong, lambda: done.append(1)):
        files.do(work)
    files.close()
    assert done == [1]
    assert "the server is away" in caplog.text
    assert "work on the storage failed" in caplog.text


def test_a_mark_is_made_once_the_storage_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without it a segment would never hear that it is to stop, and its job would never pause."""
    monkeypatch.setattr(storage_thread, "RETRY_SECONDS", 0.01)
    folder = tmp_path / "storage"
    folder.write_bytes(b"a file where the folder was")
    storage = Storage(str(folder))
    files = StorageThread(storage)
    files.mark("jobs/a/stop/1")
    files.mark("jobs/a/stop/2")
    until(lambda: caplog.text.count("cannot write") > 2, within_s=30, what="several tries")
    folder.unlink()
    until(lambda: len(storage.names("jobs")) == 2, within_s=30, what="both marks")
    files.close()
