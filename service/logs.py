"""One log for every process of the service: UTC time, level, logger, message; text or JSON."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TextIO

from service.log_lines import LogFormat, formatter


class ServiceHandler(logging.StreamHandler[TextIO]):
    """The handler that :func:`configure` makes, told from others by its class."""


def configure(log_format: LogFormat = "text", *, job_id: str = "") -> None:
    """Log to stderr from INFO on, and from WARNING on for libraries.

    ``job_id`` is put into each JSON line of a process that works for one job; a process that then
    works for another calls this again. Uvicorn's lines, which have plain-text handlers of their
    own, go through ours.
    """
    logging.Formatter.converter = time.gmtime
    handler = ServiceHandler()
    handler.setFormatter(formatter(log_format, job_id))
    root = logging.getLogger()
    for former in [found for found in root.handlers if isinstance(found, ServiceHandler)]:
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for library in ("alembic", "httpx2"):
        logging.getLogger(library).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.access"):
        uvicorn = logging.getLogger(name)
        uvicorn.handlers.clear()
        uvicorn.propagate = True


def tail(path: Path, lines: int) -> str:
    """Return the last ``lines`` lines of a log file, fewer where they exceed 1000 bytes each.

    Returns "" where there is no file; raises ``OSError`` where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - lines * 1_000))
            kept = file.read().decode("utf-8", "replace").splitlines()[-lines:]
    except FileNotFoundError:
        return ""
    return "".join(f"{line}\n" for line in kept)


def limit_log(path: Path, max_bytes: int) -> None:
    """Cut a log file to its second half once it is larger than ``max_bytes``.

    The process that writes the log calls this, so that it works without a controller. All writers
    must have opened the file for appending. Lines printed during the cut are lost.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return  # the job has just been deleted
    if size <= max_bytes:
        return
    with path.open("r+b") as file:
        file.seek(size - max_bytes // 2)
        kept = file.read(max_bytes // 2)
        file.truncate(0)
    with path.open("ab") as file:
        file.write(b"... what came before was cut off (ARGBEST_MAX_LOG_BYTES)\n")
        file.write(kept.partition(b"\n")[2])
