"""A thread that works on the storage, so that a slow one holds up no trial."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial

from results.storage import Storage, StorageError

logger = logging.getLogger("service.engine.driver")

#: A mark that could not be made is tried again after so many seconds without other work.
RETRY_SECONDS = 2.0
#: At the end of a run, work that is left gets this long; what is not done is found and done later.
CLOSE_SECONDS = 10.0


class StorageThread:
    """Does one thing after another; a storage that fails is said in the job's log."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._work: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        #: Marks that could not be made yet.
        self._unmade: list[str] = []
        self._thread = threading.Thread(target=self._run, name="storage", daemon=True)
        self._thread.start()

    def delete(self, names: Sequence[str]) -> None:
        """Delete these files."""
        found = tuple(names)
        self.do(lambda: self._storage.delete(*found))

    def mark(self, name: str) -> None:
        """Make an empty file of this name, as soon as the storage can be written.

        A segment that is never asked to stop would keep a slot that is another job's.
        """
        self.do(partial(self._mark, name))

    def do(self, work: Callable[[], object]) -> None:
        """Have other work done, which may raise ``StorageError``."""
        self._work.put(work)

    def close(self) -> None:
        """Wait for what is left, up to :data:`CLOSE_SECONDS`, and end the thread."""
        self._work.put(None)
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():
            logger.warning("the storage is slow: files that nobody needs are deleted later")

    def _mark(self, name: str) -> None:
        try:
            self._storage.mark(name)
        except StorageError:
            self._unmade.append(name)
            raise

    def _mark_again(self) -> None:
        names, self._unmade = self._unmade, []
        for name in names:
            self._try(partial(self._mark, name))

    def _run(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=RETRY_SECONDS if self._unmade else None)
            except queue.Empty:
                work = self._mark_again
            if work is None:
                return
            self._try(work)

    def _try(self, work: Callable[[], object]) -> None:
        try:
            work()
        except StorageError as error:
            logger.warning("%s", error)
        except Exception:
            # The edge of this thread: what it does is repeated by the next sweep.
            logger.exception("work on the storage failed")
