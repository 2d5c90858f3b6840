"""Receives files: a request's raw body, streamed to a file of the data folder under a limit."""

from __future__ import annotations

import errno
import hashlib
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from service.disk import disk_problem
from service.errors import Unavailable
from service.http.problems import HttpProblem
from service.settings import Settings

#: What a process that was killed has left of an upload goes after so long.
_STALE_SECONDS = 86_400.0
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: Parts of a body are written together.
_BATCH_BYTES = 1024 * 1024


@contextmanager
def upload_folder(settings: Settings) -> Iterator[Path]:
    """Yield an empty folder of the data folder, which goes at the end.

    Raises :class:`service.errors.Unavailable` where the disk is full or the folder cannot be made.
    """
    full = disk_problem(settings)
    if full:
        raise Unavailable(full, retry_after_s=60)
    uploads = settings.data_dir / "uploads"
    try:
        uploads.mkdir(exist_ok=True)
        _delete_stale(uploads)
        made = tempfile.TemporaryDirectory(dir=uploads)
    except OSError as error:
        raise _unusable(settings, error) from error
    with made as folder:
        try:
            yield Path(folder)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise _unusable(settings, error) from error


def check_media_type(request: Request, known: Collection[str], hint: str) -> None:
    """Refuse a body of another type (415)."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in known:
        raise HttpProblem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"the body's type is {media[:100] or 'not given'!a}; understood are {', '.join(known)}",
            hint,
        )


async def receive(request: Request, path: Path, *, max_bytes: int, setting: str) -> str:
    """Write the body to the file ``path`` and return its SHA-256 (64 hexadecimal digits).

    Raises :class:`HttpProblem` (413), which names the setting of the limit, ``OSError``, and
    :class:`starlette.requests.ClientDisconnect` where the client leaves before its end.
    """
    digest, size, batch = hashlib.sha256(), 0, bytearray()
    with path.open("xb") as file:

        def write(part: bytes) -> None:
            digest.update(part)
            file.write(part)

        async for chunk in request.stream():
            size += len(chunk)
            if size > max_bytes:
                raise HttpProblem(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    f"the body is larger than {max_bytes} bytes",
                    f"send less; the limit is the setting {setting}",
                )
            batch += chunk
            if len(batch) >= _BATCH_BYTES:
                await run_in_threadpool(write, bytes(batch))
                batch.clear()
        await run_in_threadpool(write, bytes(batch))
    return digest.hexdigest()


def _delete_stale(uploads: Path) -> None:
    """Delete uploads that were broken off because their process was killed."""
    for folder in uploads.iterdir():
        try:
            if folder.stat().st_mtime < time.time() - _STALE_SECONDS:
                shutil.rmtree(folder)
        except FileNotFoundError:  # another upload has ended, or deletes it too
            continue


def _unusable(settings: Settings, error: OSError) -> Unavailable:
    reason = f"the data folder {settings.data_dir} cannot take the file: {error.strerror}"
    return Unavailable(reason, retry_after_s=60)
