"""Formats log lines, as text or as JSON, with the ids of the request and the job.

A JSON line is one object with ``time`` (UTC), ``level``, ``logger`` and ``message``, the ids if
there are any, the values given as ``extra``, and a traceback.
"""

from __future__ import annotations

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

LogFormat = Literal["text", "json"]

REQUEST_ID_HEADER = "X-Request-ID"
#: The id of the request that is being answered; empty outside of one.
REQUEST_ID: ContextVar[str] = ContextVar("REQUEST_ID", default="")

#: Attributes of every record; the others were given as ``extra``.
_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


def formatter(log_format: LogFormat, job_id: str = "") -> logging.Formatter:
    """Return the formatter; ``job_id`` is put into each JSON line."""
    if log_format == "json":
        return JsonFormatter(job_id)
    return logging.Formatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s")


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON."""

    def __init__(self, job_id: str = "") -> None:
        super().__init__()
        self._job_id = job_id

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        ids = {"request_id": REQUEST_ID.get(), "job_id": self._job_id}
        line |= {key: value for key, value in ids.items() if value}
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_state(logger: logging.Logger, job_id: str, state: str, *, trial: int | None = None) -> None:
    """Log that a job, or a trial of it, is now in ``state``: one line per change."""
    extra: dict[str, Any] = {"job_id": job_id, "state": state}
    if trial is None:
        logger.info("job %s: %s", job_id, state, extra=extra)
    else:
        logger.info("job %s: trial %d: %s", job_id, trial, state, extra={**extra, "trial": trial})
