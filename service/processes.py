"""Processes by host, id and start time: a recycled id is never taken for the old process."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterable

import psutil

from results.records import DriverProcess

#: Set in the environment of every trial process, so that those of a job can be found.
JOB_ID_VARIABLE = "ARGBEST_JOB_ID"


def host_name() -> str:
    """Return this machine's name, as it is written beside process ids."""
    return socket.gethostname()


def identity(pid: int) -> DriverProcess:
    """Return host, id and start time of a running process of this machine."""
    return DriverProcess(host_name(), pid, psutil.Process(pid).create_time())


def find(process: DriverProcess) -> psutil.Process | None:
    """Return the process if it still runs on this machine, or None."""
    if process.host != host_name():
        return None
    try:
        found = psutil.Process(process.pid)
        # Start times are rounded to clock ticks; a recycled id differs by far more.
        same = abs(found.create_time() - process.started) < 1.0
        return found if same and found.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def trial_processes(job_id: str) -> list[psutil.Process]:
    """Return this machine's processes that run trials of the job."""
    return [p for p in psutil.process_iter() if _runs_trials_of(p, job_id)]


def _runs_trials_of(process: psutil.Process, job_id: str) -> bool:
    try:
        return process.environ().get(JOB_ID_VARIABLE) == job_id
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        return False


def kill_all(processes: Iterable[psutil.Process]) -> None:
    """Send SIGKILL to each process that is still there."""
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def end_group(pid: int, *, patience_s: float) -> None:
    """End a process group: SIGTERM, then SIGKILL to what is left after ``patience_s`` seconds."""
    _signal_group(pid, signal.SIGTERM)
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and _group_lives(pid):
        time.sleep(0.05)
    _signal_group(pid, signal.SIGKILL)


def _group_lives(pid: int) -> bool:
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == pid and process.status() != psutil.STATUS_ZOMBIE:
                return True
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return False


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
