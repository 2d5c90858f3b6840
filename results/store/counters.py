"""Counters that only grow, for whoever watches the service: what was counted, how long it took."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from results.records import Durations, Lease, LeaseCounts
from results.store import jobs
from results.store.tables import COUNTERS, JOBS, add_to

_TAKE_OVERS = "take_overs"
_REFUSED_WRITES = "refused_writes"
_JOB_WAIT = "job_wait"
_JOB_RUN = "job_run"
_TRIAL = "trial"


def lease_counts(connection: Connection) -> LeaseCounts:
    """Return what has happened to leases; what was never counted is 0."""
    found = _all(connection)
    return LeaseCounts(found.get(_TAKE_OVERS, 0), found.get(_REFUSED_WRITES, 0))


def durations(connection: Connection) -> Durations:
    """Return how long jobs and trials took, of those that were counted."""
    found = _all(connection)

    def total(name: str) -> tuple[int, float]:
        return found.get(name, 0), found.get(f"{name}_ms", 0) / 1000

    return Durations(total(_JOB_WAIT), total(_JOB_RUN), total(_TRIAL))


def _all(connection: Connection) -> dict[str, int]:
    return {row.name: row.value for row in connection.execute(sa.select(COUNTERS))}


def count_take_over(connection: Connection) -> None:
    """Count one job that was claimed because whoever ran it was gone."""
    _add_one(connection, _TAKE_OVERS)


def count_refused_write(connection: Connection, lease: Lease) -> None:
    """Count one write that was refused, if a newer lease is why.

    A lease that is over because its job has ended, or was given back, is no sign of trouble.
    """
    newer = sa.select(JOBS.c.id).where(JOBS.c.id == lease.job_id, JOBS.c.lease_token > lease.token)
    if jobs.is_id(lease.job_id) and connection.scalar(newer) is not None:
        _add_one(connection, _REFUSED_WRITES)


def count_job_start(connection: Connection, job_id: str) -> None:
    """Count how long the job had waited when it was claimed for the first time."""
    _add_job_time(connection, _JOB_WAIT, job_id, JOBS.c.started_at - JOBS.c.created_at)


def count_job_end(connection: Connection, job_id: str) -> None:
    """Count how long the job, which has just ended, took since it was first claimed."""
    _add_job_time(connection, _JOB_RUN, job_id, JOBS.c.finished_at - JOBS.c.started_at)


def count_trial_end(connection: Connection, seconds: float) -> None:
    """Count how long the last attempt of a trial, which has just ended, trained."""
    _add_time(connection, _TRIAL, seconds)


def _add_job_time(
    connection: Connection, name: str, job_id: str, seconds: sa.ColumnElement[float]
) -> None:
    took = connection.execute(sa.select(seconds).where(JOBS.c.id == job_id)).scalar_one()
    _add_time(connection, name, took)


def _add_time(connection: Connection, name: str, seconds: float) -> None:
    # A clock that was set back makes no counter fall.
    connection.execute(add_to(connection, {name: 1, f"{name}_ms": max(0, round(1000 * seconds))}))


def _add_one(connection: Connection, name: str) -> None:
    connection.execute(add_to(connection, {name: 1}))
