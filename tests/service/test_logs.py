"""A log that grows without end keeps its newest lines."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.logs import limit_log, tail

LINES = [f"line {number}\n" for number in range(1000)]


def test_a_short_log_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "job.log"
    path.write_text("".join(LINES), encoding="utf-8")
    limit_log(path, path.stat().st_size)
    assert path.read_text(encoding="utf-8") == "".join(LINES)


def test_a_long_log_keeps_its_newest_whole_lines_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "job.log"
    writer = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(writer, "".join(LINES).encode())
    limit_log(path, 2000)
    os.write(writer, b"the next line\n")
    os.close(writer)
    note, *kept, last = path.read_text(encoding="utf-8").splitlines(keepends=True)
    assert "cut off" in note
    assert last == "the next line\n"
    assert 900 < sum(map(len, kept)) <= 1000
    assert kept == LINES[-len(kept) :]


def test_a_deleted_log_is_no_trouble(tmp_path: Path) -> None:
    limit_log(tmp_path / "none.log", 1)
    assert not (tmp_path / "none.log").exists()


def test_the_tail_is_the_last_lines(tmp_path: Path) -> None:
    path = tmp_path / "job.log"
    assert tail(path, 5) == ""
    path.write_text("".join(LINES), encoding="utf-8")
    assert tail(path, 3) == "".join(LINES[-3:])
    assert tail(path, 2000) == "".join(LINES)
    path.write_bytes(b"x" * 5_000 + b"\nlast \xff")
    assert tail(path, 2) == "x" * 1993 + "\nlast \ufffd\n"
    with pytest.raises(IsADirectoryError):
        tail(tmp_path, 1)
