"""The schema is made by the migrations alone, and they make the tables of the code."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from results.errors import UnsupportedDatabase
from results.records import Curve
from results.states import JobState
from results.store import Store, open_store, schema
from tests.results.store.samples import SPEC, accept, claim

REVISIONS = ["0001", "0002", "0003", "0004", "0005"]
JOB_ID = "0123456789abcdef"

#: A row of each table, with the columns of all revisions.
FILLED = {
    "jobs": {
        "id": JOB_ID,
        "name": "old",
        "state": "queued",
        "spec": SPEC.to_json(),
        "fingerprint": "of an older version",
        "planned_trials": 1,
        "idempotency_key": "key",
        "lease_token": 30,
        "created_at": 1.7e9,
        "started_at": 1.7e9,
    },
    "trials": {
        "job_id": JOB_ID,
        "number": 0,
        "attempt": 1,
        "state": "queued",
        "parameters": {"learning_rate": 0.1},
        "seed": 2**63 - 1,
        "metrics": {"validation_accuracy": 0.5},
        "epochs": 1,
    },
    "reports": {
        "job_id": JOB_ID,
        "trial": 0,
        "attempt": 1,
        "epoch": 1,
        "metrics": {"validation_accuracy": 0.5},
        "seconds": 1.0,
    },
    "tokens": {
        "name": "laptop",
        "prefix": "argb_AAAAAA",
        "sha256": "0" * 64,
        "scope": "read",
        "created_at": 1.7e9,
    },
    "counters": {"name": "take_overs", "value": 5},
}

MIGRATE = """
import sys
from results.store import open_store

store = open_store(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
store.migrate()
store.close()
"""


def test_migration_makes_the_schema_once(empty_store: Store) -> None:
    assert not empty_store.schema_is_current()
    empty_store.migrate()
    assert empty_store.schema_is_current()
    job = accept(empty_store)
    empty_store.migrate()
    assert empty_store.job(job.id) == job


def test_the_migrated_schema_is_that_of_the_tables(store: Store) -> None:
    with store._database.write() as connection:
        command.check(schema.config(connection))


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_filled_schema_of_each_revision_is_brought_up_to_date(
    empty_store: Store, revision: str
) -> None:
    with empty_store._database.write() as connection:
        command.upgrade(schema.config(connection), revision)
        old = sa.MetaData()
        old.reflect(connection)
        for name, row in FILLED.items():
            if name in old.tables:
                columns = old.tables[name].c
                known = {column: value for column, value in row.items() if column in columns}
                connection.execute(sa.insert(old.tables[name]).values(known))
    empty_store.migrate()
    job = empty_store.job(JOB_ID)
    assert (job.name, job.state, job.spec, job.lease_token) == ("old", JobState.QUEUED, SPEC, 30)
    # The token counts claims that were given back on purpose: none of them was lost.
    assert job.claims == 0
    assert empty_store.job_of_key("key", "any digest, for none was kept") == job
    (trial,) = empty_store.trials(JOB_ID)
    assert (trial.parameters, trial.seed, trial.attempt) == ({"learning_rate": 0.1}, 2**63 - 1, 1)
    assert empty_store.curve(JOB_ID, 0) == Curve(0, (1,), {"validation_accuracy": (0.5,)})
    assert len(empty_store.tokens()) == (revision >= "0002")
    assert empty_store.lease_counts().take_overs == (5 if revision >= "0003" else 0)
    assert claim(empty_store).token == 31
    assert empty_store.job(JOB_ID).claims == 1


def test_each_revision_is_among_those_that_are_tried(empty_store: Store) -> None:
    with empty_store._database.read() as connection:
        script = ScriptDirectory.from_config(schema.config(connection))
    assert sorted(found.revision for found in script.walk_revisions()) == REVISIONS


def test_a_migration_can_be_undone(empty_store: Store) -> None:
    empty_store.migrate()
    with empty_store._database.write() as connection:
        command.downgrade(schema.config(connection), "base")
    assert not empty_store.schema_is_current()
    empty_store.migrate()
    assert empty_store.schema_is_current()


def test_threads_and_processes_may_migrate_at_once(empty_store: Store) -> None:
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


def test_the_schema_of_a_newer_version_is_refused(empty_store: Store) -> None:
    empty_store.migrate()
    with empty_store._database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert not empty_store.schema_is_current()
    with pytest.raises(UnsupportedDatabase, match="newer"):
        empty_store.migrate()
