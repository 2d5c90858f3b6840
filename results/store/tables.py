"""The tables, the same on SQLite and PostgreSQL.

Times are seconds since 1970 in UTC, by the database's clock, as double precision: both databases
compare and add them without time zones. States are text without a CHECK, so that a new state
needs no migration. The migrations make these tables; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    and_,
    func,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from results.states import TrialState

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_BIG_INTEGER = BigInteger().with_variant(Integer, "sqlite")
_JSON = JSON(none_as_null=True)

JOBS = Table(
    "jobs",
    METADATA,
    # The order in which jobs were accepted: pages and the queue follow it.
    Column("sequence", _BIG_INTEGER, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("spec", _JSON, nullable=False),
    Column("fingerprint", Text, nullable=False, index=True),
    Column("planned_trials", Integer, nullable=False),
    # Sums over the job's trials, and the best of them as JSON: its trial, parameters and metrics.
    # Each change of a trial changes them in the same transaction, so that no read sums up.
    Column("finished", Integer, nullable=False, server_default="0"),
    Column("failed", Integer, nullable=False, server_default="0"),
    Column("running", Integer, nullable=False, server_default="0"),
    Column("stopped", Integer, nullable=False, server_default="0"),
    Column("paused", Integer, nullable=False, server_default="0"),
    Column("epochs_done", _BIG_INTEGER, nullable=False, server_default="0"),
    Column("best", _JSON),
    Column("idempotency_key", Text, unique=True),
    # Of the request that came with the key; null in rows from before it was kept.
    Column("request_digest", Text),
    Column("lease_owner", Text),
    Column("lease_token", _BIG_INTEGER, nullable=False, server_default="0"),
    # Claims since the job was accepted, resumed or retried; the token counts all of them.
    Column("claims", Integer, nullable=False, server_default="0"),
    Column("lease_expires_at", Double),
    Column("priority", Integer, nullable=False, server_default="1"),
    # The job's share of the cluster; null while it holds none.
    Column("slots", Integer),
    # When slots last went to 0 or from 0 (or null): turns are counted from it.
    Column("slots_since", Double),
    # How many of its trials could run at the same time, in a round of its confirmation; else null.
    Column("at_once", Integer),
    Column("driver_host", Text),
    Column("driver_pid", Integer),
    Column("driver_started", Double),
    Column("error", _JSON),
    # Why the search ended before all its trials, in a sentence.
    Column("ended_by", Text, nullable=False, server_default=""),
    Column("created_at", Double, nullable=False),
    Column("started_at", Double),
    Column("finished_at", Double),
    # The digest of the code that its program needs.
    Column("code", Text, index=True),
    # The digest of the user's data that its trials train on.
    Column("data", Text, index=True),
    # Changed by hand; at first those of the specification.
    Column("tags", _JSON, nullable=False, server_default=text("'{}'")),
    Column("notes", Text, nullable=False, server_default=""),
    # The course of the best value: pairs of trials that had finished and the value by then.
    Column("history", _JSON),
    # Where the job stands in the queue, if somebody has moved it.
    Column("place", _BIG_INTEGER),
    Index(None, "state", "sequence"),
    # Never the number of a deleted job again, or a page cursor could point past a new one.
    sqlite_autoincrement=True,
)

#: The order of the queue: places are sequences, which moves by hand exchange.
PLACE = func.coalesce(JOBS.c.place, JOBS.c.sequence)

TRIALS = Table(
    "trials",
    METADATA,
    Column("job_id", Text, ForeignKey(JOBS.c.id, ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("state", Text, nullable=False),
    Column("parameters", _JSON, nullable=False),
    Column("seed", _BIG_INTEGER, nullable=False),
    Column("metrics", _JSON, nullable=False),
    Column("epochs", Integer, nullable=False, server_default="0"),
    Column("seconds", Double, nullable=False, server_default="0"),
    Column("node", Text),
    Column("engine", Text, nullable=False, server_default=""),
    Column("error", _JSON),
    Column("started_at", Double),
    Column("finished_at", Double),
    Column("resumed_from", Integer, nullable=False, server_default="0"),
    Column("checkpoint", Integer, nullable=False, server_default="0"),
    Column("model_bytes", _BIG_INTEGER, nullable=False, server_default="0"),
    Column("purpose", Text, nullable=False, server_default="search"),
    # The number of the first trial with this configuration; null, as a former version leaves it,
    # for the trial itself.
    Column("configuration", Integer),
    # What its processes used of their machine when it was looked at last: a Usage as JSON.
    Column("usage", _JSON),
    # The trial from whose state this one went on, and after which epoch; null and 0 for others.
    Column("parent", Integer),
    Column("start_epoch", Integer, nullable=False, server_default="0"),
    Index(None, "job_id", "configuration"),
)

REPORTS = Table(
    "reports",
    METADATA,
    Column("job_id", Text, primary_key=True),
    Column("trial", Integer, primary_key=True, autoincrement=False),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("metrics", _JSON, nullable=False),
    Column("seconds", Double, nullable=False),
    ForeignKeyConstraint(
        ["job_id", "trial"], [TRIALS.c.job_id, TRIALS.c.number], ondelete="CASCADE"
    ),
    # Rows lie in the order of the key, so that a curve is one range of the file.
    sqlite_with_rowid=False,
)

#: Whether a report is one of a trial's current attempt.
IN_CURRENT_ATTEMPT = and_(
    REPORTS.c.job_id == TRIALS.c.job_id,
    REPORTS.c.trial == TRIALS.c.number,
    REPORTS.c.attempt == TRIALS.c.attempt,
)

# The files that the storage holds of a job: states of unfinished trials, models of finished ones.
CHECKPOINTS = Table(
    "checkpoints",
    METADATA,
    Column("job_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("trial", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("size", _BIG_INTEGER, nullable=False),
    Column("sha256", Text, nullable=False),
    ForeignKeyConstraint(
        ["job_id", "trial"], [TRIALS.c.job_id, TRIALS.c.number], ondelete="CASCADE"
    ),
)

# What happened to jobs and trials, in the order in which it was committed. Without a foreign key:
# a reader that comes back later learns how a job ended that was deleted meanwhile.
EVENTS = Table(
    "events",
    METADATA,
    Column("id", _BIG_INTEGER, primary_key=True, autoincrement=True),
    Column("job_id", Text, nullable=False),
    Column("trial", Integer),
    Column("state", Text, nullable=False),
    Column("attempt", Integer),
    Column("detail", Text, nullable=False, server_default=""),
    Column("at", Double, nullable=False),
    Index(None, "job_id", "id"),
    # Never the id of a pruned event again, or a reader would miss the new one.
    sqlite_autoincrement=True,
)

# What the cluster holds, in one row.
CAPACITY = Table(
    "capacity",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("cpu", Double, nullable=False),
    Column("gpu", Double, nullable=False),
)

# Numbers that outlive the jobs that they count.
COUNTERS = Table(
    "counters",
    METADATA,
    # A :class:`Counter`, or the name that :func:`ending` returns.
    Column("name", Text, primary_key=True),
    Column("value", _BIG_INTEGER, nullable=False),
)

# The archives of code that the storage holds. Their files are named anew at each upload: deleting
# an old one never takes a new one away.
CODE = Table(
    "code",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("size", _BIG_INTEGER, nullable=False),
    Column("files", Integer, nullable=False),
    Column("unpacked", _BIG_INTEGER, nullable=False),
    # When it was last sent or named by a new job.
    Column("used_at", Double, nullable=False),
)

# Users' data sets. One that was removed stays until no job names its content.
DATASETS = Table(
    "datasets",
    METADATA,
    Column("id", _BIG_INTEGER, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("size", _BIG_INTEGER, nullable=False),
    Column("card", _JSON, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("removed_at", Double),
    Index(
        "uq_datasets_name",
        "name",
        unique=True,
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
)

TOKENS = Table(
    "tokens",
    METADATA,
    Column("name", Text, primary_key=True),
    # The first characters of the token, by which people and the look-up recognize it.
    Column("prefix", Text, nullable=False, index=True),
    Column("sha256", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double),
    Column("last_used_at", Double),
    # The job that a link reads; null for a token of all jobs. It goes with the job.
    Column("job_id", Text, index=True),
    # The token with which a client made it.
    Column("made_by", Text, nullable=False, server_default=""),
)


class Now(FunctionElement[float]):
    """The database's clock when the row is written: seconds since 1970 in UTC."""

    type = Double()
    inherit_cache = True


