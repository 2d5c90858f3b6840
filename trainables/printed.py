"""Finds metrics in the lines that a program prints: JSON objects, or what patterns match."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from search_spaces.patterns import compiled
from search_spaces.text import printable

#: No longer line is read; the log has such a line in pieces.
MAX_LINE = 64 * 1024
#: Objects are nested no deeper, and a line has no more metrics.
_MAX_DEPTH = 8
_MAX_METRICS = 1_000
#: The key of a line, or of the patterns, that counts the epochs.
EPOCH = "epoch"

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Found:
    """What a line reports: metrics by name, and the epoch as it was given (None: not given)."""

    metrics: Mapping[str, float]
    epoch: Any = None


@dataclass(slots=True)
class Lines:
    """Cuts a stream of bytes into lines, and picks those that have the bytes ``mark``.

    What a carriage return overwrites, as progress bars do, is a line to read, but none to log.
    """

    mark: bytes = b""
    _rest: bytes = b""
    _is_cut: bool = False

    def feed(self, data: bytes) -> tuple[list[str], bytes]:
        """Return the lines that have come to their end: the texts to read, and all to log."""
        whole, line_feed, self._rest = (self._rest + data).rpartition(b"\n")
        texts, logged = self._taken(whole) if line_feed else ([], b"")
        while len(self._rest) > MAX_LINE:
            piece, self._rest = self._rest[:MAX_LINE], self._rest[MAX_LINE:]
            more, written = self._taken(piece, is_cut=True)
            texts, logged = texts + more, logged + written
        return texts, logged

    def end(self) -> tuple[list[str], bytes]:
        """Return the last line, if it lacks its line feed."""
        rest, self._rest = self._rest, b""
        return self._taken(rest) if rest else ([], b"")

    def _taken(self, lines: bytes, *, is_cut: bool = False) -> tuple[list[str], bytes]:
        """Take lines without the last line feed; of a line that was cut no piece is read."""
        was_cut, self._is_cut = self._is_cut, is_cut
        read = lines
        if was_cut:
            read = read.partition(b"\n")[2]
        if is_cut:
            read = read.rpartition(b"\n")[0]
        texts = []
        if self.mark in read:
            pieces = read.replace(b"\r", b"\n").split(b"\n")
            texts = [
                piece.decode("utf-8", "replace") for piece in pieces if piece and self.mark in piece
            ]
        if b"\r" in lines:
            shown = (line.removesuffix(b"\r") for line in lines.split(b"\n"))
            lines = b"\n".join(line.rpartition(b"\r")[2] for line in shown)
        return texts, lines + b"\n"


@dataclass(slots=True)
class Reader:
    """Reads what a program reports; ``note`` takes what it should print otherwise, once each.

    With ``patterns``, regular expressions by metric, printed lines are searched for these instead
    of JSON objects. :meth:`sent` reads the lines of :func:`argbest.report`; once one has come,
    printed JSON objects are no reports any more. A printed line without ``mark`` reports nothing.
    """

    patterns: Mapping[str, str]
    note: Callable[[str, str], None]
    mark: bytes = field(init=False)
    _expressions: list[tuple[str, re.Pattern[str]]] = field(init=False)
    _reads_json: bool = field(init=False)

    def __post_init__(self) -> None:
        """Compile the patterns."""
        self._expressions = [(name, compiled(text)) for name, text in self.patterns.items()]
        self._reads_json = not self.patterns
        self.mark = b"" if self.patterns else b"{"

    def printed(self, line: str) -> Found | None:
        """Return what a printed line reports, if anything."""
        if self._expressions:
            return self._matched(_COLOURS.sub("", line))
        if not self._reads_json:
            return None
        text = _COLOURS.sub("", line).removeprefix(_BOM).strip()
        return self._object(text) if text.startswith("{") else None

    def sent(self, line: str) -> Found | None:
        """Return what a line of the pipe reports; None where it is no JSON object."""
        self._reads_json = False
        return self._object(line)

    def _matched(self, line: str) -> Found | None:
        values = {}
        for name, expression in self._expressions:
            match = expression.search(line)
            if match is None:
                continue
            try:
                values[name] = float(match[1])
            except (TypeError, ValueError):
                found = f"{match[1]!r}, which is no number: let its group match only digits"
                self.note(f"pattern {name}", f"the pattern of {name} found {found}")
        if not values:
            return None
        return Found({n: v for n, v in values.items() if n != EPOCH}, values.get(EPOCH))

    def _object(self, text: str) -> Found | None:
        try:
            values = json.loads(text, object_pairs_hook=self._members)
        except (ValueError, RecursionError) as error:
            advice = "print objects by json.dumps(...)"
            self.note("json", f"a line looks like JSON, but is not ({error}): {advice}")
            return None
        if not isinstance(values, dict):
            self.note("object", "a reported line is no JSON object: report numbers by name")
            return None
        epoch = values.pop(EPOCH, None)
        metrics = dict(self._numbers(values, "", 0))
        if len(metrics) > _MAX_METRICS:
            self.note("many", f"a line has {len(metrics):,} metrics: {_MAX_METRICS:,} are kept")
            metrics = dict(list(metrics.items())[:_MAX_METRICS])
        return Found(metrics, epoch) if metrics or epoch is not None else None

    def _members(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            self.note("keys", "a JSON line has a key twice: the last value counts")
        return values

    def _numbers(
        self, values: Mapping[str, Any], prefix: str, depth: int
    ) -> Iterator[tuple[str, float]]:
        for key, value in values.items():
            name = prefix + key
            if isinstance(value, dict) and depth < _MAX_DEPTH:
                yield from self._numbers(value, f"{name}/", depth + 1)
            elif isinstance(value, bool) or not isinstance(value, int | float):
                is_long = isinstance(value, dict | list)
                shown = f"a {type(value).__name__}" if is_long else json.dumps(value)[:60]
                advice = f"{printable(name)} is {shown}, which is no number, and is left out"
                self.note("number", f"{advice} (as are others like it)")
            else:
                yield name, _float(value)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number of more than 300 digits
        return math.inf if value > 0 else -math.inf
