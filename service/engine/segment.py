"""Runs one segment of a trial in a thread of the trial process, and gathers its messages."""

from __future__ import annotations

import faulthandler
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from results.storage import Storage, StorageError
from service.engine.checkpoints import SegmentCheckpoints
from service.engine.child_processes import CHILDREN
from service.engine.child_runner import run_in_child
from service.engine.code_files import lay_out
from service.engine.failures import failure_of_trial
from service.engine.job_data import ensure_data
from service.engine.messages import (
    Assignment,
    End,
    Failed,
    Finished,
    Message,
    Output,
    Stopped,
    Used,
    Wish,
)
from service.engine.reporter import SegmentStop
from service.engine.segment_output import SegmentOutput
from service.engine.training import Resume, TrialContext, at_time_limit, train_segment, workplace
from service.engine.usage import meter
from trainables import state_files
from trainables.contract import State

logger = logging.getLogger(__name__)

#: Messages that wait for the driver; a segment with more waits for it.
MOST_MESSAGES = 1_000
#: Messages that follow one another within this many seconds travel together.
GATHER_SECONDS = 0.02
#: How often a request to stop is looked for.
STOP_SECONDS = 0.25
#: The driver hears from a segment at least this often.
QUIET_SECONDS = 5.0
#: A process that cannot say that its time limit has passed is ended this many seconds after it.
LAST_RESORT_SECONDS = 10.0


class Segment:
    """One segment that runs in the background; :meth:`take` returns its messages."""

    def __init__(self, assignment: Assignment, context: TrialContext) -> None:
        self._assignment, self._context = assignment, context
        self._messages: queue.Queue[Message] = queue.Queue(MOST_MESSAGES)
        self._output = SegmentOutput()
        self._lock = threading.Lock()
        self._ended = self._end_is_taken = self._goes_on = False
        self._storage = Storage(context.storage)
        self._checkpoints = SegmentCheckpoints(
            assignment, context, self._messages.put, self._storage
        )
        self._looked = time.monotonic()
        self._meter = meter(context.spec.gpu)
        threading.Thread(target=self._run, name="segment", daemon=True).start()

    def take(self) -> list[Message]:
        """Return the next messages, waiting up to :data:`QUIET_SECONDS` for the first."""
        give_up = time.monotonic() + QUIET_SECONDS
        while True:
            if time.monotonic() - self._looked >= STOP_SECONDS:
                self._look_for_stop()
            try:
                found = [self._messages.get(timeout=STOP_SECONDS)]
            except queue.Empty:
                others = self._others()
                if not others and time.monotonic() < give_up:
                    continue
                return others
            break
        while not isinstance(found[-1], End):
            try:
                found.append(self._messages.get(timeout=GATHER_SECONDS))
            except queue.Empty:
                return [*found, *self._others()]
        self._end_is_taken = True
        return [*found[:-1], *self._printed(last=True), found[-1]]

    def _others(self) -> list[Message]:
        """Return what was printed, and what is used where it is time to look."""
        usage = self._meter.look()
        return [*self._printed(), *([] if usage is None else [Used(usage)])]

    def _printed(self, *, last: bool = False) -> list[Message]:
        text = self._output.take(last=last)
        return [Output(text)] if text else []

    def is_stuck(self) -> bool:
        """Whether its end is taken but its thread goes on: the process cannot be used again."""
        return self._goes_on and self._end_is_taken

    def _look_for_stop(self) -> None:
        try:
            self._checkpoints.look_for_stop()
        except StorageError as error:
            logger.warning("trial %d trains on: %s", self._assignment.number, error)
        self._looked = time.monotonic()

    def _run(self) -> None:
        try:
            end = self._train_if_wanted()
        except BaseException as error:  # noqa: BLE001 - the edge of this thread
            end = Failed(failure_of_trial(error))
        self._end(end)

    def _train_if_wanted(self) -> End:
        """Train, unless the segment was asked to stop while it waited for its slot."""
        self._look_for_stop()
        if self._checkpoints.stop_requested or self._checkpoints.end_requested:
            return Stopped()
        with self._checkpoints.fetched() as resume:
            return self._train(resume)

    def _train(self, resume: Resume) -> End:
        limit = self._context.spec.time_limit_s
        left = None if limit is None else max(0.1, limit - resume.seconds)
        self._fetch_what_it_needs()
        if self._context.is_built_in:
            with time_limit(left, self._expire), self._output.gathering():
                return self._train_here(resume)
        return run_in_child(
            self._assignment, self._context, self._messages.put, self._checkpoints, resume,
            CHILDREN, time_limit_s=left,
        )  # fmt: skip

    def _fetch_what_it_needs(self) -> None:
        """Bring a user's data and code to this node: a child does not know where the storage is.

        Before the time limit begins: the storage may be away.
        """
        context, patience = self._context, self._checkpoints.patience
        if context.spec.data is not None:
            ensure_data(
                context.spec, context.datasets_dir, self._storage,
                source=None, log=logger.info, patience=patience,
            )  # fmt: skip
        if context.code is not None:
            folder = workplace(context, self._checkpoints.folder).code
            lay_out(context.code, self._storage, folder, patience)

    def _train_here(self, resume: Resume) -> End:
        driver = _Here(self._messages.put, self._checkpoints)
        try:
            train_segment(self._assignment, self._context, driver, resume, self._checkpoints.folder)
        except SegmentStop:
            return Stopped()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it fails the trial
            return Failed(failure_of_trial(error))
        return Finished()

    def _expire(self) -> None:
        limit = self._context.spec.time_limit_s or 0.0
        with self._lock:
            self._goes_on = not self._ended
        self._end(Failed(at_time_limit(limit)))

    def _end(self, end: End) -> None:
        """Send the end, once."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
        self._messages.put(end)


@contextmanager
def time_limit(seconds: float | None, expire: Callable[[], None]) -> Iterator[None]:
    """Call ``expire`` from a timer's thread once the block has run for so many seconds.

    Where that thread cannot run, because the training keeps Python's lock, a timer in C ends this
    process a little later.
    """
    if seconds is None:
        yield
        return

    def on_time() -> None:
        faulthandler.cancel_dump_traceback_later()
        expire()

    timer = threading.Timer(seconds, on_time)
    timer.daemon = True
    timer.start()
    faulthandler.dump_traceback_later(seconds + LAST_RESORT_SECONDS, exit=True, file=2)
    try:
        yield
    finally:
        timer.cancel()
        faulthandler.cancel_dump_traceback_later()


class _Here:
    """The driver of a segment that trains in this process."""

    def __init__(self, send: Callable[[Message], None], checkpoints: SegmentCheckpoints) -> None:
        self.send, self._checkpoints = send, checkpoints
        self.wish: Callable[..., Wish] = checkpoints.wish

    def keep(self, state: State, epoch: int, seconds: float) -> bool:
        """Write the state to a file and move that into the storage."""
        path: Path = self._checkpoints.folder / "state.npz"
        try:
            state_files.save(path, state)
        except OSError as error:
            self._checkpoints.failed(epoch, error)
            return False
        return self._checkpoints.store(path, epoch, seconds)
