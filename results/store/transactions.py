"""The transactions that change a job, and the changes that several methods make in them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from results.errors import JobNotFound, LeaseLost
from results.records import Lease
from results.states import JobState, TrialState
from results.store.database import Database
from results.store.rows import stored_state
from results.store.tables import EVENTS, JOBS, TRIALS, Counter, Now, count, ending

#: The states of a job that a driver or a controller holds under a lease.
LEASED = (JobState.RUNNING, JobState.PAUSING, JobState.CANCELLING)

#: The states of a job that has a share of the cluster.
SHARING = (JobState.RUNNING, JobState.PAUSING)

#: The columns of a job's driver, where it has none.
NO_DRIVER = {"driver_host": None, "driver_pid": None, "driver_started": None}

_NO_SLOTS = {"slots": None, "slots_since": None}
_UNFINISHED = tuple(state for state in TrialState if not state.is_finished)
_ID = re.compile("[0-9a-f]{16}")
# Any number will do that no other advisory lock of ours has ("argevent" in ASCII).
_EVENTS_LOCK = 0x6172676576656E74


def is_id(job_id: str) -> bool:
    """Whether ``job_id`` has the form of the ids that this store makes."""
    return _ID.fullmatch(job_id) is not None


@dataclass(frozen=True, slots=True)
class Changes:
    """A transaction that writes, and the events that it writes as its last statement.

    Last, because ids of events follow the order of commits: on PostgreSQL a lock is taken before
    the first id is drawn, and held until the commit. Whoever holds it waits for no other lock.
    """

    connection: Connection
    events: list[dict[str, Any]] = field(default_factory=list)

    def note(
        self,
        job_id: str,
        state: str,
        *,
        trial: int | None = None,
        attempt: int | None = None,
        detail: str = "",
    ) -> None:
        """Remember an event, to be written at the end."""
        self.events.append(
            {"job_id": job_id, "trial": trial, "state": str(state), "attempt": attempt,
             "detail": detail}
        )  # fmt: skip

    def write_events(self) -> None:
        """Write the events, with ids larger than those of every transaction before."""
        if not self.events:
            return
        if self.connection.dialect.name == "postgresql":
            self.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_EVENTS_LOCK)))
        self.connection.execute(sa.insert(EVENTS).values(at=Now()), self.events)


class Transactions:
    """A database, and the two transactions that change a job: a client's and a lease holder's."""

    def __init__(self, url: str) -> None:
        """Take the database's URL; nothing is opened yet."""
        self._database = Database(url)

    @contextmanager
    def _changes(
        self, *, durable: bool = False, lock_seconds: float | None = None
    ) -> Iterator[Changes]:
        """Open a transaction as :meth:`Database.write` does; its events are written at the end."""
        with self._database.write(durable=durable, lock_seconds=lock_seconds) as connection:
            changes = Changes(connection)
            yield changes
            changes.write_events()

    @contextmanager
    def _locked(self, job_id: str) -> Iterator[tuple[Changes, JobState]]:
        """Open a durable transaction that alone may change the job; yield it and the job's state.

        Raises :class:`results.errors.JobNotFound`.
        """
        with self._changes(durable=True) as changes:
            row = job_row(changes.connection, job_id, JOBS.c.state, lock=True)
            yield changes, stored_state(JobState, row.state, job_id)

    @contextmanager
    def _held(self, lease: Lease, *, durable: bool = False) -> Iterator[tuple[Changes, JobState]]:
        """Open a transaction as :meth:`_locked` does, if the lease is the job's current one.

        Raises :class:`results.errors.LeaseLost` if it is not. Writes that are refused because of a
        newer lease are counted. A lease that is over because its job has ended, or was given back,
        is no sign of trouble.
        """
        try:
            with self._changes(durable=durable) as changes:
                yield changes, hold(changes.connection, lease)
        except LeaseLost:
            # The refused transaction was rolled back: the count needs its own.
            newer = (JOBS.c.id == lease.job_id, JOBS.c.lease_token > lease.token)
            with self._database.write() as connection:
                if is_id(lease.job_id) and connection.scalar(sa.select(JOBS.c.id).where(*newer)):
                    count(connection, {Counter.REFUSED_WRITES: 1})
            raise


