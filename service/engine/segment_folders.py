"""The folders of segments, in the system's folder for temporary files.

A trial process that is killed, as at the cancelling of its job, leaves its folder behind: with a
program's code and all that it has written. So the process holds a lock on the folder, which the
system frees with it, and the next segments on the machine remove folders that nobody holds.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trainables.files import remove_folder

#: How the folders' names begin.
PREFIX = "argbest-trial-"
#: A folder is made first, and locked then: a younger one may be about to be.
LEAST_AGE_SECONDS = 600.0


@contextmanager
def segment_folder(say: Callable[[str], object]) -> Iterator[Path]:
    """Yield a new folder, which is removed at the end; ``say`` is told where it cannot be.

    Before, what segments have left behind is removed.
    """
    _remove_left()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # where a file system has no locks, nobody removes it either
            fcntl.flock(held, fcntl.LOCK_EX)
        yield folder
    finally:
        try:
            remove_folder(folder)
        except OSError as error:
            say(f"leaves its folder behind: {error}")
        os.close(held)


def _remove_left() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # another user's, a link, or gone
            continue
        try:
            if _is_left(held):
                remove_folder(folder)
        except OSError:  # its own segment has said that it cannot be removed
            continue
        finally:
            os.close(held)


def _is_left(folder: int) -> bool:
    """Whether an open folder is ours, and held by no process."""
    status = os.fstat(folder)
    if status.st_uid != os.geteuid() or status.st_mtime > time.time() - LEAST_AGE_SECONDS:
        return False
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
