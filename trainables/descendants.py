"""Keeps hold of the processes that a process starts, and ends them.

On Linux a process may adopt what its children leave behind (``PR_SET_CHILD_SUBREAPER``), so a
program that forks twice, or begins a session of its own, is still found.
"""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Collection
from contextlib import suppress

import psutil

_LOOKS = 10
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans(*, adopts: bool = True) -> None:
    """Make this process the parent of its descendants whose own parent ends (Linux), or not."""
    _prctl(_PR_SET_CHILD_SUBREAPER, int(adopts))


def end_with_parent(how: signal.Signals = signal.SIGKILL) -> None:
    """Have this process get the signal ``how`` when its parent ends, however that is (Linux)."""
    _prctl(_PR_SET_PDEATHSIG, how)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def descendants(before: Collection[int] = ()) -> list[psutil.Process]:
    """Return every process that this one has started, and theirs, but for the ids ``before``."""
    return [p for p in psutil.Process().children(recursive=True) if p.pid not in before]


def end_descendants(before: Collection[int] = ()) -> None:
    """Kill every descendant whose id is not in ``before``, and collect its status.

    They are stopped first: one that starts others all the time could else be a step ahead for ever.
    """
    while left := stop_descendants(before):
        send(left, signal.SIGKILL)
        psutil.wait_procs(left, timeout=1)


def stop_descendants(before: Collection[int] = ()) -> list[psutil.Process]:
    """Stop every descendant whose id is not in ``before`` (SIGSTOP); return all of them.

    One that begins while others are stopped is found by looking again, a few times.
    """
    stopped: list[psutil.Process] = []
    for _ in range(_LOOKS):
        new = [process for process in descendants(before) if process not in stopped]
        send(new, signal.SIGSTOP)
        stopped += new
        if not new:
            break
    return stopped


def send(processes: Collection[psutil.Process], number: signal.Signals) -> None:
    """Send a signal to each process that is still there."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def private_bytes(processes: Collection[psutil.Process]) -> int:
    """Return the memory that these processes have for themselves, without what they may share."""
    total = 0
    for process in processes:
        try:
            memory = process.memory_info()
        except psutil.Error:  # it has ended
            continue
        total += memory.rss - getattr(memory, "shared", 0)
    return total