def job_row(
    connection: Connection,
    job_id: str,
    *columns: sa.ColumnElement[Any],
    lock: bool = False,
) -> Row[Any]:
    """Return these columns of the job's row, with ``lock`` locked for this transaction.

    Raises :class:`results.errors.JobNotFound`.
    """
    query = sa.select(JOBS.c.id, *columns).where(JOBS.c.id == job_id)
    row = None
    if is_id(job_id):
        row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise JobNotFound(f"no job has the id {job_id!r}")
    return row


def hold(connection: Connection, lease: Lease) -> JobState:
    """Lock the job for this transaction and return its state; raise LeaseLost if not ours."""
    query = sa.select(JOBS.c.state).where(
        JOBS.c.id == lease.job_id,
        JOBS.c.lease_token == lease.token,
        JOBS.c.state.in_(LEASED),
    )
    state = connection.scalar(query.with_for_update()) if is_id(lease.job_id) else None
    if state is None:
        raise LeaseLost(
            f"lease {lease.token} of {lease.owner!r} on job {lease.job_id} is over: the job was "
            "taken over, finished or deleted; stop writing"
        )
    return JobState(state)


def update_job(connection: Connection, job_id: str, **columns: Any) -> None:
    """Change these columns of the job's row, which the transaction has locked."""
    connection.execute(sa.update(JOBS).where(JOBS.c.id == job_id).values(**columns))


def move_job(
    changes: Changes, job_id: str, state: JobState, *, detail: str = "", **columns: Any
) -> None:
    """Write the job's new state, with these columns; a job that no longer runs has no slots."""
    slots = {} if state in SHARING else _NO_SLOTS
    update_job(changes.connection, job_id, state=state, **slots, **columns)
    changes.note(job_id, state, detail=detail)


def move_trials(
    changes: Changes,
    job_id: str,
    states: Collection[TrialState],
    to: TrialState,
    *,
    where: sa.ColumnElement[bool] | None = None,
    detail: str = "",
    **columns: Any,
) -> int:
    """Move the job's trials in ``states`` to another state; return how many those are.

    ``where`` narrows down which ones.
    """
    moved = sa.update(TRIALS).where(TRIALS.c.job_id == job_id, TRIALS.c.state.in_(states))
    if where is not None:
        moved = moved.where(where)
    moved = moved.values(state=to, **columns).returning(TRIALS.c.number, TRIALS.c.attempt)
    found = sorted(map(tuple, changes.connection.execute(moved)))
    for number, attempt in found:
        changes.note(job_id, to, trial=number, attempt=attempt, detail=detail)
    return len(found)


def queue_running_trials(changes: Changes, job_id: str, detail: str) -> None:
    """Queue the trials whose processes are gone, with their attempts kept."""
    move_trials(changes, job_id, [TrialState.RUNNING], TrialState.QUEUED, detail=detail, node=None)


def end_job(
    changes: Changes,
    job_id: str,
    state: JobState,
    error: Mapping[str, Any] | None = None,
    **columns: Any,
) -> None:
    """Write the last state of a job that may move there, and end its unfinished trials.

    They are cancelled; where the job has succeeded, paused ones are stopped.
    """
    stopped = 0
    if state is JobState.SUCCEEDED:
        paused = [TrialState.PAUSED]
        stopped = move_trials(changes, job_id, paused, TrialState.STOPPED, finished_at=Now())
    cancelled = move_trials(changes, job_id, _UNFINISHED, TrialState.CANCELLED, finished_at=Now())
    ended = {TrialState.STOPPED: stopped, TrialState.CANCELLED: cancelled}
    move_job(
        changes,
        job_id,
        state,
        detail="" if error is None else error["kind"],
        error=error,
        finished_at=Now(),
        lease_expires_at=None,
        finished=JOBS.c.finished + stopped + cancelled,
        stopped=JOBS.c.stopped + stopped,
        running=0,
        paused=0,
        **columns,
    )
    if stopped or cancelled:
        count(changes.connection, {ending(end): n for end, n in ended.items() if n})
