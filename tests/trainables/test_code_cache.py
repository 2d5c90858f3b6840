"""Compiled code on disk: kept, damaged, failed, not to be written, of other versions."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from trainables.code_cache import (
    FAILURE_SECONDS,
    UNUSED_SECONDS,
    CompileError,
    KeptCode,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "versions" / "this"


def _refuse() -> bytes:
    raise AssertionError("nothing is to be compiled here")


def _age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_code_is_compiled_once(folder: Path) -> None:
    assert KeptCode(folder, "784-10").get(lambda: b"code") == b"code"
    assert KeptCode(folder, "784-10").get(_refuse) == b"code"
    assert KeptCode(folder, "784-20").get(lambda: b"other") == b"other"
    assert _names(folder) >= {"784-10.bin", "784-20.bin"}


def test_one_of_two_compiles_while_the_other_waits(folder: Path) -> None:
    began, may_end = threading.Event(), threading.Event()

    def compile_slowly() -> bytes:
        began.set()
        assert may_end.wait(60)
        return b"code"

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(KeptCode(folder, "784-10").get, compile_slowly)
        assert began.wait(60)
        second = pool.submit(KeptCode(folder, "784-10").get, _refuse)
        may_end.set()
        assert first.result() == second.result() == b"code"


def test_half_a_file_is_compiled_again(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept = KeptCode(folder, "784-10")
    kept.get(lambda: b"code")
    file = folder / "784-10.bin"
    file.write_bytes(file.read_bytes()[:-1])
    assert kept.get(lambda: b"again") == b"again"
    assert "is damaged; compiling again" in caplog.text
    assert kept.get(_refuse) == b"again"


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.EMFILE, "too many files")])
def test_a_machine_that_is_short_of_something_is_no_failure_of_the_code(
    folder: Path, error: Exception
) -> None:
    kept = KeptCode(folder, "784-10")
    kept.get(lambda: b"code")
    with pytest.raises(type(error)) as info, kept.failures_remembered():
        raise error
    assert info.value is error
    assert kept.get(_refuse) == b"code"
    assert not (folder / "784-10.failed").exists()


@pytest.mark.parametrize("error", [AssertionError(), KeyError("no symbol"), ValueError("no code")])
def test_a_failure_spares_the_others_until_it_is_old(folder: Path, error: Exception) -> None:
    def fail() -> bytes:
        raise error

    kept, reason = KeptCode(folder, "784-10"), str(error) or "AssertionError"
    with pytest.raises(CompileError, match=reason) as info:
        kept.get(fail)
    assert info.value.__cause__ is error
    with pytest.raises(CompileError, match=reason) as later:
        KeptCode(folder, "784-10").get(_refuse)
    assert "tried again after 600 s, or once" in str(later.value)
    assert KeptCode(folder, "784-20").get(lambda: b"other") == b"other"
    _age(folder / "784-10.failed", FAILURE_SECONDS + 1)
    assert kept.get(lambda: b"code") == b"code"


def test_code_that_cannot_be_loaded_is_compiled_again_later(folder: Path) -> None:
    kept = KeptCode(folder, "784-10")
    kept.get(lambda: b"whole, and yet no code")
    with pytest.raises(CompileError, match="no opcode"), kept.failures_remembered():
        raise EOFError("no opcode")
    with pytest.raises(CompileError, match="no opcode"):
        kept.get(_refuse)
    (folder / "784-10.failed").unlink()
    assert kept.get(lambda: b"code") == b"code"


def test_code_that_cannot_be_written_is_used_all_the_same(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def compile_where_a_folder_is_in_the_way() -> bytes:
        (folder / "784-10.bin").mkdir()
        return b"code"

    assert KeptCode(folder, "784-10").get(compile_where_a_folder_is_in_the_way) == b"code"
    assert "compiled code is not kept for later trials" in caplog.text
    assert {path.suffix for path in folder.iterdir()} <= {".bin", ".lock"}  # no temporary file


def test_other_versions_go_when_they_have_not_been_used_for_a_week(folder: Path) -> None:
    def used(version: str, compile_code: Callable[[], bytes], seconds_ago: float) -> None:
        KeptCode(folder.parent / version, "784-10").get(compile_code)
        _age(folder.parent / version, seconds_ago)

    used("beside", lambda: b"1", UNUSED_SECONDS - 60)
    used("unused", lambda: b"2", UNUSED_SECONDS + 60)
    used("this", lambda: b"3", 0)
    assert _names(folder.parent) == {"beside", "this"}
    _age(folder.parent / "beside", UNUSED_SECONDS + 60)
    KeptCode(folder.parent / "beside", "784-10").get(_refuse)  # which counts as use
    KeptCode(folder, "784-20").get(lambda: b"4")
    assert _names(folder.parent) == {"beside", "this"}


def test_a_version_that_cannot_be_deleted_is_logged_and_code_is_kept(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    KeptCode(folder.parent / "unused", "784-10").get(lambda: b"1")
    target = folder.parent.parent / "elsewhere"
    (folder.parent / "unused").rename(target)
    _age(target, UNUSED_SECONDS + 60)
    (folder.parent / "link").symlink_to(target)  # rmtree refuses one
    assert KeptCode(folder, "784-10").get(lambda: b"2") == b"2"
    assert KeptCode(folder, "784-10").get(_refuse) == b"2"
    (record,) = caplog.records
    assert record.getMessage().startswith("compiled code of another version is not deleted")
