"""Where machine code that was compiled for the trainables is kept for later processes."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

import platformdirs
from filelock import FileLock, Timeout

#: For so long a failure is taken for granted: a job's other trials do not try in vain.
FAILURE_SECONDS = 600.0
#: Code of other versions is deleted when it has not been used for so long.
UNUSED_SECONDS = 7 * 24 * 3_600.0
_REPORT_SECONDS = 60.0
#: Compiling takes half a minute, on a machine with 20 times more work than cores 10 minutes: who
#: holds a lock for longer than this is stopped, or its compiler hangs.
_PATIENCE_SECONDS = 1_800.0
_DIGEST_BYTES = 32
#: A compiler that fails may print its whole input; the log needs its beginning.
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

    The folder's siblings are other versions' and nothing else.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._file = folder / f"{name}.bin"
        self._lock = folder / f"{name}.lock"
        self._failure = folder / f"{name}.failed"

    def get(self, compile_code: Callable[[], bytes]) -> bytes:
        """Return the code; compile and keep it where there is none or it is damaged.

        A lock lets one of several processes compile while the others wait, half an hour at most.
        Raises :class:`CompileError` where that is over, and where compiling fails or has failed
        in the last 10 minutes in whatever process; ``OSError`` where the folder cannot be
        written, and what :meth:`failures_remembered` lets pass.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        os.utime(self._folder)  # when it was used last
        with patient_lock(self._lock):
            code = self._read()
            if code is None:
                self._raise_recent_failure()
                with self.failures_remembered():
                    code = compile_code()
                self._keep(code)
            return code

    @contextmanager
    def failures_remembered(self) -> Iterator[None]:
        """Turn an error inside into :class:`CompileError`; for 10 minutes no one tries again.

        The code that there is, if it is what failed, is compiled again after that. ``MemoryError``
        and ``OSError`` pass as they are: they tell that the machine is short of memory, space or
        files, which the next trial may find otherwise, and nothing of the code.
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

    def _read(self) -> bytes | None:
        """Return the code in the file; None if there is no such file or it is damaged."""
        if not self._file.exists():
            return None
        content = self._file.read_bytes()
        digest, code = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if sha256(code).digest() == digest:
            return code
        _log.warning("the compiled code in %s is damaged; compiling again", self._file)
        return None

    def _keep(self, code: bytes) -> None:
        delete_unused(self._folder)
        try:
            self._write(code)
        except OSError as error:
            _log.warning("compiled code is not kept for later trials: %s", error)

    def _write(self, code: bytes) -> None:
        """Write the code and its digest under another name, then rename: no one sees half a file.

        Raises ``OSError``, and leaves nothing, where the disk is full.
        """
        with NamedTemporaryFile(dir=self._folder, prefix=self._file.stem, delete=False) as file:
            temporary = Path(file.name)
            try:
                file.write(sha256(code).digest() + code)
                file.flush()
                temporary.replace(self._file)
            finally:
                temporary.unlink(missing_ok=True)


def delete_unused(folder: Path, versions: str = "*") -> None:
    """Delete the folders beside ``folder`` that have not been used for a week.

    They hold other versions' code and have names like ``versions``. One that cannot be deleted,
    since it is another user's or is being deleted by another process, is logged.
    """
    oldest = time.time() - UNUSED_SECONDS
    for other in folder.parent.glob(versions):
        try:
            if other.is_dir() and other.stat().st_mtime < oldest:
                _log.info("deleting compiled code of another version, %s", other)
                shutil.rmtree(other)
        except OSError as error:
            _log.warning("compiled code of another version is not deleted: %s", error)


@contextmanager
def patient_lock(
    path: Path,
    report_seconds: float = _REPORT_SECONDS,
    patience_seconds: float = _PATIENCE_SECONDS,
) -> Iterator[None]:
    """Hold the lock on ``path``; wait for it, with a warning every ``report_seconds``.

    Giving up means to train eagerly, that is to get other numbers because the machine was busy.
    The system frees the lock of a process that ends, but not of one that is stopped or hangs:
    after ``patience_seconds`` that raises :class:`CompileError`. Raises ``OSError`` where the file
    cannot be made or locked.
    """
    lock, end = FileLock(path), time.monotonic() + patience_seconds
    while not lock.is_locked:
        try:
            lock.acquire(timeout=report_seconds)
        except Timeout:
            if time.monotonic() >= end:
                waited = f"waited {patience_seconds:.0f} s for the process that holds {path}"
                raise CompileError(f"{waited}: it is stopped or hangs, so end it") from None
            _log.warning("still waiting for another process that compiles %s", path.stem)
    try:
        yield
    finally:
        lock.release()
