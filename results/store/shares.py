"""What the cluster holds, and each running job's share of it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from results.errors import UnreadableJob
from results.shares import Sharing, share
from results.states import JobState
from results.store import values
from results.store.rows import JOB, read_spec
from results.store.tables import CAPACITY, JOBS, PLACE, Now, insert_or_replace
from results.store.transactions import SHARING, Transactions

#: A job that has just been given a slot has so long to start a trial before its turn counts.
START_SECONDS = 20.0
# Any number will do that no other advisory lock of ours has ("argshare" in ASCII).
_SHARES_LOCK = 0x6172677368617265
_ONLY_ROW = 1


class ShareMethods(Transactions):
    """The methods of the store about shares."""

    def note_capacity(self, cpu: float, gpu: float) -> None:
        """Remember how many CPUs and GPUs the cluster has; written only if they have changed."""
        noted = {"cpu": values.amount(cpu, "cpu"), "gpu": values.amount(gpu, "gpu")}
        with self._database.read() as connection:
            if _capacity(connection) == (noted["cpu"], noted["gpu"]):
                return
        with self._database.write() as connection:
            connection.execute(insert_or_replace(connection, CAPACITY), {"id": _ONLY_ROW, **noted})

    def share_slots(self) -> None:
        """Give each job that is running or pausing its slots, as :func:`results.shares.share` says.

        It writes only what has changed, so it may be called often, by several controllers. A job
        that this version cannot read keeps the slots that it has.
        """
        with self._database.read() as connection:
            if not _changed(connection):
                return
        with self._database.write() as connection:
            if connection.dialect.name == "postgresql":
                # SQLite lets one writer in at a time.
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SHARES_LOCK)))
            for job_id, columns in _changed(connection).items():
                # The job may have ended since it was read: then it has no slots.
                shares = (JOBS.c.id == job_id, JOBS.c.state.in_(SHARING))
                connection.execute(sa.update(JOBS).where(*shares).values(**columns))

    def next_has_slot(self) -> bool:
        """Whether the first job of the queue would have a slot at once; True if none is queued.

        While nobody knows the cluster, one job has one: its driver finds out.
        """
        with self._database.read() as connection:
            query = sa.select(*JOB).where(JOBS.c.state == JobState.QUEUED)
            row = connection.execute(query.order_by(PLACE).limit(1)).first()
            if row is None:
                return True
            now: float = connection.execute(sa.select(Now())).scalar_one()
            try:
                job = _one(row, now)
            except UnreadableJob:  # it is left to another version, which comes to those behind it
                return True
            sharing, capacity = _sharing(connection, now), _capacity(connection)
        if capacity is None:
            return not sharing
        return share([*sharing, job], *capacity, now)[job.job_id] > 0


def _capacity(connection: Connection) -> tuple[float, float] | None:
    row = connection.execute(sa.select(CAPACITY.c.cpu, CAPACITY.c.gpu)).one_or_none()
    return None if row is None else (row.cpu, row.gpu)


def _changed(connection: Connection) -> dict[str, dict[str, float]]:
    """Return the new columns of each job whose slots change, by its id."""
    now: float = connection.execute(sa.select(Now())).scalar_one()
    jobs = _sharing(connection, now)
    slots = share(jobs, *(_capacity(connection) or (0.0, 0.0)), now)
    changed: dict[str, dict[str, float]] = {}
    for job in jobs:
        new = slots[job.job_id]
        if new != job.slots:
            goes_on = job.since is not None and bool(new) == bool(job.slots)
            changed[job.job_id] = {"slots": new, **({} if goes_on else {"slots_since": now})}
    return changed


def _sharing(connection: Connection, now: float) -> list[Sharing]:
    """Return the jobs that share the cluster, oldest first."""
    query = sa.select(*JOB).where(JOBS.c.state.in_(SHARING)).order_by(JOBS.c.sequence)
    found = []
    for row in connection.execute(query):
        try:
            found.append(_one(row, now))
        except UnreadableJob:
            continue
    return found


def _one(row: Row[tuple[object, ...]], now: float) -> Sharing:
    spec = read_spec(row.id, row.spec)
    # A turn does not count while the first process starts.
    since = row.slots_since
    is_starting = row.slots and not row.running and since and now - since < START_SECONDS
    # Paused trials wait for their scheduler, not for a slot: it may let one more go on than run.
    left = row.planned_trials - row.finished - row.paused + int(row.paused > 0)
    # Those of a later round of a confirmation wait for this one.
    left = left if row.at_once is None else min(left, row.at_once)
    # A job that is pausing starts no more trials.
    demand = row.running if row.state == JobState.PAUSING else left
    return Sharing(
        job_id=row.id,
        order=row.sequence,
        priority=row.priority,
        cpu=spec.cpu,
        gpu=spec.gpu,
        demand=demand,
        max_concurrent_trials=spec.max_concurrent_trials,
        slots=row.slots,
        since=now if is_starting else since,
    )
