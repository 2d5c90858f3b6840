"""A program as a process: started in a session of its own, read line by line, and ended whole."""

from __future__ import annotations

import fcntl
import os
import selectors
import signal
import subprocess
import sys
import termios
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from trainables.descendants import (
    adopt_orphans,
    descendants,
    end_descendants,
    send,
    stop_descendants,
)
from trainables.executables import executable, not_started
from trainables.printed import Lines
from trainables.program_errors import ProgramError

#: A program that is asked to end (SIGTERM) gets so long before it is killed. What it writes then is
#: kept nowhere, so this is for its cleaning up; no process is left 3 s after a trial was to end.
GRACE_SECONDS = 2.0
#: With an error, so many of the lines printed last are shown, and of these so many bytes.
_LINES_SHOWN = 20
_BYTES_SHOWN = 10_000
_CHUNK = 64 * 1024
#: How often a quiet program is looked at; more often where the system cannot say that it has ended.
_QUIET_SECONDS = 0.5
_POLL_SECONDS = 0.02
#: How often one that was stopped is looked at.
_STOP_SECONDS = 0.001

Source = Literal["printed", "report"]
Line = tuple[Source, str]


@dataclass(slots=True)
class ProgramProcess:
    """A running program; :func:`running` starts one.

    ``log`` takes the lines that it prints, ``tick`` is called at least every half second.
    ``sources`` are the descriptors of its streams, set to be non-blocking, and ``before`` the ids
    of this process's earlier descendants. ``ended`` becomes readable when it has ended, if given.
    Only printed lines with the bytes ``mark`` are read.
    """

    process: subprocess.Popen[bytes]
    sources: Mapping[int, Source]
    before: frozenset[int]
    log: Callable[[bytes], None]
    tick: Callable[[], None]
    ended: int | None = None
    mark: bytes = b""
    _lines: dict[int, Lines] = field(init=False)
    _found: deque[Line] = field(default_factory=deque)
    _last: bytes = b""

    def __post_init__(self) -> None:
        """Begin each stream with its first line."""
        self._lines = {
            descriptor: Lines(self.mark if source == "printed" else b"")
            for descriptor, source in self.sources.items()
        }

    def lines(self) -> Iterator[Line]:
        """Yield each line with its source until the program has ended.

        What the program has started ends with it; what it had printed before is read.
        """
        yield from self._read(lambda: self.process.poll() is None)
        self._end_all()
        for descriptor in self.sources:
            self._take(descriptor, self._lines[descriptor].end())
        yield from self._next()

    def read_all(self) -> list[Line]:
        """Read what is there now; return the lines that :meth:`lines` has still to yield.

        What is printed meanwhile is not waited for: some process may print without end.
        """
        for descriptor in self.sources:
            left = _waiting(descriptor)
            while left > 0 and (data := self._data(descriptor, left)):
                left -= len(data)
                self._take(descriptor, self._lines[descriptor].feed(data))
        return list(self._found)

    @property
    def status(self) -> int:
        """Its exit status, or the negative number of the signal that ended it."""
        return self.process.wait()

    @property
    def path(self) -> str:
        """The path of the program that was started."""
        arguments = self.process.args
        return str(arguments[0] if isinstance(arguments, list) else arguments)

    @property
    def printed(self) -> str:
        """The last lines that it printed."""
        lines = self._last.split(b"\n")[-_LINES_SHOWN - 1 :]
        return b"\n".join(lines).decode("utf-8", "replace")

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the program, with all that it has started, while the block runs."""
        self._signal(signal.SIGSTOP)
        others = stop_descendants(self.before)  # what has left its group writes and prints too
        try:
            self._wait_until_stopped()
            yield
        finally:
            self._signal(signal.SIGCONT)
            send(others, signal.SIGCONT)

    def _wait_until_stopped(self) -> None:
        if not hasattr(os, "waitid"):  # not on all systems
            return
        events = os.WSTOPPED | os.WEXITED | os.WNOWAIT | os.WNOHANG
        while self.process.returncode is None:
            if os.waitid(os.P_PID, self.process.pid, events) is not None:
                return
            self._signal(signal.SIGSTOP)  # a process of its own may have let it go on
            time.sleep(_STOP_SECONDS)

    def stop(self, grace_seconds: float) -> None:
        """Ask the program to end; kill what is left of it and of its children after the grace."""
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)
        over = time.monotonic() + grace_seconds
        for _ in self._read(lambda: self.process.poll() is None and time.monotonic() < over):
            pass
        self._end_all()

    def _end_all(self) -> None:
        """Kill what is left of the program and of its children; read what they printed last."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        end_descendants(self.before)
        self.read_all()

    def _signal(self, number: signal.Signals) -> None:
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def _read(self, goes_on: Callable[[], bool]) -> Iterator[Line]:
        wait = _POLL_SECONDS if self.ended is None else _QUIET_SECONDS
        with selectors.DefaultSelector() as selector:
            for descriptor in (*self.sources, *([] if self.ended is None else [self.ended])):
                selector.register(descriptor, selectors.EVENT_READ)
            while goes_on():
                for key, _ in selector.select(wait):
                    if key.fd == self.ended:
                        continue
                    data = self._data(key.fd)
                    if data == b"":  # closed
                        selector.unregister(key.fd)
                    elif data is not None:
                        self._take(key.fd, self._lines[key.fd].feed(data))
                yield from self._next()
                self.tick()

    def _next(self) -> Iterator[Line]:
        while self._found:
            yield self._found.popleft()

    def _data(self, descriptor: int, most: int = _CHUNK) -> bytes | None:
        """Return what is there to read, b"" at the end of the stream, None if nothing is there."""
        try:
            return os.read(descriptor, min(most, _CHUNK))
        except BlockingIOError:
            return None

    def _take(self, descriptor: int, lines: tuple[list[str], bytes]) -> None:
        """Log the lines, unless they came over the pipe, and keep those to read."""
        source, (texts, logged) = self.sources[descriptor], lines
        if source == "printed" and logged:
            self._last = (self._last + logged)[-_BYTES_SHOWN:]
            self.log(logged)
        self._found.extend((source, text) for text in texts)


