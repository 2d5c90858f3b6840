"""Processes by host, id and start time: a recycled id is never taken for the old process."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterable
from pathlib import Path

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
    return DriverProcess(host_name(), pid, _started(psutil.Process(pid)))


def _started(process: psutil.Process) -> float:
    """Return a number that tells a process from a later one with the same id.

    On Linux the clock ticks from boot to its start (proc(5), field 22 of stat), which a step of
    the wall clock does not change; elsewhere its start time.
    """
    try:
        stat = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return process.create_time()
    return float(stat.rpartition(")")[2].split()[19])


def find(process: DriverProcess) -> psutil.Process | None:
    """Return the process if it still runs on this machine, or None."""
    if process.host != host_name():
        return None
    try:
        found = psutil.Process(process.pid)
        same = _started(found) == process.started
        return found if same and found.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.NoSuchProcess, ProcessLookupError):
        return None


def owner_name() -> str:
    """Return a new name under which this process may hold leases; it names the process too."""
    me = identity(os.getpid())
    return f"{me.host}:{me.pid}:{me.started!r}:{uuid.uuid4().hex[:8]}"


def owner_is_gone(name: str) -> bool:
    """Whether a process of this machine that made the name has ended.

    Of another machine's processes nothing is known here: they are not gone.
    """
    host, *rest = name.split(":")
    if host != host_name():
        return False
    try:
        pid, started = int(rest[0]), float(rest[1])
    except (IndexError, ValueError):  # made by an earlier version, which ended before this began
        return True
    return find(DriverProcess(host, pid, started)) is None


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
    """End a process of this machine and all its descendants, if it still runs."""
    end_trees([process], patience_s=patience_s)


def end_trees(found: Iterable[DriverProcess], *, patience_s: float) -> None:
    """End processes of this machine and all their descendants, side by side.

    SIGTERM to each process itself, then SIGKILL to whatever is left after ``patience_s`` seconds.
    """
    trees: list[psutil.Process] = []
    for root in filter(None, map(find, found)):
        try:
            trees += [root, *root.children(recursive=True)]
            root.terminate()
        except psutil.NoSuchProcess:
            continue
    _, left = psutil.wait_procs(trees, timeout=patience_s)
    kill_all(left)
    psutil.wait_procs(left, timeout=patience_s)
