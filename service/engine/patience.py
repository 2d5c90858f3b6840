"""Waits for a storage that cannot be read: what lies in it may be away, and not lost.

A job waits for its storage when a driver takes it (:mod:`service.engine.run`). Afterwards each
segment waits for what it needs of it: checkpoints, code, users' data.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from results.storage import NotInStorage, Storage, StorageError

#: The storage is tried again after so many seconds.
RETRY_SECONDS = 5.0
#: A segment waits so long. Without end, trials of a cluster without a shared storage would never
#: begin again on another machine.
PATIENCE_SECONDS = 120.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """Tries again what needs the storage; ``say`` gets one line for each thing that is awaited."""

    say: Callable[[str], object]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def await_(self, what: str, read: Callable[[], T]) -> T:
        """Return what ``read`` returns, as soon as the storage can be read.

        Raises :class:`results.storage.NotInStorage` at once, and the last
        :class:`results.storage.StorageError` after :data:`PATIENCE_SECONDS`.
        """
        give_up, has_said = self.clock() + PATIENCE_SECONDS, False
        while True:
            try:
                return read()
            except NotInStorage:
                raise
            except StorageError as error:
                if self.clock() >= give_up:
                    raise
                if not has_said:
                    self.say(f"waits for its {what}: {error}")
                has_said = True
            self.sleep(RETRY_SECONDS)


def fetch(storage: Storage, name: str, target: Path) -> None:
    """Copy a file that was stored to ``target``.

    Raises :class:`results.storage.NotInStorage` where it is gone for good, and another
    :class:`results.storage.StorageError` where the storage is not the one that it was stored in: a
    share is not mounted, say.
    """
    try:
        storage.fetch(name, target)
    except NotInStorage:
        storage.check()
        raise
