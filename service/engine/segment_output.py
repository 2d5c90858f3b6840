"""Gathers what a segment prints that trains in the trial process itself."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO

#: Of what is printed between two looks, only so many characters at the end are kept.
MAX_CHARACTERS = 256 * 1024


class SegmentOutput(io.TextIOBase):
    """Standard output and error of a segment, until :meth:`take` takes the lines."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._parts: list[str] = []
        self._size = 0

    def write(self, text: str) -> int:
        """Take a text, whatever thread prints it."""
        with self._lock:
            self._parts.append(text)
            self._size += len(text)
            if self._size > 2 * MAX_CHARACTERS:
                self._set("".join(self._parts)[-MAX_CHARACTERS:])
        return len(text)

    def _set(self, text: str) -> None:
        self._parts, self._size = [text], len(text)

    def writable(self) -> bool:
        """Return True."""
        return True

    def take(self, *, last: bool = False) -> str:
        """Return the whole lines that have come, "" if none; ``last`` also one without its end."""
        with self._lock:
            found = "".join(self._parts)[-MAX_CHARACTERS:]
            end = len(found) if last else found.rfind("\n") + 1
            text = found[:end]
            self._set(found[end:])
        return f"{text}\n" if text and not text.endswith("\n") else text

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Gather what this process prints by way of Python meanwhile."""
        with redirect_stdout(self), redirect_stderr(self):
            yield


class CurrentStderr(logging.StreamHandler[TextIO]):
    """A handler that writes to ``sys.stderr`` as it is when a line is logged."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """Standard error as it is now."""
        return sys.stderr
