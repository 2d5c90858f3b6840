"""The schema is made by the migrations alone, and they make the tables of the code."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command

from results.errors import UnsupportedDatabase
from results.store import open_store, schema
from results.store.sql import SqlStore
from tests.results.store.samples import accept

MIGRATE = """
import sys
from results.store import open_store, sql

store = open_store(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
store.migrate()
store.close()
"""


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
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE, empty_store.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 3
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.close()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: empty_store.migrate(), range(4)))
    for process in processes:
        with process:
            assert process.wait(timeout=60) == 0
    assert empty_store.schema_is_current()


def test_a_new_file_that_another_process_is_writing_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "argbest.db"
    store = open_store(f"sqlite:///{path}")
    with sqlite3.connect(path) as other, ThreadPoolExecutor(1) as pool:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE other (id INTEGER)")
        migration = pool.submit(store.migrate)
        with pytest.raises(TimeoutError):
            migration.result(timeout=0.2)
        other.commit()
        migration.result(timeout=30)
    other.close()
    assert store.schema_is_current()
    store.close()


def test_the_schema_of_a_newer_version_is_refused(empty_store: SqlStore) -> None:
    empty_store.migrate()
    with empty_store._database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert not empty_store.schema_is_current()
    with pytest.raises(UnsupportedDatabase, match="newer"):
        empty_store.migrate()
