"""Machine code compiled for the trainables, kept on disk for later processes."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import platformdirs

from trainables.files import locked, replace

#: After a compiler failed, other trials do not try again for this long.
FAILURE_SECONDS = 600.0
#: Code of other versions is deleted when it was not used for this long.
UNUSED_SECONDS = 7 * 24 * 3_600.0
_DIGEST_BYTES = 32
#: A compiler that fails may print its whole input; the log gets the beginning.
_REASON_CHARACTERS = 2_000
_log = logging.getLogger("argbest.trainables")


class CompileError(RuntimeError):
    """Code could not be compiled or loaded; the message says why."""


def code_folder(compiler: str) -> Path:
    """Return the folder for one compiler's code; it need not exist.

    It lies in ``ARGBEST_CACHE_DIR`` or, where that is not set, in the user's cache folder.
    """
    root = os.environ.get("ARGBEST_CACHE_DIR") or platformdirs.user_cache_dir("argbest")
    return Path(root) / compiler


class KeptCode:
    """One piece of code, ``name``, in the ``folder`` of its version.

    The folder's siblings hold other versions and nothing else.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._file = folder / f"{name}.bin"
        self._lock = folder / f"{name}.lock"
        self._failure = folder / f"{name}.failed"

    def get(self, compile_code: Callable[[], bytes]) -> bytes:
        """Return the code; compile and keep it where there is none or it is damaged.

        A lock lets one of several processes compile while the others wait. Raises
        :class:`CompileError` where compiling fails, or failed in the last 10 minutes in any
        process; ``OSError`` where the folder cannot be written or the wait takes too long; and the
        errors that :meth:`failures_remembered` lets pass.
        """
        with locked(self._lock):
            mark_used(self._folder)
            code = read_code(self._file)
            if code is None:
                self._raise_recent_failure()
                with self.failures_remembered():
                    code = compile_code()
                delete_unused(self._folder)
                keep_code(self._file, code)
            return code

    @contextmanager
    def failures_remembered(self) -> Iterator[None]:
        """Turn an error inside into :class:`CompileError`; nobody tries again for 10 minutes.

        Code that is there is deleted, since it may be what failed. ``MemoryError`` and ``OSError``
        pass unchanged: the machine is short of memory, space or files, and the next trial may
        succeed.
        """
        try:
            yield
        except (MemoryError, OSError):
            raise
        except Exception as error:  # compilers and damaged code raise anything
            reason = (str(error).strip() or type(error).__name__)[:_REASON_CHARACTERS]
            self._remember(reason)
            raise CompileError(reason) from error

    def _remember(self, reason: str) -> None:
        try:
            self._file.unlink(missing_ok=True)
            self._failure.write_text(reason, encoding="utf-8")
        except OSError as error:
            _log.warning("the next trial compiles %s in vain too: %s", self._file.stem, error)

    def _raise_recent_failure(self) -> None:
        if not self._failure.exists():
            return
        age = time.time() - self._failure.stat().st_mtime
        if age < FAILURE_SECONDS:
            reason = self._failure.read_text(encoding="utf-8")
            raise CompileError(
                f"{reason} (that was {age:.0f} s ago; tried again after {FAILURE_SECONDS:.0f} s, "
                f"or once {self._failure} is deleted)"
            )


def read_code(file: Path) -> bytes | None:
    """Return the code in the file; None if there is no such file or it is damaged."""
    if not file.exists():
        return None
    content = file.read_bytes()
    digest, code = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if sha256(code).digest() == digest:
        return code
    _log.warning("the compiled code in %s is damaged; compiling again", file)
    return None


def keep_code(file: Path, code: bytes) -> None:
    """Write the code and its digest; log a warning where that is impossible. Hold a lock."""
    try:
        replace(file, lambda part: part.write_bytes(sha256(code).digest() + code))
    except OSError as error:
        _log.warning("compiled code is not kept for later trials: %s", error)


def mark_used(folder: Path) -> None:
    """Record that the folder's code is used now."""
    os.utime(folder)


def delete_unused(folder: Path, versions: str = "*") -> None:
    """Delete the folders beside ``folder`` that were not used for a week.

    They hold the code of other versions and have names like ``versions``. One that cannot be
    deleted, since it is another user's or is being deleted by another process, is logged.
    """
    oldest = time.time() - UNUSED_SECONDS
    for other in folder.parent.glob(versions):
        try:
            if other.is_dir() and other.stat().st_mtime < oldest:
                _log.info("deleting compiled code of another version, %s", other)
                shutil.rmtree(other)
        except OSError as error:
            _log.warning("compiled code of another version is not deleted: %s", error)
