"""A part of a command in a child process; test_trying.py kills such commands."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import psutil
import pytest

from service.cli.apart import run_apart
from service.cli.errors import ExitCode

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


def _exit(status: object) -> int:
    raise SystemExit(status)


def _interrupt() -> int:
    raise KeyboardInterrupt


def _fail() -> int:
    raise ValueError("no such thing")


@pytest.mark.parametrize(
    ("work", "status"),
    [
        (lambda: 3, 3),
        (lambda: _exit(4), 4),
        (lambda: _exit("a text"), ExitCode.JOB_FAILED),
        (_interrupt, ExitCode.INTERRUPTED),
        (_fail, ExitCode.JOB_FAILED),
    ],
)
def test_the_status_is_that_of_the_work(work: Callable[[], int], status: int) -> None:
    assert run_apart(work) == status


@linux_only
def test_a_failure_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    run_apart(_fail)
    assert "ValueError: no such thing" in capfd.readouterr().err


@linux_only
def test_nothing_that_the_work_starts_is_left() -> None:
    before = {process.pid for process in psutil.Process().children(recursive=True)}

    def start() -> int:
        subprocess.Popen(["setsid", "sleep", "300"])
        return 0

    assert run_apart(start) == 0
    assert {process.pid for process in psutil.Process().children(recursive=True)} <= before
