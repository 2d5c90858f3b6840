"""Locks between processes, files that are written whole or not at all, and their digests."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

#: Preparing a data set or compiling takes up to 10 minutes where the machine has far more work than
#: cores; a process that holds a lock for longer than this is stopped or hangs.
_PATIENCE_SECONDS = 1_800.0
_log = logging.getLogger("argbest.trainables")


@contextmanager
def locked(
    path: Path,
    log: Callable[[str], object] = _log.info,
    *,
    retry_seconds: float = 60.0,
    patience_seconds: float = _PATIENCE_SECONDS,
) -> Iterator[None]:
    """Hold the lock file ``path`` against other processes and threads; its folder is made.

    While another holds it, ``log`` gets a line now and every ``retry_seconds``. The system frees
    the lock of a process that ends, but not of one that hangs: raises ``TimeoutError`` after
    ``patience_seconds``, and ``OSError`` where the file cannot be made or locked.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock, end, timeout = FileLock(path), time.monotonic() + patience_seconds, 0.0
    while not lock.is_locked:
        try:
            lock.acquire(timeout=timeout)
        except Timeout:
            if time.monotonic() >= end:
                waited = f"waited {patience_seconds:.0f} s for the process that holds {path}"
                raise TimeoutError(f"{waited}: it is stopped or hangs, so end it") from None
            log(f"waiting for another process that holds {path}")
            timeout = retry_seconds
    try:
        yield
    finally:
        lock.release()


def replace(path: Path, write: Callable[[Path], object]) -> None:
    """Have ``write(part)`` write a file beside ``path``, then rename it to ``path``.

    Hold a lock on the folder meanwhile. If writing fails, ``path`` stays as it was and nothing else
    is left.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def walk(
    folder: Path, on_error: Callable[[OSError], object] = lambda _: None
) -> Iterator[os.DirEntry[str]]:
    """Yield what is in a folder, all levels of it; links are not followed.

    Unlike ``os.walk`` of Python 3.11 it takes folders nested in one another by the thousand.
    ``on_error`` gets what the system raises for a folder, whose content is then left out.
    """
    folders = [os.fspath(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as found:
                for entry in found:
                    yield entry
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except OSError as error:
            on_error(error)


def remove_folder(folder: Path) -> None:
    """Delete a folder with all that is in it, also folders that were made read-only.

    Links are not followed. One that is gone is no error; raises ``OSError`` for what cannot be
    deleted, files of another user say.
    """
    _let_us_write(folder)
    with suppress(FileNotFoundError):
        _flatten(folder)
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _flatten(folder: Path) -> None:
    """Move every folder inside to the first level, and let us write into each.

    Nested in one another they may be deeper than functions can call each other, and than a path is
    long.
    """
    moved, number, unused = [folder], count(), secrets.token_hex(8)
    while moved:
        with os.scandir(moved.pop()) as found:
            inside = [Path(entry) for entry in found if entry.is_dir(follow_symlinks=False)]
        for path in inside:
            _let_us_write(path)
            moved.append(path.rename(folder / f"{unused}-{next(number)}"))


def _let_us_write(folder: Path) -> None:
    with suppress(OSError):  # where it matters, deleting says why
        if not folder.is_symlink():
            folder.chmod(0o700)
