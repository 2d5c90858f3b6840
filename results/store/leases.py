"""The right to run a job: claimed, renewed, given back; checked by every write under it.

A token grows by one with every claim, so that a former holder is recognized, however late its
write arrives (a fencing token: Kleppmann, "How to do distributed locking", 2016).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from results.errors import IllegalMove, UnreadableJob
from results.records import DriverProcess, Failure, Held, Lease, LeasedJob
from results.states import JobState
from results.store import values
from results.store.best import update_best
from results.store.rows import SPEC, read_spec
from results.store.tables import EVENTS, JOBS, PLACE, Counter, Now, count, timed
from results.store.transactions import (
    LEASED,
    NO_DRIVER,
    SHARING,
    Transactions,
    end_job,
    move_job,
    queue_running_trials,
    update_job,
)

TAKEN_OVER = "taken over"
DRIVER_LOST = "driver lost"

# On SQLite, a claim may be needed to end the process that holds the lock.
_CLAIM_LOCK_SECONDS = 5.0
_ENDING = (JobState.PAUSING, JobState.CANCELLING)
_EXPIRED = sa.and_(JOBS.c.state.in_(LEASED), JOBS.c.lease_expires_at < Now())


class LeaseMethods(Transactions):
    """The methods of the store by which controllers and drivers hold jobs."""

    def claim_job(
        self, owner: str, lease_seconds: float, *, to_run: bool = True, new: bool = True
    ) -> Lease | None:
        """Take the first job of the queue, or one whose lease has expired; None if there is none.

        Without ``to_run`` only one that is cancelling or pausing: that takes no driver. Without
        ``new`` none of the queue. A job that this version cannot read is left to another.

        A queued job becomes running; one that is cancelling or pausing stays so, and its new
        holder has only to end its trials and finish or release it. The token grows by one, and
        running trials are queued again with their attempt kept. The driver on record is the former
        holder's until :meth:`set_driver` replaces it.
        """
        values.text(owner, "owner")
        seconds = values.duration(lease_seconds, "lease_seconds", positive=True)
        with self._changes(lock_seconds=_CLAIM_LOCK_SECONDS) as changes:
            connection = changes.connection
            states = (*([JobState.QUEUED] if new else []), *LEASED) if to_run else _ENDING
            found = _next_job(connection, states)
            if found is None:
                return None
            is_new = found.state == JobState.QUEUED
            move_job(
                changes,
                found.id,
                JobState.RUNNING if is_new else JobState(found.state),
                detail="" if is_new else TAKEN_OVER,
                lease_owner=owner,
                lease_token=found.lease_token + 1,
                claims=JOBS.c.claims + 1,
                lease_expires_at=Now() + seconds,
                started_at=sa.func.coalesce(JOBS.c.started_at, Now()),
                running=0,
            )
            queue_running_trials(changes, found.id, TAKEN_OVER)
            if found.started_at is None:
                waited = JOBS.c.started_at - JOBS.c.created_at
                _count_time(connection, Counter.JOB_WAIT, found.id, waited)
            if not is_new:
                count(connection, {Counter.TAKE_OVERS: 1})
        return Lease(found.id, owner, found.lease_token + 1)

    def renew_lease(self, lease: Lease, lease_seconds: float) -> Held:
        """Let the lease end ``lease_seconds`` from now, by the database's clock.

        Returns the job's state and slots. A running job that has no share yet may run one trial at
        a time; one that is cancelling, none. A lease that has expired can be renewed as long as
        nobody has taken the job over.
        """
        seconds = values.duration(lease_seconds, "lease_seconds", positive=True)
        renewal = sa.update(JOBS).where(JOBS.c.id == lease.job_id)
        renewal = renewal.values(lease_expires_at=Now() + seconds)
        with self._held(lease) as (changes, state):
            slots = changes.connection.scalar(renewal.returning(JOBS.c.slots))
        return Held(state, int(state in SHARING) if slots is None else slots)

    def set_driver(self, lease: Lease, driver: DriverProcess) -> None:
        """Remember the process that drives the job: any controller on its host can end it."""
        columns = {
            "driver_host": values.text(driver.host, "driver.host"),
            "driver_pid": values.integer(driver.pid, "driver.pid", low=1),
            "driver_started": values.duration(driver.started, "driver.started"),
        }
        with self._held(lease) as (changes, _):
            update_job(changes.connection, lease.job_id, **columns)

    def leased_jobs(self) -> Mapping[str, LeasedJob]:
        """Return each job that is running, pausing or cancelling by its id, oldest job first."""
        query = sa.select(JOBS, _EXPIRED.label("expired")).where(JOBS.c.state.in_(LEASED))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(JOBS.c.sequence)).all()
        return {
            row.id: LeasedJob(
                state=JobState(row.state),
                lease=Lease(row.id, row.lease_owner, row.lease_token),
                driver=None
                if row.driver_host is None
                else DriverProcess(row.driver_host, row.driver_pid, row.driver_started),
                expired=bool(row.expired),
            )
            for row in rows
        }

    def release_job(self, lease: Lease, *, lost: bool = False) -> None:
        """Put a running job back into the queue: its driver ended before the job did.

        ``lost`` says that it did so by itself, which counts as a take-over and, in the job's
        ``claims``, as one more try; a driver that was told to end leaves no trace. The job's
        running trials are queued again. One that is pausing is then paused. Raises
        :class:`results.errors.IllegalMove` for a job that is cancelling: that one is finished as
        cancelled.
        """
        with self._held(lease) as (changes, state):
            if state is JobState.CANCELLING:
                raise IllegalMove(f"job {lease.job_id} is {state}: finish it as cancelled instead")
            detail = DRIVER_LOST if lost else ""
            queue_running_trials(changes, lease.job_id, detail)
            move_job(
                changes,
                lease.job_id,
                JobState.PAUSED if state is JobState.PAUSING else JobState.QUEUED,
                detail=detail,
                lease_owner=None,
                lease_expires_at=None,
                claims=JOBS.c.claims - (0 if lost else 1),
                running=0,
                **NO_DRIVER,
            )
            if lost:
                count(changes.connection, {Counter.TAKE_OVERS: 1})

    def finish_job(self, lease: Lease, state: JobState, error: Failure | None = None) -> None:
        """Mark the job finished, and each unfinished trial cancelled; on disk before it returns.

        The paused trials of a job that has succeeded are stopped.
        The best trial of a job that has succeeded is looked for among all that have succeeded; a
        job that has failed or was cancelled keeps the best that was known. Raises
        :class:`results.errors.IllegalMove` where :data:`results.states.JOB_MOVES` has no such move:
        a job that is cancelling becomes cancelled, a running one succeeded or failed.
        """
        if not JobState(state).is_finished:
            raise ValueError(f"state must be one in which a job is finished, not {state}")
        stored = values.failure_json(error)
        with self._held(lease, durable=True) as (changes, current):
            if not current.may_become(state):
                raise IllegalMove(f"job {lease.job_id} is {current}: it cannot become {state}")
            if state is JobState.SUCCEEDED:
                update_best(changes.connection, lease.job_id)
            went_on = _went_on(changes.connection, lease.job_id)
            end_job(changes, lease.job_id, state, stored)
            ran = JOBS.c.finished_at - sa.func.coalesce(went_on, JOBS.c.started_at)
            _count_time(changes.connection, Counter.JOB_RUN, lease.job_id, ran)


def _next_job(connection: Connection, states: Sequence[JobState]) -> Row[Any] | None:
    """Return the first job in these states that may be claimed and that this version can read.

    Its row is locked.
    """
    columns = (JOBS.c.id, PLACE.label("place"), JOBS.c.state, JOBS.c.lease_token, JOBS.c.started_at)
    query = (
        sa.select(*columns, SPEC)
        .where(JOBS.c.state.in_(states))
        .where(sa.or_(JOBS.c.state == JobState.QUEUED, _EXPIRED))
        .order_by(PLACE)
        .limit(1)
        # On PostgreSQL; SQLite lets one writer in at a time.
        .with_for_update(skip_locked=True)
    )
    found = connection.execute(query).first()
    while found is not None:
        try:
            read_spec(found.id, found.spec)
        except UnreadableJob:
            found = connection.execute(query.where(found.place < PLACE)).first()
        else:
            break
    return found


def _went_on(connection: Connection, job_id: str) -> float | None:
    """Return when a job that had ended before first ran again, as far as its events are kept."""
    of_job = sa.and_(EVENTS.c.job_id == job_id, EVENTS.c.trial.is_(None))
    ends = [state for state in JobState if state.is_finished]
    end = sa.select(sa.func.max(EVENTS.c.id)).where(of_job, EVENTS.c.state.in_(ends))
    ran = sa.select(EVENTS.c.at).where(of_job, EVENTS.c.state == JobState.RUNNING)
    found: float | None = connection.scalar(
        ran.where(EVENTS.c.id > end.scalar_subquery()).order_by(EVENTS.c.id).limit(1)
    )
    return found


def _count_time(
    connection: Connection, counter: Counter, job_id: str, seconds: sa.ColumnElement[float]
) -> None:
    took = connection.execute(sa.select(seconds).where(JOBS.c.id == job_id)).scalar_one()
    count(connection, timed(counter, took))
