"""Brings a job's code to a node once, and gives each attempt at a trial a copy of its own."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from results.records import CodeRecord
from results.storage import Storage, StorageError
from service.code.archive import BadArchive, Limits
from service.code.unpack import unpack
from service.engine.patience import Patience, fetch
from trainables.contract import CodeUnavailable
from trainables.files import sha256_of

#: An archive that no trial of a node has used for so long is deleted there.
_KEPT_SECONDS = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class JobCode:
    """The code of a job: its record, and the folder of a node that keeps archives."""

    record: CodeRecord
    cache_dir: Path


def lay_out(code: JobCode, storage: Storage, folder: Path, patience: Patience) -> None:
    """Unpack a fresh copy of the code into ``folder``, which is made.

    The archive is fetched where the node has none, or has one that was changed; a storage that is
    away is waited for. Raises :class:`trainables.contract.CodeUnavailable`.
    """
    record = code.record
    archive = code.cache_dir / "code" / f"{record.digest.removeprefix('sha256:')}.tar.gz"
    try:
        folder.mkdir(parents=True)
        if not _is(archive, record.digest):
            patience.await_("code", lambda: fetch(storage, record.name, archive))
            _delete_unused(archive.parent)
            if not _is(archive, record.digest):
                raise CodeUnavailable(f"the code {record.digest} is damaged in the storage")
        os.utime(archive)
        limits = Limits(record.size, record.unpacked, 2 * Limits().entries)
        with archive.open("rb") as file:
            unpack(file, folder, limits)
    except (StorageError, BadArchive) as error:
        raise CodeUnavailable(f"the code {record.digest} cannot be had: {error}") from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        reason = f"the code cannot be written on this node: {where}{error.strerror or error}"
        raise CodeUnavailable(f"{reason}; check the disk of ARGBEST_CACHE_DIR") from error


def _is(archive: Path, digest: str) -> bool:
    """Whether the file is the archive with this digest, byte by byte."""
    try:
        return digest == f"sha256:{sha256_of(archive)}"
    except FileNotFoundError:
        return False


def _delete_unused(folder: Path) -> None:
    for path in folder.iterdir():
        try:
            if path.stat().st_mtime < time.time() - _KEPT_SECONDS:
                path.unlink()
        except FileNotFoundError:  # another trial process deletes it too
            continue
