"""How a controller gives jobs to a driver process that waits: lines over a socket, its stdin.

The controller writes a line for each job. The driver writes :data:`IDLE` when it waits again. At
the end of the stream, which comes when the controller closes its end or dies, a waiting driver
ends. It also says :data:`BEGUN` with each job, and :data:`READY` once it is prepared for the next.
"""

from __future__ import annotations

import json
import os
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

from results.records import Lease
from service.engine.beside import beside

IDLE = b"idle\n"
#: What a driver says when it begins to renew its job's lease.
BEGUN = b"begun\n"
#: What a waiting driver says once it has started trial processes ahead, or never will.
READY = b"ready\n"
#: A driver keeps the trial process of a job that has ended, and its slot, for so long: the next job
#: may come at once.
KEEP_SECONDS = 1.0
#: A controller expects that for so long after a driver has said that it waits.
WARM_SECONDS = 0.5
#: A waiting driver asks this often whether it can still serve a job.
CHECK_SECONDS = 1.0


def to_line(lease: Lease) -> bytes:
    """Return the line that gives the driver this lease's job."""
    return json.dumps(asdict(lease)).encode() + b"\n"


class Orders:
    """The driver's end of the channel."""

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._buffer = b""

    def next(
        self, is_able: Callable[[], bool], is_ready: Callable[[], bool] = lambda: True
    ) -> Lease | None:
        """Wait for the next job and return its lease.

        None at the end of the stream, and once ``is_able()`` has become false. ``is_ready`` is
        asked every :data:`CHECK_SECONDS` without a job: it prepares for one. The controller is told
        once it is true.
        """
        has_said = False
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([self._descriptor], [], [], CHECK_SECONDS)
            if ready:
                received = self._read()
                if not received:
                    return None
                self._buffer += received
            elif not is_able():
                return None
            elif is_ready() and not has_said and not self.have_come():
                has_said = self._say(READY)
        line, _, self._buffer = self._buffer.partition(b"\n")
        return Lease(**json.loads(line))

    def have_come(self) -> bool:
        """Whether a job, or the end of the stream, is there to be read."""
        return b"\n" in self._buffer or bool(select.select([self._descriptor], [], [], 0)[0])

    def at_end(self) -> bool:
        """Whether there is no controller that could write another line; none is lost by asking."""
        try:
            with socket.socket(fileno=os.dup(self._descriptor)) as stream:
                return stream.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True

    @contextmanager
    def needed(self, end: Callable[[], None]) -> Iterator[None]:
        """Call ``end`` from a thread if the controller ends while the block is run."""

        def watch(is_over: threading.Event) -> None:
            while not is_over.wait(CHECK_SECONDS):
                if self.at_end():
                    end()

        with beside(watch, name="controller"):
            yield

    def begin(self) -> None:
        """Tell the controller that this driver renews its job's lease."""
        self._say(BEGUN)

    def is_closed(self) -> bool:
        """Tell the controller that this driver waits; return whether there is no controller."""
        return not self._say(IDLE)

    def _say(self, line: bytes) -> bool:
        try:
            os.write(self._descriptor, line)
        except OSError:
            return False
        return True

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, 4096)
        except ConnectionResetError:
            return b""
