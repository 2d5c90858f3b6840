"""The transactions that change a job, and the changes that several methods make in them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from results.errors import JobNotFound, LeaseLost
from results.records import Lease
from results.states import JobState, TrialState
from results.store.database import Database
from results.store.rows import job_state
from results.store.tables import JOBS, TRIALS, Counter, Now, count, ending

#: The states of a job that a driver or a controller holds under a lease.
LEASED = (JobState.RUNNING, JobState.PAUSING, JobState.CANCELLING)

#: The columns of a job's driver, where it has none.
NO_DRIVER = {"driver_host": None, "driver_pid": None, "driver_started": None}

#: The columns of a trial whose process is gone; its next start makes a new attempt.
QUEUED_AGAIN = {"state": TrialState.QUEUED, "node": None}

_UNFINISHED = tuple(state for state in TrialState if not state.is_finished)
_ID = re.compile("[0-9a-f]{16}")


def is_id(job_id: str) -> bool:
    """Whether ``job_id`` has the form of the ids that this store makes."""
    return _ID.fullmatch(job_id) is not None


class Transactions:
    """A database, and the two transactions that change a job: a client's and a lease holder's."""

    def __init__(self, url: str) -> None:
        """Take the database's URL; nothing is opened yet."""
        self._database = Database(url)

    @contextmanager
    def _locked(self, job_id: str) -> Iterator[tuple[Connection, JobState]]:
        """Open a durable transaction that alone may change the job; yield it and the job's state.

        Raises :class:`results.errors.JobNotFound`.
        """
        with self._database.write(durable=True) as connection:
            row = job_row(connection, job_id, JOBS.c.state, lock=True)
            yield connection, job_state(job_id, row.state)

    @contextmanager
    def _held(
        self, lease: Lease, *, durable: bool = False
    ) -> Iterator[tuple[Connection, JobState]]:
        """Open a transaction as :meth:`_locked` does, if the lease is the job's current one.

        Raises :class:`results.errors.LeaseLost` if it is not. Writes that are refused because of a
        newer lease are counted. A lease that is over because its job has ended, or was given back,
        is no sign of trouble.
        """
        try:
            with self._database.write(durable=durable) as connection:
                yield connection, hold(connection, lease)
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


def move_trials(
    connection: Connection, job_id: str, states: Collection[TrialState], **columns: Any
) -> int:
    """Change these columns of the job's trials in ``states``; return how many those are."""
    moved = sa.update(TRIALS).where(TRIALS.c.job_id == job_id, TRIALS.c.state.in_(states))
    return connection.execute(moved.values(**columns)).rowcount


def end_job(
    connection: Connection, job_id: str, state: JobState, error: Mapping[str, Any] | None = None
) -> None:
    """Write the last state of a job that may move there, and cancel its unfinished trials."""
    cancelled = move_trials(
        connection, job_id, _UNFINISHED, state=TrialState.CANCELLED, finished_at=Now()
    )
    update_job(
        connection,
        job_id,
        state=state,
        error=error,
        finished_at=Now(),
        lease_expires_at=None,
        finished=JOBS.c.finished + cancelled,
        running=0,
    )
    if cancelled:
        count(connection, {ending(TrialState.CANCELLED): cancelled})
