"""Jobs as a client sees them: accepted, read, counted, deleted."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from results.errors import IdempotencyClash, IllegalMove
from results.records import JobRecord, NewTrial
from results.spec import JobSpec
from results.states import DELETED, JobState, TrialState
from results.store import values
from results.store.code import use_code
from results.store.rows import JOB, job_record
from results.store.tables import JOBS, TOKENS, TRIALS, Now, insert_if_new
from results.store.transactions import Transactions, job_row


class JobMethods(Transactions):
    """The methods of the store that accept, read and delete jobs."""

    def create_job(
        self,
        spec: JobSpec,
        *,
        fingerprint: str,
        trials: Sequence[NewTrial],
        idempotency_key: str | None = None,
        request_digest: str | None = None,
        priority: int = 1,
    ) -> JobRecord:
        """Accept a job, queued, with the trials known so far; on disk before it returns.

        Its event stands for those of its trials too. With an ``idempotency_key`` seen before, do as
        :meth:`job_of_key`; deleting the job frees its key. ``spec.planned`` is the number of trials
        in the end; a sampler's are added as they are suggested, a confirmation's when it runs.
        Raises :class:`results.errors.UnknownCode` if the code that it needs is not there.
        """
        rows = _rows_of(trials)
        columns: dict[str, Any] = {
            **_columns_of(spec),
            "id": secrets.token_hex(8),
            "state": JobState.QUEUED,
            "fingerprint": values.text(fingerprint, "fingerprint"),
            "planned_trials": values.integer(spec.planned, "spec.planned", low=max(1, len(rows))),
            "idempotency_key": values.optional_text(idempotency_key, "idempotency_key"),
            "request_digest": values.optional_text(request_digest, "request_digest"),
            "priority": values.priority(priority),
            "created_at": Now(),
        }
        with self._changes(durable=True) as changes:
            connection = changes.connection
            if spec.code is not None:
                use_code(connection, spec.code)
            if (made := _insert(connection, columns)) is not None:
                return made
            if rows:
                job = {"job_id": columns["id"]}
                connection.execute(sa.insert(TRIALS), [job | row for row in rows])
            changes.note(columns["id"], JobState.QUEUED)
            return read_job(connection, columns["id"])

    def job_of_key(self, idempotency_key: str, request_digest: str) -> JobRecord | None:
        """Return the job that was made under this key, or None if there is none.

        Raises :class:`results.errors.IdempotencyClash` if it was made by a request of another
        digest.
        """
        key = values.text(idempotency_key, "idempotency_key")
        with self._database.read() as connection:
            return _made_before(connection, key, request_digest)

    def job(self, job_id: str) -> JobRecord:
        """Return the job."""
        with self._database.read() as connection:
            return read_job(connection, job_id)

    def counts(self) -> Mapping[JobState, int]:
        """Return how many jobs are in each state, with every state as a key."""
        query = sa.select(JOBS.c.state, sa.func.count().label("jobs")).group_by(JOBS.c.state)
        with self._database.read() as connection:
            found = {row.state: row.jobs for row in connection.execute(query)}
        return {state: found.get(state, 0) for state in JobState}

    def longest_wait(self) -> float:
        """Return the age in seconds of the oldest job that is queued now; 0.0 if none is.

        A job's age counts from its acceptance, by the database's clock.
        """
        query = (
            sa.select(Now() - JOBS.c.created_at)
            .where(JOBS.c.state == JobState.QUEUED)
            .order_by(JOBS.c.sequence)
            .limit(1)
        )
        with self._database.read() as connection:
            # A clock that was set back makes no age below 0.
            return max(0.0, connection.scalar(query) or 0.0)

    def delete_job(self, job_id: str) -> None:
        """Delete a finished job with its trials and reports; raise IllegalMove for another.

        Its events stay until they are pruned, and one more says that it was deleted.
        """
        with self._locked(job_id) as (changes, state):
            if not state.is_finished:
                raise IllegalMove(
                    f"job {job_id} is {state}: only a finished job can be deleted",
                    hint="cancel it and wait until it is cancelled",
                )
            # Its trials, reports and checkpoints go with it by their foreign keys.
            changes.connection.execute(sa.delete(JOBS).where(JOBS.c.id == job_id))
            changes.connection.execute(sa.delete(TOKENS).where(TOKENS.c.job_id == job_id))
            changes.note(job_id, DELETED)


def _rows_of(trials: Sequence[NewTrial]) -> list[dict[str, Any]]:
    """Return the columns of a job's first trials, but for the job's id."""
    new = {"state": TrialState.QUEUED, "metrics": {}}
    rows = [new | values.new_trial(trial) for trial in trials]
    if len({row["number"] for row in rows}) < len(rows):
        raise ValueError("trials: two of them have the same number")
    return rows


def _columns_of(spec: JobSpec) -> dict[str, Any]:
    """Return the columns of a job that its specification decides."""
    values.integer(spec.trials, "spec.trials", low=1)
    return {
        "name": values.text(spec.name, "name"),
        "spec": values.plain_json(spec.to_json(), "spec"),
        "data": None if spec.data is None else spec.data.digest,
        "code": values.optional_text(spec.code, "spec.code"),
        "tags": values.plain_json(spec.tags, "spec.tags"),
    }


def _insert(connection: Connection, columns: Mapping[str, Any]) -> JobRecord | None:
    """Insert a job; return the one that was made before under its idempotency key, if any."""
    insertion = insert_if_new(connection, JOBS).values(columns).returning(JOBS.c.id)
    while connection.scalar(insertion) is None:
        key, digest = columns["idempotency_key"], columns["request_digest"]
        if (made := _made_before(connection, key, digest)) is not None:
            return made
        # PostgreSQL: the job with this key was deleted since, and the key is free.
    return None


def read_job(connection: Connection, job_id: str) -> JobRecord:
    """Return one job; raise JobNotFound, or UnreadableJob where this version cannot read it."""
    return job_record(job_row(connection, job_id, *JOB))


def _made_before(
    connection: Connection, idempotency_key: str, request_digest: str | None
) -> JobRecord | None:
    query = sa.select(*JOB).where(JOBS.c.idempotency_key == idempotency_key)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    # Of a job made before digests were kept, the key alone is known.
    if row.request_digest not in (None, request_digest):
        raise IdempotencyClash(
            f"the idempotency key {idempotency_key!r} was used for another request, job {row.id}: "
            "send a new key with a new request"
        )
    return job_record(row)
