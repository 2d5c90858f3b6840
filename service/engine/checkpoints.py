"""A trial's checkpoints, as its trial process fetches and stores them, and when one is wanted."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from results.records import Checkpoint
from results.storage import NotInStorage, Storage, StorageError
from service.engine.messages import Assignment, Checkpointed, Message, Output, Wish
from service.engine.patience import Patience, fetch
from service.engine.segment_folders import segment_folder
from service.engine.training import Resume, TrialContext
from trainables.files import sha256_of

#: After a checkpoint that could not be stored, the next one is tried this many seconds later.
RETRY_SECONDS = 5.0


def stop_marks(job_id: str) -> str:
    """Return the storage's folder of the marks that ask a job's segments to stop."""
    return f"jobs/{job_id}/stop"


def stop_mark(job_id: str, segment: str) -> str:
    """Return the storage's name of the mark that asks a segment to stop after a checkpoint."""
    return f"{stop_marks(job_id)}/{segment}"


def end_mark(job_id: str, segment: str) -> str:
    """Return the storage's name of the mark that asks a segment to end: its trial is stopped."""
    return f"{stop_marks(job_id)}/{segment}.end"


class SegmentCheckpoints:
    """The checkpoints of one segment. Its ``folder`` holds files on their way; it goes at the end.

    :attr:`stop_requested` and :attr:`end_requested` may be set by another thread at any time.
    ``patience`` waits for a storage that is away; what it says is in the job's log.
    """

    def __init__(
        self,
        assignment: Assignment,
        context: TrialContext,
        send: Callable[[Message], None],
        storage: Storage,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.patience = Patience(self._say, clock, sleep)
        self._assignment, self._context, self._send = assignment, context, send
        self._storage, self._clock = storage, clock
        self._due = clock() + context.checkpoint_seconds
        self._retry_at = clock()
        self.stop_requested = self.end_requested = False
        self.folder = Path()

    @contextmanager
    def fetched(self) -> Iterator[Resume]:
        """Yield where the segment goes on: after the newest checkpoint that can be used.

        Waits a while for a storage that cannot be read: its checkpoints may not be lost.
        """
        with segment_folder(self._say) as self.folder:
            yield self._fetch(self.folder / "resume.npz")

    def _say(self, text: str) -> None:
        self._send(Output(f"trial {self._assignment.number} {text}\n"))

    def _fetch(self, target: Path) -> Resume:
        try:
            return self.patience.await_("checkpoints", lambda: self._newest(target))
        except StorageError as error:
            return Resume(note=f"its checkpoints cannot be read: {error}")

    def _newest(self, target: Path) -> Resume:
        """Raises :class:`results.storage.StorageError` where the storage cannot be read."""
        notes = []
        for checkpoint in self._assignment.checkpoints:
            try:
                if checkpoint.size > self._context.max_checkpoint_bytes:
                    raise ValueError(f"{checkpoint.name} has {self._too_large(checkpoint.size)}")
                fetch(self._storage, checkpoint.name, target)
                _check(target, checkpoint)
            except (NotInStorage, OSError, ValueError) as error:
                notes.append(f"the checkpoint after epoch {checkpoint.epoch} is left out: {error}")
                continue
            return Resume(checkpoint.epoch, checkpoint.seconds, target, "; ".join(notes))
        return Resume(note="; ".join(notes))

    def look_for_stop(self) -> None:
        """See whether the driver has asked this segment to stop, or to end."""
        job, segment = self._context.job_id, self._assignment.segment
        if not self.stop_requested:
            self.stop_requested = self._storage.has(stop_mark(job, segment))
        if self._context.may_stop_trials and not self.end_requested:
            self.end_requested = self._storage.has(end_mark(job, segment))

    def wish(self, epoch: int, *, can_resume: bool) -> Wish:
        """Return what is wanted after the epoch.

        After the last one that is the model. Before it, a checkpoint every so many seconds, where
        the segment is asked to stop and at its end, of a trial that could go on from it.
        """
        if epoch == self._context.spec.space.epochs:
            return Wish(checkpoint=self._context.spec.keep > 0)
        if self.end_requested:
            return Wish(end=True)
        if epoch >= self._assignment.until:
            return Wish(checkpoint=can_resume, end=True)
        now = self._clock()
        if not can_resume or now < self._retry_at:
            return Wish()
        return Wish(checkpoint=self.stop_requested or now >= self._due, stop=self.stop_requested)

    def store(self, path: Path, epoch: int, seconds: float) -> bool:
        """Move the state's file into the storage; return whether that went well.

        If not, a line in the job's log says why and the training goes on. One that is too large to
        be loaded again is not stored, and no other one is tried before the last epoch.
        """
        number = self._assignment.number
        name = f"jobs/{self._context.job_id}/{number}/{self._assignment.segment}-{epoch}.npz"
        try:
            size = path.stat().st_size
            if size > self._context.max_checkpoint_bytes:
                path.unlink()
                self.failed(epoch, f"it has {self._too_large(size)}")
                self._retry_at = math.inf
                return False
            digest = sha256_of(path)
            self._storage.save(name, path)
            path.unlink(missing_ok=True)
        except (StorageError, OSError) as error:
            self.failed(epoch, error)
            return False
        self._due = self._clock() + self._context.checkpoint_seconds
        self._send(Checkpointed(Checkpoint(number, epoch, seconds, name, size, digest)))
        return True

    def _too_large(self, size: int) -> str:
        most = self._context.max_checkpoint_bytes
        return f"{size:,} bytes, more than {most:,} (ARGBEST_MAX_CHECKPOINT_BYTES)"

    def failed(self, epoch: int, error: Exception | str) -> None:
        """Say in the job's log that the state after the epoch could not be stored."""
        self._retry_at = self._clock() + RETRY_SECONDS
        text = f"the state after epoch {epoch} could not be stored: {error}; training goes on"
        self._send(Output(f"{text}\n"))


def _check(path: Path, checkpoint: Checkpoint) -> None:
    """Raise ``ValueError`` unless the file is the checkpoint, byte by byte."""
    size = path.stat().st_size
    if size != checkpoint.size:
        raise ValueError(f"{checkpoint.name} has {size:,} bytes of {checkpoint.size:,}")
    if sha256_of(path) != checkpoint.sha256:
        raise ValueError(f"{checkpoint.name} is damaged: its SHA-256 is not the recorded one")
