"""The schema is made by the migrations alone, and they make the tables of the code."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from results.errors import UnsupportedDatabase
from results.ranking import ranks
from results.records import Curve, Progress, TrialOutcome
from results.states import FailureKind, JobState, TrialState
from results.store import Store, open_store, schema
from tests.results.store.samples import SPEC, accept, claim

REVISIONS = [f"{number:04}" for number in range(1, 14)]
JOB_ID = "0123456789abcdef"
OLD_SPEC = replace(SPEC, tags={"a": "b"})
#: The states that trials had before revision 0007.
FORMER_STATES = [s for s in TrialState if s not in (TrialState.PAUSED, TrialState.STOPPED)]
DRIVEN = (JobState.RUNNING, JobState.PAUSING, JobState.CANCELLING)
FORMER_LEASE = {"lease_owner": "a driver that has ended", "lease_expires_at": 1.7e9}

#: A row of each table, with the columns of all revisions.
FILLED = {
    "jobs": {
        "id": JOB_ID,
        "name": "old",
        "state": "queued",
        "spec": OLD_SPEC.to_json(),
        "tags": OLD_SPEC.tags,
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
    "checkpoints": {
        "job_id": JOB_ID,
        "name": "jobs/0/0/a-1.npz",
        "trial": 0,
        "epoch": 1,
        "seconds": 1.0,
        "size": 2**40,
        "sha256": "0" * 64,
    },
    "events": {"job_id": JOB_ID, "trial": 0, "state": "running", "attempt": 1, "at": 1.7e9},
    "capacity": {"id": 1, "cpu": 2.0, "gpu": 0.0},
    "tokens": {
        "name": "laptop",
        "prefix": "argb_AAAAAA",
        "sha256": "0" * 64,
        "scope": "read",
        "created_at": 1.7e9,
    },
    "counters": {"name": "take_overs", "value": 5},
    "code": {
        "digest": "sha256:" + "0" * 64,
        "name": "code/0.tar.gz",
        "size": 2**40,
        "files": 1,
        "unpacked": 2**41,
        "used_at": 1.7e9,
    },
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
    assert (job.name, job.state, job.spec, job.lease_token) == (
        "old",
        JobState.QUEUED,
        OLD_SPEC,
        30,
    )
    assert (job.tags, job.notes, job.history) == (OLD_SPEC.tags, "", ())
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


def test_progress_and_best_of_former_jobs_are_filled_in(empty_store: Store) -> None:
    """A job of each state, in both modes, whose ten trials have each state and two last values."""
    with empty_store._database.write() as connection:
        command.upgrade(schema.config(connection), "0004")
        old = sa.MetaData()
        old.reflect(connection)
        jobs, trials = former_rows()
        for table, rows in (("jobs", jobs), ("trials", trials)):
            connection.execute(sa.insert(old.tables[table]), rows)
        connection.execute(sa.insert(old.tables["counters"]).values(name="take_overs", value=5))
    empty_store.migrate()
    found = {job.name: job for job in empty_store.jobs(limit=100).items}
    assert set(found) == {f"{state} {mode}" for state in JobState for mode in ("min", "max")}
    for name, job in found.items():
        kept = empty_store.trials(job.id)
        assert job.state == name.split()[0]
        assert job.progress == Progress(10, 6, 2, 2, sum(trial.epochs for trial in kept), 30)
        # Trials 2 and 7 have succeeded, with 0.2 and 0.7.
        assert job.best is not None
        best = kept[7 if job.spec.space.mode == "max" else 2]
        assert (job.best.trial, job.best.value) == (best.number, best.number / 10)
        assert (job.best.parameters, job.best.metrics) == (best.parameters, best.metrics)
        assert set(ranks(kept, job.spec.space)) == {2, 7}
    assert empty_store.trial_outcomes() == (
        TrialOutcome(TrialState.SUCCEEDED, None, 32),
        TrialOutcome(TrialState.FAILED, FailureKind.DIVERGED, 32),
        TrialOutcome(TrialState.CANCELLED, None, 32),
    )
    assert empty_store.lease_counts().take_overs == 5
    # Those that a driver of the former version had are taken over, with what was trained.
    taken = [empty_store.claim_job("new", 60) for _ in range(2 * (1 + len(DRIVEN)))]
    jobs = {lease.job_id: lease.token for lease in taken if lease is not None}
    assert jobs == {job.id: 31 for job in found.values() if job.state in (JobState.QUEUED, *DRIVEN)}
    (job_id,) = (job.id for job in found.values() if job.name == "running min")
    states = [trial.state for trial in empty_store.trials(job_id)]
    assert TrialState.RUNNING not in states
    assert states.count(TrialState.SUCCEEDED) == 2
    assert empty_store.claim_job("new", 60) is None
    # The former version finds its scores again.
    with empty_store._database.write() as connection:
        command.downgrade(schema.config(connection), "0004")
        query = "SELECT score FROM trials JOIN jobs ON id = job_id WHERE name = 'failed min'"
        scores = connection.exec_driver_sql(f"{query} ORDER BY number").scalars().all()
    assert scores == [-number / 10 for number in range(10)]


def former_rows() -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    jobs: list[dict[str, object]] = []
    trials: list[dict[str, object]] = []
    for number, (state, mode) in enumerate(product(JobState, ("min", "max"))):
        job_id = f"{number:016x}"
        spec = SPEC.to_json() | {"mode": mode, "trials": 10}
        jobs.append(
            {**FILLED["jobs"], "id": job_id, "name": f"{state} {mode}", "state": state,
             "spec": spec, "planned_trials": 10, "idempotency_key": None,
             **(FORMER_LEASE if state in DRIVEN else dict.fromkeys(FORMER_LEASE))}
        )  # fmt: skip
        for trial, ended in enumerate(2 * FORMER_STATES):
            value = trial / 10
            trials.append(
                {**FILLED["trials"], "job_id": job_id, "number": trial, "state": ended,
                 "parameters": {"learning_rate": value}, "epochs": trial,
                 "metrics": {"validation_accuracy": value, "train_loss": 1.0},
                 "score": value if mode == "max" else -value,
                 "error": {"kind": "diverged", "message": "nan", "traceback": None}
                 if ended is TrialState.FAILED else None,
                 "finished_at": 1.7e9 if ended.is_finished else None}
            )  # fmt: skip
    return jobs, trials


def test_a_former_version_reads_what_waited_and_what_was_stopped(empty_store: Store) -> None:
    empty_store.migrate()
    job = accept(empty_store, 3)
    lease = claim(empty_store)
    for number in range(3):
        empty_store.start_trial(lease, number, node=None)
    empty_store.pause_trial(lease, 0)
    empty_store.finish_trial(lease, 1, TrialState.STOPPED)
    with empty_store._database.write() as connection:
        command.downgrade(schema.config(connection), "0006")
        found = connection.exec_driver_sql("SELECT state FROM trials ORDER BY number")
        assert found.scalars().all() == ["queued", "cancelled", "running"]
    empty_store.migrate()
    assert [t.state.value for t in empty_store.trials(job.id)] == ["queued", "cancelled", "running"]
    assert [trial.configuration for trial in empty_store.trials(job.id)] == [0, 1, 2]
    assert empty_store.trial_outcomes() == ()


def test_each_revision_is_among_those_that_are_tried(empty_store: Store) -> None:
    with empty_store._database.read() as connection:
        script = ScriptDirectory.from_config(schema.config(connection))
    assert sorted(found.revision for found in script.walk_revisions()) == sorted(REVISIONS)


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
        for _ in range(2)
    ]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
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
