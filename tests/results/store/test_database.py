"""Which databases are opened, and what is said of the others."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from results.errors import StoreUnavailable
from results.states import JobState, TrialState
from results.store import Store, database, open_store
from results.store.transactions import hold
from tests.results.store.samples import accept, claim, remove_all_jobs, report
from tools.postgres import Server


def test_a_file_that_is_no_database_makes_the_store_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "argbest.db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        open_store(f"sqlite:///{path}").jobs()


@pytest.mark.parametrize(
    "statement", ["SELECT FROM WHERE", "SELECT no_such_function(1)", "INSERT INTO jobs VALUES (1)"]
)
def test_a_statement_that_is_wrong_is_a_defect(store: Store, statement: str) -> None:
    with (
        pytest.raises(sa.exc.DBAPIError),
        store._database.write() as connection,
    ):
        connection.exec_driver_sql(statement)
    assert store.jobs().items == ()


@pytest.mark.parametrize("statement", ["SELECT 1 FROM gone", "SELECT gone FROM jobs"])
def test_a_schema_that_is_older_makes_the_store_unavailable(store: Store, statement: str) -> None:
    with (
        pytest.raises(StoreUnavailable, match="gone"),
        store._database.read() as connection,
    ):
        connection.exec_driver_sql(statement)


def test_a_lock_that_is_not_given_up_makes_the_store_unavailable(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("results.store.database.LOCK_SECONDS", 0.05)
    job = accept(store)
    lease = claim(store)
    store.close()
    other = open_store(store.url)
    with other._database.write() as connection:
        hold(connection, lease)
        with pytest.raises(StoreUnavailable, match="lock"):
            store.request_cancel(job.id)
        assert store.job(job.id).state is JobState.RUNNING  # a reader does not wait for a writer
    other.close()
    assert store.request_cancel(job.id).state is JobState.CANCELLING


def test_a_connection_lost_midway_makes_the_store_unavailable(
    server: Server, migrated_url: str
) -> None:
    store = open_store(migrated_url)

    def lose_the_connection() -> None:
        with store._database.write() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM jobs")
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE usename = 'argbest' AND datname <> 'postgres'"
            )
            connection.exec_driver_sql("SELECT count(*) FROM jobs")

    with pytest.raises(StoreUnavailable, match="terminating connection"):
        lose_the_connection()
    store.counts()
    store.close()


def test_a_server_cut_off_is_given_up_within_seconds(migrated_url: str) -> None:
    store = open_store(migrated_url)
    with store._database.read() as connection:
        limits = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
        }
        number = connection.connection.driver_connection.fileno()
        with socket.socket(fileno=os.dup(number)) as used:
            options = {
                name: used.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
                for name in ("TCP_USER_TIMEOUT", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT")
            }
            assert used.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert list(limits.values()) == ["30s", "5min", "10s"]
    assert list(options.values()) == [10_000, 5, 2, 3]
    store.close()


def test_a_server_that_accepts_and_says_nothing_makes_the_store_unavailable(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(database._POSTGRESQL, "connect_timeout", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = open_store(f"postgresql://argbest@127.0.0.1:{silent.getsockname()[1]}/argbest")
        with pytest.raises(StoreUnavailable, match="timeout"):
            store.counts()


def test_a_client_that_stops_midway_does_not_keep_its_locks(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = open_store(migrated_url), open_store(migrated_url)
    remove_all_jobs(other)
    job = accept(other)
    monkeypatch.setattr(database, "_IDLE_SECONDS", 1)

    def stop_midway() -> None:
        with store._database.write() as connection:
            hold(connection, claim(other))
            assert other.request_cancel(job.id).state is JobState.CANCELLING  # waits until then
            connection.exec_driver_sql("SELECT count(*) FROM jobs")

    with pytest.raises(StoreUnavailable, match="idle-in-transaction"):
        stop_midway()
    store.close()
    other.close()


def test_what_must_survive_a_power_cut_is_synchronous(sqlite_store: Store) -> None:
    sqlite_store.counts()
    said: list[str] = []
    sa.event.listen(
        sqlite_store._database._engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, *_rest: said.append(statement),
    )

    def levels(call: Callable[[], object]) -> set[str]:
        said.clear()
        call()
        return {statement for statement in said if "synchronous" in statement}

    full, normal = {"PRAGMA synchronous=FULL"}, {"PRAGMA synchronous=NORMAL"}
    assert levels(lambda: accept(sqlite_store)) == full
    lease = claim(sqlite_store)
    sqlite_store.start_trial(lease, 0, node=None)
    reports = [report(0, 1, 0.5)]
    assert levels(lambda: sqlite_store.write_reports(lease, reports)) == normal
    assert levels(lambda: sqlite_store.finish_trial(lease, 0, TrialState.SUCCEEDED)) == full
    assert levels(lambda: sqlite_store.request_cancel(lease.job_id)) == full
    assert levels(lambda: sqlite_store.finish_job(lease, JobState.CANCELLED)) == full


def test_connections_are_set_up_as_promised(sqlite_store: Store) -> None:
    with sqlite_store._database.write(durable=True) as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    expected = {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "busy_timeout": 30_000}
    assert pragmas == expected
    with sqlite_store._database.write() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1


def test_a_forked_child_opens_its_own_connections(sqlite_store: Store) -> None:
    job = accept(sqlite_store)
    before = sqlite_store._database._engine
    child = os.fork()
    if child == 0:
        found = sqlite_store.job(job.id) == job
        os._exit(0 if found and sqlite_store._database._engine is not before else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sqlite_store._database._engine is before
    assert sqlite_store.job(job.id) == job


def test_a_missing_folder_makes_the_store_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="unable to open"):
        open_store(f"sqlite:///{tmp_path}/missing/argbest.db").migrate()
