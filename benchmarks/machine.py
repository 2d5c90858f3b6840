"""Where and with what something was measured, and how much memory processes hold (Linux only).

The kernel tells all of it in ``/proc``; proc(5) describes the files.
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
    """Return what a figure depends on, as JSON: machine, versions, date in UTC, ``command``, load.

    ``load`` is the mean number of running processes over the last 1, 5 and 15 minutes: what else
    the machine had to do.
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
    """Return the most resident memory (RSS) that this process has held."""
    return _kilobytes(_PROC / "self" / "status", "VmHWM")


def pss_bytes(pids: Iterable[int]) -> int:
    """Return the proportional set size of the processes together, leaving out those that are gone.

    A page that n processes map counts 1/n for each, so that shared memory is counted once.
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
        raise BenchmarkError(f"{path} has no line {name}: this kernel does not tell it")
    return int(value.removesuffix(" kB")) * 1024


def _field(path: Path, name: str) -> str | None:
    """Return the value of the first line ``name: value``."""
    with path.open(encoding="utf-8") as lines:
        pairs = (line.partition(":") for line in lines)
        return next((value.strip() for key, _, value in pairs if key.strip() == name), None)
