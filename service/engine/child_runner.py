"""Runs a user's trainable in a fresh child process, and sees every end of it.

The child has a session of its own, and this process adopts what its children leave behind
(``PR_SET_CHILD_SUBREAPER``), so nothing of the trial is left at the end. Its messages come over a
pipe, and each line that it prints is sent with the trial's number. Of the service's environment it
gets only what is in :data:`trainables.environment.PASSED_ON`.
"""

from __future__ import annotations

import json
import math
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from results.records import Failure
from results.states import FailureKind
from service.engine.checkpoints import SegmentCheckpoints
from service.engine.child import to_request
from service.engine.child_processes import ChildProcess, ChildProcesses
from service.engine.messages import (
    Assignment,
    End,
    Epoch,
    Failed,
    Finished,
    Message,
    Output,
    Started,
    StateOffered,
    StateWritten,
    from_json,
)
from service.engine.training import Resume, Send, TrialContext, at_time_limit, check_start
from trainables.descendants import adopt_orphans, descendants

#: Printed lines are sent in batches, at the latest this many seconds after they came.
FLUSH_SECONDS = 0.5
#: Of what is printed between two batches, only so many bytes at the end are kept.
MAX_BATCH_BYTES = 256 * 1024
#: A child that has sent its last message gets so long to end by itself.
EXIT_SECONDS = 5.0
_POLL_SECONDS = 0.05


def run_in_child(
    assignment: Assignment,
    context: TrialContext,
    send: Send,
    checkpoints: SegmentCheckpoints,
    resume: Resume,
    children: ChildProcesses,
    *,
    time_limit_s: float | None,
    clock: Callable[[], float] = time.monotonic,
) -> End:
    """Train in a child, pass its messages on, and return how it ended."""
    adopt_orphans()
    check_start(assignment, resume)
    has_started = resume.path is None
    if has_started:  # else the child says whether it can be resumed, after its imports
        send(Started(socket.gethostname(), note=resume.note))
    request = to_request(assignment, context, resume, checkpoints.folder)
    with _asked(request, children) as child:
        follower = _Follower(assignment.number, context, send, checkpoints, child, clock)
        follower.has_started, follower.when_begun = has_started, children.has_begun
        return follower.follow(time_limit_s)


@contextmanager
def _asked(request: str, children: ChildProcesses) -> Iterator[ChildProcess]:
    """Yield a child that has its request; at the end everything that is left of it is killed."""
    child = children.take()
    before = {process.pid for process in descendants()} - {child.process.pid}
    try:
        child.answer(request)
        yield child
    finally:
        children.end_others(before)
        child.close()


class _Follower:
    """Follows one child to its end."""

    def __init__(
        self,
        number: int,
        context: TrialContext,
        send: Send,
        checkpoints: SegmentCheckpoints,
        child: ChildProcess,
        clock: Callable[[], float],
    ) -> None:
        self._number, self._send, self._checkpoints = number, send, checkpoints
        self._child, self._process, self._clock = child, child.process, clock
        self._limit = context.spec.time_limit_s or 0.0
        self._epochs = context.spec.space.epochs
        self._flushed = clock()
        self._buffers = {child.reports: bytearray(), child.output: bytearray()}
        self.has_started = False
        self.when_begun: Callable[[], None] = lambda: None
        self._reported = 0
        self._end: End | None = None
        self._ended_at = 0.0

    def follow(self, time_limit_s: float | None) -> End:
        """Pass everything on until the child has ended or has to be ended."""
        over = math.inf if time_limit_s is None else self._clock() + time_limit_s
        for pipe in self._buffers:
            os.set_blocking(pipe, False)
        with selectors.DefaultSelector() as selector:
            for pipe in self._buffers:
                selector.register(pipe, selectors.EVENT_READ)
            while self._process.poll() is None:
                for key, _ in selector.select(_POLL_SECONDS):
                    if not self._read(key.fd):
                        selector.unregister(key.fd)
                self._pass_on(self._clock() - self._flushed >= FLUSH_SECONDS)
                now = self._clock()
                if self._end is not None and now - self._ended_at > EXIT_SECONDS:
                    break
                if now > over:
                    self._end = self._end or Failed(at_time_limit(self._limit))
                    break
        for pipe in self._buffers:
            while self._read(pipe):
                pass
        self._pass_on(True)  # noqa: FBT003
        return self._end or self._unexpected_end()

    def _read(self, pipe: int) -> bool:
        """Read what is there; False at the end of the pipe, or if nothing is there now."""
        try:
            data = os.read(pipe, 64 * 1024)
        except BlockingIOError:
            return False
        buffer = self._buffers[pipe]
        buffer += data
        if pipe == self._child.output and len(buffer) > MAX_BATCH_BYTES:
            del buffer[: len(buffer) - MAX_BATCH_BYTES]
        return bool(data)

    def _pass_on(self, flush: bool) -> None:  # noqa: FBT001
        """Send the messages that have come, and the printed lines if it is time to."""
        lines = self._buffers[self._child.reports].split(b"\n")
        self._buffers[self._child.reports][:] = lines.pop()
        if flush or lines:
            self._send_output(last=self._process.returncode is not None)
        for line in lines:
            self._take(from_json(json.loads(line)))

    def _send_output(self, *, last: bool) -> None:
        """Send whole lines; the last one of a child that has ended may lack its line feed."""
        self._flushed = self._clock()
        buffer = self._buffers[self._child.output]
        end = len(buffer) if last else buffer.rfind(b"\n") + 1
        if end:
            text = bytes(buffer[:end]).decode("utf-8", "replace")
            del buffer[:end]
            self._send(Output(text if text.endswith("\n") else f"{text}\n"))

    def _take(self, message: Message) -> None:
        if isinstance(message, StateOffered):
            wish = self._checkpoints.wish(message.epoch, can_resume=message.can_resume)
            self._child.answer(json.dumps(asdict(wish)))
        elif isinstance(message, StateWritten):
            self._child.answer(json.dumps(self._store(message)))
        elif isinstance(message, End):
            self._end, self._ended_at = message, self._clock()
        elif isinstance(message, Started):
            self.when_begun()
            if not self.has_started:
                self._send(message)
        else:
            if isinstance(message, Epoch):
                self._reported = message.epoch
            self._send(message)

    def _store(self, state: StateWritten) -> bool:
        if state.error:
            self._checkpoints.failed(state.epoch, state.error)
            return False
        return self._checkpoints.store(Path(state.path), state.epoch, state.seconds)

    def _unexpected_end(self) -> End:
        """Return what the exit status says of a child that has not sent how its trial ended."""
        status = self._process.returncode
        if status == 0 and self._reported == self._epochs:
            return Finished()
        done = f"after it had reported {self._reported} of {self._epochs} epochs"
        if status >= 0:
            message = f"the trial's process exited with status {status} {done}"
            return Failed(Failure(FailureKind.USER_ERROR, message))
        name = signal.Signals(-status).name
        hint = " (the machine may have run out of memory)" if name == "SIGKILL" else ""
        message = f"the trial's process was ended by {name} {done}{hint}"
        return Failed(Failure(FailureKind.WORKER_LOST, message))
