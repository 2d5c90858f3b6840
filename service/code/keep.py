"""Keeps archives of code in the storage, each under its digest, once."""

from __future__ import annotations

import secrets
from pathlib import Path

from results.errors import StoreUnavailable
from results.records import CodeRecord
from results.storage import Storage, StorageError
from results.store import Store
from service.code.archive import Limits
from service.code.unpack import check


def keep(
    store: Store, storage: Storage, path: Path, sha256: str, limits: Limits
) -> tuple[CodeRecord, bool]:
    """Check the archive in the file ``path`` and put it into the storage; ``sha256`` is of it.

    Returns its record, and whether it is new; an archive that is there is only noted as used.
    Raises :class:`service.code.archive.BadArchive`, :class:`results.storage.StorageError` and
    :class:`results.errors.StoreUnavailable`; then nothing of it is left in the storage. If the
    process is killed meanwhile, the controller's sweep deletes the file, which the store expects.
    """
    digest = f"sha256:{sha256}"
    known = store.code(digest)
    if known is not None and storage.has(known.name):
        return store.add_code(known), False
    with path.open("rb") as file:
        contents = check(file, limits)
    # No name is used twice: deleting an old file can never take a new one away.
    name = f"code/{sha256}-{secrets.token_hex(4)}.tar.gz"
    size = path.stat().st_size
    code = CodeRecord(digest, name, size, contents.files, contents.bytes)
    store.expect_code(code)
    storage.save(name, path)
    try:
        kept = _remembered(store, storage, code)
    except (StoreUnavailable, StorageError):
        storage.delete(name)
        raise
    if kept.name != name:
        storage.delete(name)
    return kept, kept.name == name


def _remembered(store: Store, storage: Storage, code: CodeRecord) -> CodeRecord:
    """Return the record that counts: another one where the same code came at the same time."""
    kept = store.add_code(code)
    if kept.name == code.name or storage.has(kept.name):
        return kept
    # The row is there, and its file was lost.
    return store.replace_code(code, former=kept.name)
