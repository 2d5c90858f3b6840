"""Counters that only grow: take-overs and refused writes, for whoever watches the service."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from results.records import Lease, LeaseCounts
from results.store import jobs
from results.store.tables import COUNTERS, JOBS, insert_if_new

_TAKE_OVERS = "take_overs"
_REFUSED_WRITES = "refused_writes"


def read(connection: Connection) -> LeaseCounts:
    """Return all counters; one that was never counted is 0."""
    found = {row.name: row.value for row in connection.execute(sa.select(COUNTERS))}
    return LeaseCounts(found.get(_TAKE_OVERS, 0), found.get(_REFUSED_WRITES, 0))


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


def _add_one(connection: Connection, name: str) -> None:
    connection.execute(insert_if_new(connection, COUNTERS).values(name=name, value=0))
    row = COUNTERS.c.name == name
    connection.execute(sa.update(COUNTERS).where(row).values(value=COUNTERS.c.value + 1))
