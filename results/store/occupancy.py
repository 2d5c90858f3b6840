"""What the cluster holds, which trials occupy it, and how large the database is."""

from __future__ import annotations

import sqlalchemy as sa

from results.records import Capacity, RunningTrial
from results.states import TrialState
from results.store.rows import moment, usage_record
from results.store.tables import CAPACITY, JOBS, TRIALS
from results.store.transactions import SHARING, Transactions


class OccupancyMethods(Transactions):
    """The methods of the store about what runs where."""

    def capacity(self) -> Capacity | None:
        """Return what the cluster holds; None while no driver has seen it."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(CAPACITY.c.cpu, CAPACITY.c.gpu)).one_or_none()
            return None if row is None else Capacity(row.cpu, row.gpu)

    def running_trials(self, limit: int = 1_000) -> tuple[RunningTrial, ...]:
        """Return the trials that run, of the oldest job first; at most so many."""
        columns = (TRIALS.c.job_id, TRIALS.c.number, TRIALS.c.node, TRIALS.c.started_at,
                   TRIALS.c.usage)  # fmt: skip
        query = (
            sa.select(*columns)
            .join(JOBS, JOBS.c.id == TRIALS.c.job_id)
            .where(JOBS.c.state.in_(SHARING), TRIALS.c.state == TrialState.RUNNING)
            .order_by(JOBS.c.sequence, TRIALS.c.number)
            .limit(limit)
        )
        with self._database.read() as connection:
            return tuple(
                RunningTrial(
                    job_id=row.job_id,
                    number=row.number,
                    node=row.node,
                    started_at=None if row.started_at is None else moment(row.started_at),
                    usage=None if row.usage is None else usage_record(row.usage),
                )
                for row in connection.execute(query)
            )

    def database_size(self) -> tuple[str, int]:
        """Return the kind of the database, ``sqlite`` or ``postgresql``, and its bytes."""
        with self._database.read() as connection:
            if not self._database.is_sqlite:
                size = sa.select(sa.func.pg_database_size(sa.func.current_database()))
                return "postgresql", connection.execute(size).scalar_one()
            pages, page = (
                connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("page_count", "page_size")
            )
            return "sqlite", pages * page
