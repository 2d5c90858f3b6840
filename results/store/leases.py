"""The right to run a job: claimed, renewed, given back; checked by every write under it.

A token grows by one with every claim, so that whoever held the job before is told apart, however
late its write arrives (a fencing token: Kleppmann, "How to do distributed locking", 2016).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from results.errors import IllegalMove, LeaseLost
from results.records import DriverProcess, Failure, Lease, LeasedJob
from results.states import JobState, TrialState
from results.store import counters, jobs, values
from results.store.tables import JOBS, TRIALS, Now

_ENDING = (JobState.PAUSING, JobState.CANCELLING)
_LEASED = (JobState.RUNNING, *_ENDING)
_EXPIRED = sa.and_(JOBS.c.state.in_(_LEASED), JOBS.c.lease_expires_at < Now())


def claim(
    connection: Connection, owner: str, lease_seconds: float, *, to_run: bool
) -> Lease | None:
    """Take the oldest job that waits, or whose holder has let its lease expire."""
    values.text(owner, "owner")
    seconds = values.duration(lease_seconds, "lease_seconds", positive=True)
    found = connection.execute(
        sa.select(JOBS.c.id, JOBS.c.state)
        .where(JOBS.c.state.in_((JobState.QUEUED, *_LEASED) if to_run else _ENDING))
        .where(sa.or_(JOBS.c.state == JobState.QUEUED, _EXPIRED))
        .order_by(JOBS.c.sequence)
        .limit(1)
        # On PostgreSQL; SQLite lets one writer in at a time.
        .with_for_update(skip_locked=True)
    ).first()
    if found is None:
        return None
    job_id = found.id
    token = connection.execute(
        sa.update(JOBS)
        .where(JOBS.c.id == job_id)
        .values(
            state=sa.case((JOBS.c.state == JobState.QUEUED, JobState.RUNNING), else_=JOBS.c.state),
            lease_owner=owner,
            lease_token=JOBS.c.lease_token + 1,
            claims=JOBS.c.claims + 1,
            lease_expires_at=Now() + seconds,
            started_at=sa.func.coalesce(JOBS.c.started_at, Now()),
        )
        .returning(JOBS.c.lease_token)
    ).scalar_one()
    if token == 1:
        counters.count_job_start(connection, job_id)
    if found.state != JobState.QUEUED:
        counters.count_take_over(connection)
    _queue_running_trials(connection, job_id)
    return Lease(job_id, owner, token)


def hold(connection: Connection, lease: Lease) -> JobState:
    """Lock the job for this transaction and return its state; raise LeaseLost if not ours."""
    state = None
    if jobs.is_id(lease.job_id):
        query = sa.select(JOBS.c.state).where(*_is_current(lease)).with_for_update()
        state = connection.scalar(query)
    if state is None:
        raise LeaseLost(
            f"lease {lease.token} of {lease.owner!r} on job {lease.job_id} is over: the job was "
            "taken over, finished or deleted; stop writing"
        )
    return JobState(state)


def renew(connection: Connection, lease: Lease, lease_seconds: float) -> JobState:
    """Let the lease last ``lease_seconds`` from now; one that expired is ours until it is taken."""
    seconds = values.duration(lease_seconds, "lease_seconds", positive=True)
    state = hold(connection, lease)
    _update(connection, lease, lease_expires_at=Now() + seconds)
    return state


def set_driver(connection: Connection, lease: Lease, driver: DriverProcess) -> None:
    """Write which process drives the job."""
    columns = {
        "driver_host": values.text(driver.host, "driver.host"),
        "driver_pid": values.integer(driver.pid, "driver.pid", low=1),
        "driver_started": values.duration(driver.started, "driver.started"),
    }
    hold(connection, lease)
    _update(connection, lease, **columns)


def leased_jobs(connection: Connection) -> dict[str, LeasedJob]:
    """Return each job under a lease, oldest job first."""
    query = sa.select(JOBS, _EXPIRED.label("expired")).where(JOBS.c.state.in_(_LEASED))
    return {
        row.id: LeasedJob(
            state=JobState(row.state),
            lease=Lease(row.id, row.lease_owner, row.lease_token),
            driver=None
            if row.driver_host is None
            else DriverProcess(row.driver_host, row.driver_pid, row.driver_started),
            expired=bool(row.expired),
        )
        for row in connection.execute(query.order_by(JOBS.c.sequence))
    }


def release(connection: Connection, lease: Lease, *, lost: bool) -> None:
    """Queue the job again and its running trials, or let it be paused if it was asked to.

    A claim that ended on purpose does not count; one whose driver was lost is a take-over.
    """
    state = hold(connection, lease)
    if state is JobState.CANCELLING:
        raise IllegalMove(f"job {lease.job_id} is {state}: finish it as cancelled instead")
    _update(
        connection,
        lease,
        state=JobState.PAUSED if state is JobState.PAUSING else JobState.QUEUED,
        lease_owner=None,
        lease_expires_at=None,
        driver_host=None,
        driver_pid=None,
        driver_started=None,
        claims=JOBS.c.claims - (0 if lost else 1),
    )
    if lost:
        counters.count_take_over(connection)
    _queue_running_trials(connection, lease.job_id)


def finish(connection: Connection, lease: Lease, state: JobState, error: Failure | None) -> None:
    """Finish the job if its state may become ``state``."""
    if not JobState(state).is_finished:
        raise ValueError(f"state must be one in which a job is finished, not {state}")
    stored = values.failure_json(error)
    current = hold(connection, lease)
    if not current.may_become(state):
        raise IllegalMove(f"job {lease.job_id} is {current}: it cannot become {state}")
    jobs.finish(connection, lease.job_id, state, stored)
    counters.count_job_end(connection, lease.job_id)


def _is_current(lease: Lease) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        JOBS.c.id == lease.job_id,
        JOBS.c.lease_token == lease.token,
        JOBS.c.state.in_(_LEASED),
    )


def _update(connection: Connection, lease: Lease, **columns: Any) -> None:
    connection.execute(sa.update(JOBS).where(JOBS.c.id == lease.job_id).values(**columns))


def _queue_running_trials(connection: Connection, job_id: str) -> None:
    # Their attempt stays as it is: starting them again makes the next one.
    connection.execute(
        sa.update(TRIALS)
        .where(TRIALS.c.job_id == job_id, TRIALS.c.state == TrialState.RUNNING)
        .values(state=TrialState.QUEUED)
    )
