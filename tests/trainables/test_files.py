"""Locks that are waited for and given up; files written whole or not at all."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from trainables.files import locked, remove_folder, replace, sha256_of, walk


def test_a_lock_is_waited_for_and_each_wait_is_logged(tmp_path: Path) -> None:
    path, held, lines = tmp_path / "new" / "code.lock", threading.Event(), list[str]()
    path.parent.mkdir()

    def hold() -> None:
        with FileLock(path):
            held.set()
            while len(lines) < 2:
                threading.Event().wait(0.01)

    other = threading.Thread(target=hold)
    other.start()
    held.wait()
    with locked(path, lines.append, retry_seconds=0.05):
        other.join(timeout=10)
        assert not other.is_alive()
    assert set(lines) == {f"waiting for another process that holds {path}"}
    with FileLock(path, timeout=0) as freed:
        assert freed.is_locked


def test_a_free_lock_makes_its_folder_and_logs_nothing(tmp_path: Path) -> None:
    lines: list[str] = []
    with locked(tmp_path / "a" / "b" / ".lock", lines.append):
        assert (tmp_path / "a" / "b").is_dir()
    assert lines == []


def test_a_lock_that_is_never_freed_is_given_up(tmp_path: Path) -> None:
    path, lines = tmp_path / "code.lock", list[str]()
    with (
        FileLock(path),
        pytest.raises(TimeoutError, match=f"waited 0 s for the process that holds {path}: it is"),
        locked(path, lines.append, retry_seconds=0.05, patience_seconds=0.1),
    ):
        raise AssertionError("the lock is held by another")
    assert lines


def test_a_lock_is_freed_by_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locked(tmp_path / ".lock"):
        raise KeyError
    with FileLock(tmp_path / ".lock", timeout=0):
        pass


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    old = path.open()
    replace(path, lambda part: part.write_text("new"))
    assert (path.read_text(), old.read()) == ("new", "old")
    old.close()
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail(part: Path) -> None:
        part.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        replace(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_read_only_folder_goes_and_what_a_link_in_it_names_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "data").write_text("kept", encoding="utf-8")
    mine = (tmp_path / "mine" / "data", tmp_path / "mine")
    for path in mine:
        path.chmod(0o555)
    folder = tmp_path / "folder"
    (folder / "sub" / "deep").mkdir(parents=True)
    (folder / "sub" / "file").symlink_to(tmp_path / "mine" / "data")
    (folder / "sub" / "folder").symlink_to(tmp_path / "mine")
    for path in (folder / "sub" / "deep", folder / "sub", folder):
        path.chmod(0o555)
    remove_folder(folder)
    assert not folder.exists()
    assert {path.stat().st_mode & 0o777 for path in mine} == {0o555}
    remove_folder(folder)
    (tmp_path / "mine").chmod(0o755)


def test_folders_may_be_deeper_than_functions_call_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "deep"
    folder.mkdir()
    here = os.open(folder, os.O_RDONLY)
    for _ in range(1_100):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    assert sum(1 for _ in walk(folder)) == 1_100
    remove_folder(folder)
    assert not folder.exists()


def test_a_files_digest_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of(tmp_path / "a") == digest
