"""Jobs as a client sees them: accepted, listed, cancelled, paused, resumed, retried, deleted.

Each function works inside the transaction of the connection that it is given.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from results.errors import BadCursor, IdempotencyClash, IllegalMove, JobNotFound
from results.records import JobRecord, NewTrial, Page
from results.spec import JobSpec
from results.states import JobState, TrialState
from results.store import values
from results.store.rows import UNFINISHED_TRIALS, job_records
from results.store.tables import JOBS, TRIALS, Now, insert_if_new

_ID = re.compile("[0-9a-f]{16}")
_UNSUCCESSFUL = (TrialState.FAILED, TrialState.CANCELLED)
_CURSOR = re.compile(r"after:(\d{1,18})")


def is_id(job_id: str) -> bool:
    """Whether ``job_id`` has the form of the ids that this store makes."""
    return _ID.fullmatch(job_id) is not None


def create(
    connection: Connection,
    spec: JobSpec,
    *,
    fingerprint: str,
    trials: Sequence[NewTrial],
    idempotency_key: str | None,
    request_digest: str | None,
) -> JobRecord:
    """Insert a job and its trials, or find the job that the same request made before."""
    rows = [values.new_trial(trial) for trial in trials]
    if len({row["number"] for row in rows}) < len(rows):
        raise ValueError("trials: two of them have the same number")
    job_id = secrets.token_hex(8)
    columns: dict[str, Any] = {
        "id": job_id,
        "name": values.text(spec.name, "name"),
        "state": JobState.QUEUED,
        "spec": values.plain_json(spec.to_json(), "spec"),
        "fingerprint": values.text(fingerprint, "fingerprint"),
        "planned_trials": values.integer(spec.trials, "spec.trials", low=len(rows)),
        "idempotency_key": values.optional_text(idempotency_key, "idempotency_key"),
        "request_digest": values.optional_text(request_digest, "request_digest"),
        "created_at": Now(),
    }
    insertion = insert_if_new(connection, JOBS).values(columns).returning(JOBS.c.id)
    while connection.scalar(insertion) is None:
        made = of_key(connection, columns["idempotency_key"], request_digest)
        if made is not None:
            return made
        # PostgreSQL: the job with this key was deleted since, and the key is free.
    if rows:
        new = {"job_id": job_id, "state": TrialState.QUEUED, "metrics": {}}
        connection.execute(sa.insert(TRIALS), [new | row for row in rows])
    return get(connection, job_id)


def of_key(
    connection: Connection, idempotency_key: str, request_digest: str | None
) -> JobRecord | None:
    """Return the job that was made under this key, if any; raise if by another request."""
    key = values.text(idempotency_key, "idempotency_key")
    row = connection.execute(sa.select(JOBS).where(JOBS.c.idempotency_key == key)).one_or_none()
    if row is None:
        return None
    # Of a job made before digests were kept, the key alone is known.
    if row.request_digest not in (None, request_digest):
        raise IdempotencyClash(
            f"the idempotency key {key!r} was used for another request, job {row.id}: "
            "send a new key with a new request"
        )
    return job_records(connection, [row])[0]


def get(connection: Connection, job_id: str) -> JobRecord:
    """Return one job."""
    return job_records(connection, [_row(connection, job_id)])[0]


def require(connection: Connection, job_id: str) -> None:
    """Raise :class:`results.errors.JobNotFound` unless there is such a job."""
    if not is_id(job_id) or not connection.scalar(
        sa.select(sa.literal(1)).where(JOBS.c.id == job_id)
    ):
        raise JobNotFound(f"no job has the id {job_id!r}")


def page(
    connection: Connection,
    *,
    state: JobState | None,
    fingerprint: str | None,
    cursor: str | None,
    limit: int,
) -> Page:
    """Return the jobs that come after ``cursor``, newest first, and the next cursor."""
    values.integer(limit, "limit", low=1)
    query = sa.select(JOBS).order_by(JOBS.c.sequence.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(JOBS.c.state == JobState(state))
    if fingerprint is not None:
        query = query.where(JOBS.c.fingerprint == values.text(fingerprint, "fingerprint"))
    if cursor is not None:
        query = query.where(JOBS.c.sequence < _sequence(cursor))
    rows = connection.execute(query).all()
    items = job_records(connection, rows[:limit])
    return Page(items, _cursor(rows[limit - 1].sequence) if len(rows) > limit else None)


def _cursor(sequence: int) -> str:
    return base64.urlsafe_b64encode(f"after:{sequence}".encode()).decode().rstrip("=")


def _sequence(cursor: str) -> int:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        found = _CURSOR.fullmatch(base64.b64decode(padded, altchars=b"-_", validate=True).decode())
    except (binascii.Error, UnicodeError):
        found = None
    if found is None:
        raise BadCursor(f"{cursor!r} is no cursor of a page: use next_cursor as it was returned")
    return int(found[1])


def counts(connection: Connection) -> dict[JobState, int]:
    """Return the number of jobs in each state, 0 included."""
    query = sa.select(JOBS.c.state, sa.func.count().label("jobs")).group_by(JOBS.c.state)
    found = {row.state: row.jobs for row in connection.execute(query)}
    return {state: found.get(state, 0) for state in JobState}


def longest_wait(connection: Connection) -> float:
    """Return the age in seconds of the oldest job that is queued, 0.0 if none is."""
    query = (
        sa.select(Now() - JOBS.c.created_at)
        .where(JOBS.c.state == JobState.QUEUED)
        .order_by(JOBS.c.sequence)
        .limit(1)
    )
    # A clock that was set back makes no age below 0.
    return max(0.0, connection.scalar(query) or 0.0)


def request_cancel(connection: Connection, job_id: str) -> JobRecord:
    """Cancel a job that nobody runs, ask a running one to stop; one that is cancelled stays so."""
    state = _state(connection, job_id)
    if state in (JobState.CANCELLING, JobState.CANCELLED):
        return get(connection, job_id)
    if state.may_become(JobState.CANCELLING):
        _update(connection, job_id, state=JobState.CANCELLING)
    elif state.may_become(JobState.CANCELLED):
        finish(connection, job_id, JobState.CANCELLED)
    else:
        raise IllegalMove(
            f"job {job_id} has {state}: there is nothing left to cancel",
            hint="delete it if you do not need its results",
        )
    return get(connection, job_id)


def request_pause(connection: Connection, job_id: str) -> JobRecord:
    """Pause a queued job at once, ask a running one to start no more trials."""
    state = _state(connection, job_id)
    if state in (JobState.PAUSING, JobState.PAUSED):
        return get(connection, job_id)
    if state.may_become(JobState.PAUSING):
        _update(connection, job_id, state=JobState.PAUSING)
    elif state.may_become(JobState.PAUSED):
        _update(connection, job_id, state=JobState.PAUSED)
    else:
        raise IllegalMove(
            f"job {job_id} is {state}: it cannot be paused",
            hint="only a job that is queued or running can be paused",
        )
    return get(connection, job_id)


def resume(connection: Connection, job_id: str) -> JobRecord:
    """Queue a paused job again; one that is still pausing just goes on."""
    state = _state(connection, job_id)
    if state is JobState.PAUSED:
        _update(connection, job_id, state=JobState.QUEUED, claims=0)
    elif state is JobState.PAUSING:
        _update(connection, job_id, state=JobState.RUNNING)
    elif state not in (JobState.QUEUED, JobState.RUNNING):
        raise IllegalMove(
            f"job {job_id} is {state}: it cannot be resumed",
            hint="only a paused job can be resumed; one that has finished can be retried",
        )
    return get(connection, job_id)


def retry_failed(connection: Connection, job_id: str) -> JobRecord:
    """Queue a job that has ended, with its failed trials; its results so far stay."""
    state = _state(connection, job_id)
    failed = _trials_in(connection, job_id, TrialState.FAILED)
    if not state.is_finished and not failed:
        return get(connection, job_id)  # what the first of two equal requests did
    _check_retry(job_id, state, failed)
    # A failed job has ended its other trials too: they are as good as failed.
    connection.execute(
        sa.update(TRIALS)
        .where(TRIALS.c.job_id == job_id, TRIALS.c.state.in_(_UNSUCCESSFUL))
        .values(state=TrialState.QUEUED, error=None, finished_at=None)
    )
    columns = {"state": JobState.QUEUED, "error": None, "finished_at": None, "claims": 0}
    # Its last driver is gone, and must not be taken for the next one's.
    driver = {"driver_host": None, "driver_pid": None, "driver_started": None}
    _update(connection, job_id, **columns, **driver)
    return get(connection, job_id)


def _check_retry(job_id: str, state: JobState, failed: int) -> None:
    if not state.is_finished:
        message = f"job {job_id} is {state}: its failed trials cannot run again yet"
        raise IllegalMove(message, hint="wait until it has finished, or cancel it")
    if not state.may_become(JobState.QUEUED):
        message = f"job {job_id} was {state}: its trials do not run again"
        raise IllegalMove(message, hint="submit the search again")
    if state is JobState.SUCCEEDED and not failed:
        message = f"job {job_id} has no failed trial: there is nothing to run again"
        raise IllegalMove(message, hint="submit the search again for new results")


def _trials_in(connection: Connection, job_id: str, state: TrialState) -> int:
    query = sa.select(sa.func.count()).where(TRIALS.c.job_id == job_id, TRIALS.c.state == state)
    return int(connection.scalar(query) or 0)


def _state(connection: Connection, job_id: str) -> JobState:
    """Lock the job for this transaction and return its state."""
    return JobState(_row(connection, job_id, lock=True).state)


def _update(connection: Connection, job_id: str, **columns: Any) -> None:
    connection.execute(sa.update(JOBS).where(JOBS.c.id == job_id).values(**columns))


def finish(connection: Connection, job_id: str, state: JobState, error: Any = None) -> None:
    """Write the job's last state, and cancel its unfinished trials; the caller checked the move."""
    connection.execute(
        sa.update(TRIALS)
        .where(TRIALS.c.job_id == job_id, TRIALS.c.state.in_(UNFINISHED_TRIALS))
        .values(state=TrialState.CANCELLED, finished_at=Now())
    )
    columns = {"state": state, "error": error, "finished_at": Now(), "lease_expires_at": None}
    _update(connection, job_id, **columns)


def delete(connection: Connection, job_id: str) -> None:
    """Delete a finished job; its trials and reports go with it by their foreign keys."""
    state = _state(connection, job_id)
    if not state.is_finished:
        raise IllegalMove(
            f"job {job_id} is {state}: only a finished job can be deleted",
            hint="cancel it and wait until it is cancelled",
        )
    connection.execute(sa.delete(JOBS).where(JOBS.c.id == job_id))


def _row(connection: Connection, job_id: str, *, lock: bool = False) -> Row[Any]:
    row = None
    if is_id(job_id):
        query = sa.select(JOBS).where(JOBS.c.id == job_id)
        row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise JobNotFound(f"no job has the id {job_id!r}")
    return row
