"""Where a job's driver writes what trials print: the job's log, and a log for each trial."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from service.trial_logs import TrialLog

logger = logging.getLogger("service.engine.driver")


class TrialOutput:
    """Writes lines of trials to standard output, each with its trial's number, and to their logs.

    ``folder`` holds the trials' logs, each of at most ``max_bytes``.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder, self._max_bytes = folder, max_bytes
        self._notes: dict[int, str] = {}
        self._has_failed = False

    def note(self, number: int, text: str) -> None:
        """Put a line before what the trial prints next."""
        self._notes[number] = text

    def write(self, number: int, text: str) -> None:
        """Write lines of a trial. A log that cannot be written costs a warning, not the job."""
        sys.stdout.write("".join(f"trial {number}: {line}\n" for line in text.splitlines()))
        sys.stdout.flush()
        note = self._notes.pop(number, "")
        data = f"{note}{text}".encode("utf-8", "replace")
        try:
            TrialLog(self._folder / str(number)).append(data, self._max_bytes)
        except OSError as error:
            if not self._has_failed:
                logger.warning("logs of single trials cannot be written: %s", error)
            self._has_failed = True
