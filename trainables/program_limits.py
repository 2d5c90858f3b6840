"""What a program may take of memory and disk, and a look at it while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trainables.descendants import descendants, private_bytes
from trainables.files import walk
from trainables.program_errors import LimitExceeded, MemoryExceeded

#: The files are looked at so much more rarely than the memory, and so rarely that it costs 5 %.
_FILES_RARER = 5
_PAUSES = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one program in bytes, 0 for none.

    ``memory`` is what its processes have for themselves, ``disk`` the files in its folders,
    ``checkpoint`` what its folder of checkpoints may hold when it is kept. Memory is looked at
    every ``seconds``.
    """

    memory: int = 0
    disk: int = 0
    checkpoint: int = 2**30
    seconds: float = 1.0


@dataclass(slots=True)
class Watch:
    """Looks at this process's descendants, but those ``before``, and at the files in ``folder``."""

    limits: Limits
    folder: Path
    before: frozenset[int] = frozenset()
    clock: Callable[[], float] = time.monotonic
    _memory_at: float = 0.0
    _files_at: float = 0.0

    def look(self) -> None:
        """Raise :class:`MemoryExceeded` or :class:`LimitExceeded`, if it is time to look again."""
        now = self.clock()
        if self.limits.memory and now >= self._memory_at:
            self._memory_at = now + self.limits.seconds
            self._look_at_memory()
        if self.limits.disk and now >= self._files_at:
            self._look_at_files()
            after = self.clock()
            pause = max(_FILES_RARER * self.limits.seconds, _PAUSES * (after - now))
            self._files_at = after + pause

    def _look_at_memory(self) -> None:
        used = private_bytes(descendants(self.before))
        if used > self.limits.memory:
            raise MemoryExceeded(
                f"the program took {used:,} bytes of memory, and may take {self.limits.memory:,}: "
                "use a smaller model or batch, or have ARGBEST_MAX_PROGRAM_MEMORY_BYTES raised"
            )

    def _look_at_files(self) -> None:
        used = _size(self.folder)
        if used > self.limits.disk:
            raise LimitExceeded(
                f"the program's folder has {used:,} bytes, and may have {self.limits.disk:,}: "
                "write less, keep fewer checkpoints, or have ARGBEST_MAX_PROGRAM_DISK_BYTES raised"
            )


def _size(folder: Path) -> int:
    """Return the bytes that the files in a folder take on the disk, all levels of it."""
    total = 0
    for entry in walk(folder):
        try:
            if not entry.is_dir(follow_symlinks=False):
                total += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:  # the program has removed it
            continue
    return total
