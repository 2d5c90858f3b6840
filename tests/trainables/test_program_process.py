"""A process that is read, paused and ended."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psutil
import pytest

from trainables.descendants import descendants
from trainables.program_errors import WrongReport
from trainables.program_process import ProgramProcess, running

PATH = {"PATH": "/usr/bin:/bin"}


def shell(
    folder: Path, code: str, log: list[bytes] | None = None, **more: Any
) -> AbstractContextManager[ProgramProcess]:
    written = [] if log is None else log
    return running(["sh", "-c", code], folder, PATH, folder / "report", log=written.append, **more)


def test_all_streams_are_read_to_their_end(tmp_path: Path) -> None:
    log: list[bytes] = []
    with shell(tmp_path, "echo a > report; echo b; echo c >&2; printf d; exit 7", log) as process:
        assert sorted(process.lines()) == [
            ("printed", "b"), ("printed", "c"), ("printed", "d"), ("report", "a"),
        ]  # fmt: skip
        assert process.status == 7
        assert sorted(process.printed.split()) == ["b", "c", "d"]
    assert sorted(b"".join(log).splitlines()) == [b"b", b"c", b"d"]


def test_one_stream_is_in_order(tmp_path: Path) -> None:
    with shell(tmp_path, "for i in 1 2 3; do echo a$i; echo b$i >&2; done", merged=True) as process:
        assert [text for _, text in process.lines()] == ["a1", "b1", "a2", "b2", "a3", "b3"]


def test_a_paused_program_does_not_run(tmp_path: Path) -> None:
    with shell(tmp_path, "while true; do echo a; done", grace_seconds=5) as process:
        lines = process.lines()
        assert next(lines) == ("printed", "a")
        with process.paused():
            assert psutil.Process(process.process.pid).status() == psutil.STATUS_STOPPED
            left = process.read_all()
            assert process.read_all() == left
        assert next(lines) == ("printed", "a")
    assert process.status == -15


def test_a_program_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    code = "trap '' TERM; echo here; while true; do sleep 0.01; done"
    with shell(tmp_path, code, grace_seconds=0.1) as process:
        next(process.lines())
        began = time.monotonic()
    assert process.status == -9
    assert time.monotonic() - began >= 0.1


def test_a_program_may_clean_up_when_it_is_to_end(tmp_path: Path) -> None:
    log: list[bytes] = []
    code = "trap 'echo cleaned; exit 0' TERM; echo here; while true; do sleep 0.01; done"
    with shell(tmp_path, code, log, grace_seconds=60) as process:
        next(process.lines())
    assert b"".join(log).startswith(b"here\n")
    assert b"cleaned\n" in b"".join(log)
    assert process.status == 0


def fail(folder: Path, error: WrongReport) -> None:
    with shell(folder, "for i in $(seq 99); do echo $i; done") as process:
        assert len(list(process.lines())) == 99
        raise error


def test_an_error_gets_the_last_lines(tmp_path: Path) -> None:
    error = WrongReport("x")
    with pytest.raises(WrongReport):
        fail(tmp_path, error)
    assert error.printed.split() == [str(i) for i in range(80, 100)]


def test_what_has_left_the_programs_session_is_paused_too_and_nobody_waits_for_its_end(
    tmp_path: Path,
) -> None:
    code = "setsid sh -c 'while :; do echo a; done' & echo here; while :; do kill -CONT $$; done"
    with shell(tmp_path, code, grace_seconds=0) as process:
        lines = process.lines()
        next(lines)
        with process.paused():
            left = process.read_all()
            others = descendants(process.before)
            assert {other.status() for other in others} == {psutil.STATUS_STOPPED}
            assert process.read_all() == left
        process.read_all()  # ends, although the program prints without end
        next(lines)
