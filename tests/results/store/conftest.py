"""Every test that takes ``store`` runs over each database that the store supports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from results.store import Store, open_store
from tests.databases import migrated_store
from tests.results.store.samples import remove_all_jobs
from tools.postgres import Server


@pytest.fixture(scope="session")
def migrated_url(server: Server) -> str:
    """A PostgreSQL database with a schema, emptied by each test: making one takes 0.2 s."""
    url = server.create_database()
    opened = open_store(url)
    opened.migrate()
    opened.close()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store on a database without a schema."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/argbest.db"
    else:
        url = request.getfixturevalue("server").create_database()
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def postgresql_store(migrated_url: str) -> Iterator[Store]:
    """A store with connections that the tests use one after the other: a new one takes 10 ms."""
    opened = open_store(migrated_url)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    """A store without jobs, ready for them."""
    if request.param == "sqlite":
        sqlite: Store = request.getfixturevalue("sqlite_store")
        return sqlite
    postgresql: Store = request.getfixturevalue("postgresql_store")
    remove_all_jobs(postgresql)
    return postgresql


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """An empty store on SQLite, for what is SQLite's alone."""
    opened = migrated_store(f"sqlite:///{tmp_path}/argbest.db")
    yield opened
    opened.close()
