"""Databases for tests that have the schema already."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from results.store import Store, open_store


def migrated_store(url: str) -> Store:
    """Return the store at ``url``, with its schema.

    A new SQLite database is a copy of one that is made once a process: migrating takes 0.1 s of
    processor time, and hundreds of tests want one.
    """
    store = open_store(url)
    file = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not file.exists():
        file.write_bytes(_new_database())
    else:
        store.migrate()
    return store


@cache
def _new_database() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "argbest.db"
        store = open_store(f"sqlite:///{file}")
        store.migrate()
        store.close()
        assert [path.name for path in file.parent.iterdir()] == [file.name]
        return file.read_bytes()
