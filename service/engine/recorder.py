"""Gathers what a job's trials do and writes it into the store, many moves in one transaction."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

from results.errors import StoreUnavailable
from results.records import Checkpoint, EpochReport, Lease
from results.store import FinishTrial, Move, Reports, Store
from service.engine.storage_thread import StorageThread

logger = logging.getLogger("service.engine.driver")

#: Moves are written at the latest this many seconds after they came.
FLUSH_SECONDS = 0.1
#: An unreachable database is asked again this often; the heartbeat ends the driver if it lasts.
RETRY_SECONDS = 0.5


class Recorder:
    """Writes moves of trials under the job's lease. Used by one thread, Tune's event loop.

    ``on_finished`` is called after the end of trials has been written.
    """

    def __init__(
        self,
        store: Store,
        lease: Lease,
        files: StorageThread,
        *,
        on_finished: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store, self._lease, self._files = store, lease, files
        self._on_finished, self._clock, self._sleep = on_finished, clock, sleep
        self._moves: list[Move] = []
        self._reports: list[EpochReport] = []
        self._dropped: list[str] = []
        self._flushed = clock()

    def add(self, move: Move) -> None:
        """Take a move, to be written after those before it."""
        self._end_reports()
        self._moves.append(move)

    def report(self, report: EpochReport) -> None:
        """Take the report of an epoch."""
        self._reports.append(report)

    def drop(self, checkpoints: Iterable[Checkpoint]) -> None:
        """Take checkpoints that nobody needs any more."""
        self._dropped += [checkpoint.name for checkpoint in checkpoints]

    def flush_if_due(self) -> None:
        """Write what has gathered, every :data:`FLUSH_SECONDS`."""
        if self._clock() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what has gathered, waiting for a database that is away.

        Raises :class:`results.errors.LeaseLost` when the job was taken over.
        """
        self._end_reports()
        while self._moves or self._dropped:
            try:
                self._write()
            except StoreUnavailable as error:
                logger.warning("the store cannot be written, trying again: %s", error)
                self._sleep(RETRY_SECONDS)
        self._flushed = self._clock()

    def _write(self) -> None:
        if self._moves:
            self._store.write(self._lease, self._moves)
            has_finished = any(isinstance(move, FinishTrial) for move in self._moves)
            self._moves = []
            if has_finished:
                self._on_finished()
        if self._dropped:
            # First the rows: a file without a row is found and deleted later, whatever happens.
            self._store.drop_checkpoints(self._lease.job_id, self._dropped)
            self._files.delete(self._dropped)
            self._dropped = []

    def _end_reports(self) -> None:
        if self._reports:
            self._moves.append(Reports(self._reports))
            self._reports = []