@compiles(Now, "sqlite")
def _sqlite_now(_element: Now, _compiler: Any, **_options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(Now, "postgresql")
def _postgresql_now(_element: Now, _compiler: Any, **_options: Any) -> str:
    # Not now(), which is the transaction's start: it may have waited for a lock since.
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)"


class Counter(StrEnum):
    """The names of counters. One that ends in ``_ms`` adds up what its namesake counts."""

    TAKE_OVERS = "take_overs"
    REFUSED_WRITES = "refused_writes"
    JOB_WAIT = "job_wait"
    JOB_RUN = "job_run"
    TRIAL = "trial"


def ending(state: TrialState, kind: str | None = None) -> str:
    """Return the name of the counter of trials that ended so."""
    return f"ended:{state}:{kind}" if kind else f"ended:{state}"


def timed(counter: Counter, seconds: float) -> dict[str, int]:
    """Return the amounts by which something that took so long counts.

    A clock that was set back makes no counter fall.
    """
    return {counter: 1, f"{counter}_ms": max(0, round(1000 * seconds))}


def insert_if_new(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT into ``table`` that skips rows whose key or unique value is there."""
    return _insert(connection, table).on_conflict_do_nothing()


def insert_or_replace(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT into ``table`` that replaces the row whose primary key is there."""
    insertion = _insert(connection, table)
    values = {c.name: insertion.excluded[c.name] for c in table.c if not c.primary_key}
    return insertion.on_conflict_do_update(index_elements=list(table.primary_key), set_=values)


def count(connection: Connection, amounts: Mapping[str, int]) -> None:
    """Add to the counters of these names, which begin at 0.

    Transactions that count twice do so in the order of the names: each counter stays locked until
    the end, and another order could end in a deadlock.
    """
    rows = [{"name": name, "value": amount} for name, amount in sorted(amounts.items())]
    insertion = _insert(connection, COUNTERS).values(rows)
    value = COUNTERS.c.value + insertion.excluded.value
    connection.execute(
        insertion.on_conflict_do_update(index_elements=["name"], set_={"value": value})
    )


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    is_sqlite = connection.dialect.name == "sqlite"
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)
