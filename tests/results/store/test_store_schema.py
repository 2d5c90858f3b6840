"""The schema is made by the migrations alone, and they make the tables of the code."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command

from results.errors import UnsupportedDatabase
from results.store import schema
from results.store.sql import SqlStore
from tests.results.store.samples import accept


def test_migration_makes_the_schema_once(empty_store: SqlStore) -> None:
    assert not empty_store.schema_is_current()
    empty_store.migrate()
    assert empty_store.schema_is_current()
    job = accept(empty_store)
    empty_store.migrate()
    assert empty_store.job(job.id) == job


def test_the_migrated_schema_is_that_of_the_tables(store: SqlStore) -> None:
    with store._database.write() as connection:
        command.check(schema.config(connection))


def test_a_migration_can_be_undone(empty_store: SqlStore) -> None:
    empty_store.migrate()
    with empty_store._database.write() as connection:
        command.downgrade(schema.config(connection), "base")
    assert not empty_store.schema_is_current()
    empty_store.migrate()
    assert empty_store.schema_is_current()


def test_threads_and_processes_may_migrate_at_once(empty_store: SqlStore) -> None:
    script = "import sys; from results.store import open_store; open_store(sys.argv[1]).migrate()"
    processes = [
        subprocess.Popen([sys.executable, "-c", script, empty_store.url]) for _ in range(2)
    ]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: empty_store.migrate(), range(4)))
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    assert empty_store.schema_is_current()


def test_the_schema_of_a_newer_version_is_refused(empty_store: SqlStore) -> None:
    empty_store.migrate()
    with empty_store._database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert not empty_store.schema_is_current()
    with pytest.raises(UnsupportedDatabase, match="newer"):
        empty_store.migrate()
