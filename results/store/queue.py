"""The order in which queued jobs are taken, and its change by hand."""

from __future__ import annotations

import sqlalchemy as sa

from results.errors import IllegalMove
from results.records import JobRecord
from results.states import JobState
from results.store.jobs import read_job
from results.store.tables import JOBS, PLACE
from results.store.transactions import Transactions, job_row, update_job


class QueueMethods(Transactions):
    """The method of the store that moves a job in the queue."""

    def queue_before(self, job_id: str, other: str | None) -> JobRecord:
        """Let a queued job be taken before another queued one; None: after all of them.

        The jobs between move on by one. Idempotent. Raises
        :class:`results.errors.IllegalMove` where one of them is not queued.
        """
        query = sa.select(JOBS.c.id, PLACE.label("place"))
        query = query.where(JOBS.c.state == JobState.QUEUED).order_by(JOBS.c.sequence)
        with self._changes(durable=True) as changes:
            connection = changes.connection
            # In one order, so that two moves at the same time never wait for each other.
            rows = connection.execute(query.with_for_update()).all()
            places = {row.id: row.place for row in sorted(rows, key=lambda row: row.place)}
            for one in (job_id, *([] if other is None else [other])):
                if one not in places:
                    state = job_row(connection, one, JOBS.c.state).state
                    raise IllegalMove(
                        f"job {one} is {state}: it does not wait in the queue",
                        hint="only a queued job can be moved, before a queued one",
                    )
            order = [one for one in places if one != job_id]
            if other != job_id:
                order.insert(len(order) if other is None else order.index(other), job_id)
                moved = zip(order, sorted(places.values()), strict=True)
                changed = {one: place for one, place in moved if places[one] != place}
                for one, place in changed.items():
                    update_job(connection, one, place=place)
                if job_id in changed:
                    where = "last" if other is None else f"before {other}"
                    changes.note(job_id, JobState.QUEUED, detail=f"queued {where}")
            return read_job(connection, job_id)
