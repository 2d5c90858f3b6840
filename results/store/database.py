"""Connections and transactions of SQLite and PostgreSQL, and their errors as ours.

SQLite: a write-ahead log, foreign keys on, a wait of up to 30 s for a lock. Every writing
transaction begins with ``BEGIN IMMEDIATE``: one that reads first and writes later fails at once
with BUSY_SNAPSHOT when another wrote in between (https://www.sqlite.org/rescode.html#busy_snapshot).
SQLAlchemy documents how to set that (its SQLite page, "Enabling Non-Legacy SQLite Transactional
Modes"). PostgreSQL: a writer locks single rows, and reads are repeatable, so that the parts of a
record are of one moment on both databases. Client and server notice within seconds when the other
is cut off (libpq's documentation, "Parameter Key Words"; tcp(7), TCP_USER_TIMEOUT).
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import URL, Connection, Engine

from results.errors import StoreUnavailable, UnsupportedDatabase

LOCK_SECONDS = 30.0
# A statement that takes longer is stuck: exports read in parts.
_STATEMENT_SECONDS = 300
# After this, the server ends the transaction of a client that was cut off or stopped, and so its
# locks. A job is taken over after its lease and this.
_IDLE_SECONDS = 10
# Behind a cut network, a server cannot end the connection. The client ends it when the server has
# acknowledged neither data for 10 s nor, after 5 idle seconds, three probes 2 s apart.
_POSTGRESQL = {
    "connect_timeout": 10,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
# The schema is missing, older or owned by another role; our statements are right. SQLSTATEs of
# undefined tables, columns and schemas, and of privileges (PostgreSQL's documentation, appendix A).
_OPERATORS_STATES = frozenset({"42P01", "42703", "3F000", "42501"})
_OPERATORS_WORDS = ("no such table", "no such column", "has no column named")
_FORMS = "sqlite:////absolute/path.db or postgresql://user:password@host/database"


def parse_url(url: str) -> URL:
    """Return the checked URL, with SQLite's path made absolute and PostgreSQL's driver named.

    Raises :class:`results.errors.UnsupportedDatabase` as :func:`results.store.open_store` says.
    """
    try:
        parsed = sa.make_url(url)
    except (exc.ArgumentError, ValueError):
        # The text may hold a password: it is not repeated.
        raise UnsupportedDatabase(f"the database URL cannot be read; write {_FORMS}") from None
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        return _sqlite_url(parsed)
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        _require_psycopg()
        return parsed.set(drivername="postgresql+psycopg")
    raise UnsupportedDatabase(
        f"databases of the kind {parsed.drivername!r} are not supported; use {_FORMS}"
    )


def _sqlite_url(url: URL) -> URL:
    if url.host or url.username or url.query:
        raise UnsupportedDatabase(
            "a SQLite URL holds a path alone: three slashes before a relative path, four before "
            "an absolute one, and no options"
        )
    if not url.database or url.database == ":memory:":
        raise UnsupportedDatabase(
            "a SQLite database in memory cannot be shared by processes: name a file, as in "
            "sqlite:///argbest.db"
        )
    return url.set(drivername="sqlite", database=str(Path(url.database).absolute()))


def _require_psycopg() -> None:
    try:
        import_module("psycopg")
    except ImportError as error:
        raise UnsupportedDatabase(
            f"PostgreSQL needs the psycopg driver ({error}): pip install 'argbest[postgresql]'"
        ) from error


class Database:
    """One database: transactions on it, and its errors as :mod:`results.errors` names them."""

    def __init__(self, url: str) -> None:
        """Take the URL; nothing is opened before the first transaction."""
        self.url = parse_url(url)
        self._engine: Engine | None = None
        self._engine_process = 0
        self._lock = threading.Lock()

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite (otherwise it is PostgreSQL)."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that reads, and sees one moment of the database throughout."""
        with self._errors(), self._connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def write(
        self, *, durable: bool = False, lock_seconds: float | None = None
    ) -> Iterator[Connection]:
        """Open a transaction that writes, committed at the end or rolled back on an exception.

        A ``durable`` one is on disk when this returns. On SQLite another one may be lost, whole
        and with no harm to the rest, if the power fails within moments (not if a process dies);
        there, others are waited for at most ``lock_seconds`` (None: :data:`LOCK_SECONDS`).
        """
        with self._errors(), self._connect() as connection:
            synchronous = "FULL" if durable else "NORMAL"
            connection.execution_options(begin_write=synchronous, lock_seconds=lock_seconds)
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close all connections that no transaction holds; the next transaction opens new ones."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose(close=self._engine_process == os.getpid())
                self._engine = None

    def _connect(self) -> Connection:
        with self._lock:
            if self._engine is not None and self._engine_process != os.getpid():
                # A forked child must not speak on its parent's connections.
                self._engine.dispose(close=False)
                self._engine = None
            if self._engine is None:
                self._engine = _build_engine(self.url)
                self._engine_process = os.getpid()
            engine = self._engine
        return engine.connect()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (exc.DBAPIError, exc.TimeoutError) as error:
            if isinstance(error, exc.DBAPIError) and _is_defect(error):
                raise
            where = self.url.render_as_string(hide_password=True)
            cause = error.orig if isinstance(error, exc.DBAPIError) else error
            raise StoreUnavailable(f"the database {where} does not answer: {cause}") from error


def _is_defect(error: exc.DBAPIError) -> bool:
    """Whether our own statement or value is wrong; the store checks values before it writes."""
    cause = error.orig
    if isinstance(cause, sqlite3.OperationalError):
        # SQLite has one code for every wrong statement; only its words name a missing table.
        is_ours = getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
        return is_ours and not any(words in str(cause) for words in _OPERATORS_WORDS)
    if isinstance(error, exc.ProgrammingError):
        return getattr(cause, "sqlstate", None) not in _OPERATORS_STATES
    return isinstance(error, exc.IntegrityError | exc.DataError)


def _build_engine(url: URL) -> Engine:
    serializer = partial(json.dumps, allow_nan=False, separators=(",", ":"))
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(
            url, json_serializer=serializer, connect_args={"timeout": LOCK_SECONDS}
        )
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = sa.create_engine(
        url,
        json_serializer=serializer,
        pool_pre_ping=True,
        connect_args=_POSTGRESQL,
    )
    sa.event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver shall not begin transactions: _begin_sqlite does.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")
    _use_write_ahead_log(connection)


def _use_write_ahead_log(connection: Any) -> None:
    # This changes the file for good. SQLite does not wait for the lock that it takes, so we do:
    # several processes may open a new file at once.
    give_up = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if "begin_write" not in options:
        connection.exec_driver_sql("BEGIN")
        return
    connection.exec_driver_sql(f"PRAGMA synchronous={options['begin_write']}")
    if options["lock_seconds"] is None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    connection.exec_driver_sql(f"PRAGMA busy_timeout={int(1000 * options['lock_seconds'])}")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        # The next user of the pooled connection waits longer.
        connection.exec_driver_sql(f"PRAGMA busy_timeout={int(1000 * LOCK_SECONDS)}")


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    limits = {
        "lock_timeout": LOCK_SECONDS,
        "statement_timeout": _STATEMENT_SECONDS,
        "idle_in_transaction_session_timeout": _IDLE_SECONDS,
    }
    for name, seconds in limits.items():
        connection.execute(f"SET {name} = '{seconds}s'")
    connection.commit()
