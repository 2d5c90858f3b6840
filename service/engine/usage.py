"""Looks at what the processes of a running trial use: processors, memory, GPUs.

psutil and NVIDIA's library answer in this process; nothing is started. Memory is what the processes
have for themselves: data that trials of a node share is not counted.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psutil

from results.records import Usage
from service.engine.child_processes import CHILDREN
from trainables.descendants import descendants, private_bytes

logger = logging.getLogger(__name__)

#: A look takes a few milliseconds.
LOOK_SECONDS = 5.0

Processes = Callable[[], Sequence[psutil.Process]]
#: Returns how busy the trial's GPUs are (0 to 1), and the bytes in use there; None without one.
Gpus = Callable[[], tuple[float, int] | None]


def own_processes() -> list[psutil.Process]:
    """Return this process and all that it has started, but not the child of the next trial."""
    return [psutil.Process(), *descendants(CHILDREN.waiting)]


class UsageMeter:
    """Looks at a trial's processes every :data:`LOOK_SECONDS`, the first time after so many."""

    def __init__(
        self,
        gpus: Gpus,
        *,
        processes: Processes = own_processes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._processes, self._gpus, self._clock = processes, gpus, clock
        self._looked = clock()
        self._busy = _busy_seconds(processes())

    def look(self) -> Usage | None:
        """Return what is used now; None until the next look is due."""
        now = self._clock()
        passed = now - self._looked
        if passed < LOOK_SECONDS:
            return None
        processes = self._processes()
        busy = _busy_seconds(processes)
        # Less than before where a process has ended since.
        cpu = max(0.0, busy - self._busy) / passed
        self._looked, self._busy = now, busy
        memory = private_bytes(processes)
        gpu, gpu_memory = self._gpus() or (None, None)
        return Usage(round(cpu, 3), memory, memory, gpu, gpu_memory)


def _busy_seconds(processes: Sequence[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.Error:  # it has ended
            continue
        total += times.user + times.system
    return total


class Nvidia:
    """Asks the driver about the GPUs that Ray gave this process, until it cannot answer."""

    def __init__(self, environment: Mapping[str, str], library: Any) -> None:
        given = environment.get("CUDA_VISIBLE_DEVICES", "")
        self._ids = [name.strip() for name in given.split(",") if name.strip()]
        self._library = library
        self._handles: list[Any] = []

    def __call__(self) -> tuple[float, int] | None:
        """Return the mean share of time in which the GPUs were busy, and the bytes in use there."""
        if not self._ids:
            return None
        try:
            self._handles = self._handles or self._open()
            busy = [self._library.nvmlDeviceGetUtilizationRates(one).gpu for one in self._handles]
            used = [self._library.nvmlDeviceGetMemoryInfo(one).used for one in self._handles]
        except (self._library.NVMLError, ValueError) as error:
            logger.warning("what the GPUs do is not shown: %s", error)
            self._ids = []
            return None
        return sum(busy) / len(busy) / 100, sum(used)

    def _open(self) -> list[Any]:
        self._library.nvmlInit()
        return [
            self._library.nvmlDeviceGetHandleByIndex(int(name))
            if name.isdecimal()
            else self._library.nvmlDeviceGetHandleByUUID(name)
            for name in self._ids
        ]


def meter(gpus: float) -> UsageMeter:
    """Return the meter of a trial in this process that has so many GPUs."""
    if not gpus:
        return UsageMeter(lambda: None)
    import pynvml  # 40 ms, which a trial without a GPU need not wait for

    return UsageMeter(Nvidia(os.environ, pynvml))
