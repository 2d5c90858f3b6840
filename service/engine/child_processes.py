"""The processes in which users' trainables run, and the one that waits for the next trial.

Starting one takes most of a second, nearly all of it for imports. So a trial process has the next
one start while a trial trains; it is as fresh as any, for it reads its request only then, and
moves to the folder that this names.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TextIO

from trainables.descendants import end_descendants
from trainables.environment import passed_on

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChildProcess:
    """A child and the pipes to it: for answers, from its messages and from its output."""

    environment: dict[str, str] = field(repr=False)
    process: subprocess.Popen[bytes]
    answers: TextIO
    reports: int
    output: int

    def answer(self, line: str) -> None:
        """Write a line; a child that has ended reads none, and its end is seen elsewhere."""
        with suppress(BrokenPipeError):
            self.answers.write(line + "\n")
            self.answers.flush()

    def close(self) -> None:
        """Close the pipes of a child that has been ended, and collect its status."""
        self.process.wait()
        with suppress(BrokenPipeError):  # what it did not read
            self.answers.close()
        os.close(self.reports)
        os.close(self.output)


class ChildProcesses:
    """Starts children one by one; with ``ahead``, the next one while another trains."""

    def __init__(self, *, ahead: bool) -> None:
        self._ahead = ahead
        self._lock = threading.Lock()
        self._waiting: ChildProcess | None = None
        # A child ends with the thread that has started it, and this one lasts.
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="children")

    def take(self) -> ChildProcess:
        """Return a child that has read nothing: the one that waits, or else a new one."""
        environment = _environment()
        with self._lock:
            child, self._waiting = self._waiting, None
        if child is not None:
            if child.process.poll() is None and child.environment == environment:
                return child
            child.process.kill()
            child.close()
        return _start(environment)

    def has_begun(self) -> None:
        """Note that the last one has done its imports: it is time to start the next one."""
        if self._ahead:
            self._starter.submit(self._start_waiting)

    def _start_waiting(self) -> None:
        with self._lock:
            if self._waiting is not None:
                return
            try:
                self._waiting = _start(_environment())
            except OSError as error:  # the next trial starts its own, and says what is wrong
                logger.warning("no child could be started ahead: %s", error)

    def end_others(self, before: Collection[int]) -> None:
        """Kill all descendants of this process but those ``before`` and the child that waits."""
        with self._lock:  # none is just being started
            end_descendants({*before, *self.waiting})

    @property
    def waiting(self) -> set[int]:
        """The id of the process that waits, if any."""
        child = self._waiting
        return set() if child is None else {child.process.pid}


def _environment() -> dict[str, str]:
    return {**passed_on(os.environ), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _start(environment: dict[str, str]) -> ChildProcess:
    """Start a child; raises ``OSError``, with every pipe closed, where the system cannot."""
    with ExitStack() as theirs, ExitStack() as ours:
        (source, requests) = _pipe(theirs, ours)
        (reports, target) = _pipe(ours, theirs)
        (output, printed) = _pipe(ours, theirs)
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "service.engine.child", str(source), str(target)],
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(source, target),
            env=environment,
            cwd="/",  # Python looks for modules there: a trial may have written some in its folder
        )
        ours.pop_all()
    answers = os.fdopen(requests, "w", encoding="utf-8")
    return ChildProcess(environment, process, answers, reports, output)


def _pipe(reader: ExitStack, writer: ExitStack) -> tuple[int, int]:
    """Return a new pipe, whose ends the stacks close."""
    ends = os.pipe()
    for stack, end in zip((reader, writer), ends, strict=True):
        stack.callback(os.close, end)
    return ends


#: Those of a trial process.
CHILDREN = ChildProcesses(ahead=True)