@contextmanager
def running(
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    pipe: Path,
    *,
    log: Callable[[bytes], None],
    tick: Callable[[], None] = lambda: None,
    merged: bool = False,
    mark: bytes = b"",
    grace_seconds: float = GRACE_SECONDS,
) -> Iterator[ProgramProcess]:
    """Start a program in ``folder`` and yield it; at the end nothing of it is left.

    With ``merged``, standard output and errors are one stream, whose lines come in order. Of the
    printed lines those with the bytes ``mark`` are read. The named pipe ``pipe`` is made, for
    :func:`argbest.report`. An error that the program caused gets its last lines. Raises
    :class:`trainables.program_errors.ProgramNotStarted`.
    """
    adopt_orphans()
    before = frozenset(found.pid for found in descendants())
    with (
        _opened(pipe) as reports,
        _start(arguments, folder, environment, merged=merged) as process,
        _end_of(process.pid) as ended,
    ):
        sources: dict[int, Source] = {reports: "report"}
        sources |= dict.fromkeys(_streams(process), "printed")
        program = ProgramProcess(process, sources, before, log, tick, ended, mark)
        try:
            yield program
        except ProgramError as error:
            error.printed = error.printed or program.printed
            raise
        finally:
            program.stop(grace_seconds)


@contextmanager
def _opened(pipe: Path) -> Iterator[int]:
    """Make the named pipe and yield a descriptor to read it.

    It is open for writing too: else it would be at its end when one writer has closed it.
    """
    os.mkfifo(pipe, 0o600)
    reports = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    try:
        yield reports
    finally:
        os.close(reports)


def _start(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], *, merged: bool
) -> subprocess.Popen[bytes]:
    path = executable(arguments[0], folder, environment)
    try:
        return subprocess.Popen(
            [path, *arguments[1:]],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )
    except (OSError, ValueError) as error:
        raise not_started(arguments[0], path, error) from error


def _streams(process: subprocess.Popen[bytes]) -> list[int]:
    """Return the descriptors of what the process prints, set to be non-blocking."""
    found = [stream.fileno() for stream in (process.stdout, process.stderr) if stream is not None]
    for descriptor in found:
        os.set_blocking(descriptor, False)
    return found


@contextmanager
def _end_of(pid: int) -> Iterator[int | None]:
    """Yield a descriptor that becomes readable when the process has ended, where there are any."""
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _waiting(descriptor: int) -> int:
    """Return how many bytes can be read from a pipe now."""
    answer = fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4))
    return int.from_bytes(answer, sys.byteorder)
