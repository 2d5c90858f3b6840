"""Finds and ends processes by host, id and start time, so that a reused id is never mistaken."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterable
from pathlib import Path

import psutil
import setproctitle

from results.records import DriverProcess

#: Set in the environment of every trial process to its driver's :func:`process_name`.
DRIVER_VARIABLE = "ARGBEST_DRIVER"
#: A process that was killed is waited for so long; it is gone within milliseconds.
KILL_SECONDS = 1.0
#: Ray's title of a process that does nothing.
IDLE_TITLE = "ray::IDLE"
#: What Ray starts as a process for tasks and actors.
WORKER_FILE = "default_worker.py"
#: Set in the environment of every process of a local Ray head, to the folder that it serves.
HEAD_VARIABLE = "ARGBEST_HEAD"


def host_name() -> str:
    """Return this machine's name, which is recorded beside process ids."""
    return socket.gethostname()


def identity(pid: int) -> DriverProcess:
    """Return host, id and start time of a running process of this machine."""
    return DriverProcess(host_name(), pid, _started(psutil.Process(pid)))


def _started(process: psutil.Process) -> float:
    """Return a number that differs between a process and a later one with the same id.

    On Linux it is the clock ticks from boot to the start (proc(5), field 22 of stat), which a step
    of the wall clock does not change; elsewhere it is the start time.
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
    """Return a new name under which this process can hold leases; it contains its identity."""
    return f"{process_name(identity(os.getpid()))}:{uuid.uuid4().hex[:8]}"


def owner_is_gone(name: str) -> bool:
    """Whether the owner of this name was a process of this machine that has ended.

    Another machine's process counts as there.
    """
    host, *rest = name.split(":")
    if host != host_name():
        return False
    try:
        pid, started = int(rest[0]), float(rest[1])
    except (IndexError, ValueError):  # an earlier version made it, and ended before this one began
        return True
    return find(DriverProcess(host, pid, started)) is None


def process_name(process: DriverProcess) -> str:
    """Return ``host:pid:start``, which no other process ever has."""
    return f"{process.host}:{process.pid}:{process.started!r}"


def trial_processes(driver: DriverProcess) -> list[psutil.Process]:
    """Return this machine's processes that run trials for the driver, of any host."""
    return with_variable(DRIVER_VARIABLE, process_name(driver))


def is_worker(process: psutil.Process) -> bool:
    """Whether Ray has started the process itself, to run tasks and actors; False if it has ended.

    Before it can take any, its title is still the command that it was started with.
    """
    return is_starting(process) or any(part.startswith("ray::") for part in _command(process))


def is_starting(process: psutil.Process) -> bool:
    """Whether a process of Ray's can take nothing yet; False if it has ended."""
    return any(WORKER_FILE in part for part in _command(process))


def is_idle(process: psutil.Process) -> bool:
    """Whether a process of Ray's waits for its first task or actor; False if it has ended."""
    return _command(process)[:1] == [IDLE_TITLE]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def set_title(title: str) -> None:
    """Show this process under the title in lists of processes, and in Ray's dashboard."""
    # The title must not take the place of the environment, by which processes are found.
    os.environ["SPT_NOENV"] = "1"
    setproctitle.setproctitle(title)


def with_variable(name: str, value: str) -> list[psutil.Process]:
    """Return this machine's processes whose environment has the variable with that value."""
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


def end_trees(found: Iterable[DriverProcess], *, patience_s: float) -> None:
    """End processes of this machine and all their descendants, side by side.

    Each process itself gets SIGTERM; everything that is left after ``patience_s`` seconds gets
    SIGKILL.
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
    psutil.wait_procs(left, timeout=max(patience_s, KILL_SECONDS))
