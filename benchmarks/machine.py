"""The machine and versions of a measurement, and the memory of processes (Linux only).

All of it is read from ``/proc``; proc(5) describes the files.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.records import BenchmarkError

LIBRARIES = ("argbest", "numpy", "numba", "torch", "ray")
_PROC = Path("/proc")


def stamp(command: str) -> dict[str, Any]:
    """Return machine, versions, date in UTC, ``command`` and load, as JSON.

    ``load`` is the mean number of running processes over the last 1, 5 and 15 minutes.
    """
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "command": command,
        "cpu": _field(_PROC / "cpuinfo", "model name") or platform.machine(),
        "cores": os.cpu_count(),
        "memory_bytes": _kilobytes(_PROC / "meminfo", "MemTotal"),
        "system": f"{platform.system()} {platform.release()}",
        "versions": {"python": platform.python_version()} | {n: version(n) for n in LIBRARIES},
        "load": list(os.getloadavg()),
    }


def peak_memory_bytes() -> int:
    """Return the largest resident memory (RSS) of this process so far."""
    return _kilobytes(_PROC / "self" / "status", "VmHWM")


def pss_bytes(pids: Iterable[int]) -> int:
    """Return the sum of the proportional set sizes of the processes that still run.

    A page that n processes map counts 1/n for each, so shared memory is counted once.
    """
    return sum(_pss(pid) for pid in pids)


def _pss(pid: int) -> int:
    try:
        return _kilobytes(_PROC / str(pid) / "smaps_rollup", "Pss")
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _kilobytes(path: Path, name: str) -> int:
    value = _field(path, name)
    if value is None:
        raise BenchmarkError(f"{path} has no line {name} on this kernel")
    return int(value.removesuffix(" kB")) * 1024


def _field(path: Path, name: str) -> str | None:
    """Return the value of the first line ``name: value``."""
    with path.open(encoding="utf-8") as lines:
        pairs = (line.partition(":") for line in lines)
        return next((value.strip() for key, _, value in pairs if key.strip() == name), None)
