"""What each trial has printed, in files of its own: written by the driver, read by the API.

A trial's log is a stream of bytes (UTF-8), of which the newest are kept. It lies in at most two
files. Each is named by the offset of its first byte in the whole stream, so that an offset means
the same byte for good, whatever has been dropped since and whichever driver goes on writing.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Most bytes that are read at a time.
MAX_READ_BYTES = 256 * 1024
#: Bytes of UTF-8 that can follow the first one of a character.
_FOLLOWING = 3


@dataclass(frozen=True, slots=True)
class LogPart:
    """A part of a trial's log: ``text`` is the bytes from ``offset`` to before ``next_offset``."""

    text: str
    offset: int
    next_offset: int


@dataclass(frozen=True, slots=True, order=True)
class _File:
    start: int
    size: int
    path: Path

    @property
    def end(self) -> int:
        return self.start + self.size


class TrialLog:
    """The log of one trial, in a folder of its own; one process writes it at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def append(self, data: bytes, max_bytes: int) -> None:
        """Append to the log; of the whole log no more than ``max_bytes`` stay. Raises OSError."""
        files, half = self._files(), max_bytes // 2
        start, size = (files[-1].start, files[-1].size) if files else (0, 0)
        dropped = max(0, len(data) - half)
        if size + len(data) > half:
            start, size = start + size + dropped, 0
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{start:020d}.log").open("ab") as file:
            file.write(data[dropped:])
        if not size:
            for old in files[:-1]:
                old.path.unlink(missing_ok=True)

    def read(self, offset: int) -> LogPart:
        """Return what begins at ``offset``, or the oldest that is kept after it.

        It has at most :data:`MAX_READ_BYTES`; the rest begins at its ``next_offset``. Beyond the
        end it is empty, and its ``next_offset`` the end. Raises OSError.
        """
        files = self._files()
        end = files[-1].end if files else 0
        begin, data = min(offset, end), b""
        for file in files:
            if file.end <= begin + len(data) or len(data) >= MAX_READ_BYTES:
                continue
            if not data:
                begin = max(begin, file.start)
            elif file.start != begin + len(data):
                break  # what is between them was never kept
            data += _read(file, begin + len(data), MAX_READ_BYTES - len(data))
        return _decoded(begin, data)

    def tail(self, lines: int) -> LogPart:
        """Return the last lines, fewer where they exceed :data:`MAX_READ_BYTES`. Raises OSError."""
        files = self._files()
        part = self.read(max(0, files[-1].end - MAX_READ_BYTES) if files else 0)
        # A gap may have ended that part, or more has come.
        while (more := self.read(part.next_offset)).next_offset > part.next_offset:
            part = more
        kept = part.text.splitlines(keepends=True)[-lines:]
        text = "".join(kept)
        return LogPart(text, part.next_offset - len(text.encode()), part.next_offset)

    def _files(self) -> list[_File]:
        return sorted(self._found())

    def _found(self) -> Iterator[_File]:
        for path in self._folder.glob("*.log"):
            if path.stem.isdecimal():
                try:
                    yield _File(int(path.stem), path.stat().st_size, path)
                except FileNotFoundError:
                    continue  # dropped just now


def _read(file: _File, begin: int, most: int) -> bytes:
    try:
        with file.path.open("rb") as opened:
            opened.seek(begin - file.start)
            return opened.read(most)
    except FileNotFoundError:
        return b""  # dropped just now: the next file begins later


def _decoded(begin: int, data: bytes) -> LogPart:
    """Return the whole characters of the data: an offset may lie inside one."""
    skipped = 0
    while skipped < min(_FOLLOWING, len(data)) and data[skipped] & 0xC0 == 0x80:
        skipped += 1
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(data[skipped:])
    pending = len(decoder.getstate()[0])
    return LogPart(text, begin + skipped, begin + len(data) - pending)
