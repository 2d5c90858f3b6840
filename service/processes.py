"""Processes by host, id and start time: a recycled id is never taken for the old process."""

from __future__ import annotations

import socket
from collections.abc import Iterable

import psutil

from results.records import DriverProcess

#: Set in the environment of every trial process, so that those of a job can be found.
JOB_ID_VARIABLE = "ARGBEST_JOB_ID"
#: Set in the environment of every process of a local Ray head, to the folder that it serves.
HEAD_VARIABLE = "ARGBEST_HEAD"


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
    return with_variable(JOB_ID_VARIABLE, job_id)


def with_variable(name: str, value: str) -> list[psutil.Process]:
    """Return this machine's processes that have the environment variable with that value."""
    return [p for p in psutil.process_iter() if _has_variable(p, name, value)]


def _has_variable(process: psutil.Process, name: str, value: str) -> bool:
    try:
        return process.environ().get(name) == value
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        return False


def kill_all(processes: Iterable[psutil.Process]) -> None:
    """Send SIGKILL to each process that is still there."""
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def end_tree(process: DriverProcess, *, patience_s: float) -> None:
    """End a process of this machine and all its descendants, if it still runs.

    SIGTERM to the process itself, then SIGKILL to whatever is left after ``patience_s`` seconds.
    """
    root = find(process)
    if root is None:
        return
    tree = [root, *root.children(recursive=True)]
    root.terminate()
    _, left = psutil.wait_procs(tree, timeout=patience_s)
    kill_all(left)
    psutil.wait_procs(left, timeout=patience_s)
