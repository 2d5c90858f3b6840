"""Trials: suggested, started, finished, read."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from results.errors import IllegalMove, TrialNotFound
from results.records import Failure, Lease, NewTrial, TrialOutcome, TrialRecord
from results.states import FailureKind, TrialState
from results.store import counters, jobs, values
from results.store.leases import hold
from results.store.rows import trial_record
from results.store.tables import TRIALS, Now, insert_if_new


def of_job(connection: Connection, job_id: str) -> tuple[TrialRecord, ...]:
    """Return all trials of the job, by number."""
    jobs.require(connection, job_id)
    query = sa.select(TRIALS).where(TRIALS.c.job_id == job_id).order_by(TRIALS.c.number)
    return tuple(trial_record(row) for row in connection.execute(query))


def outcomes(connection: Connection) -> tuple[TrialOutcome, ...]:
    """Return how many finished trials of all jobs ended in which way."""
    kind = TRIALS.c.error["kind"].as_string()
    query = (
        sa.select(TRIALS.c.state, kind, sa.func.count())
        .where(TRIALS.c.finished_at.is_not(None))
        .group_by(TRIALS.c.state, kind)
        .order_by(TRIALS.c.state, kind)
    )
    return tuple(
        TrialOutcome(TrialState(state), None if failed is None else FailureKind(failed), n)
        for state, failed, n in connection.execute(query)
    )


def get(connection: Connection, job_id: str, number: int) -> TrialRecord:
    """Return one trial."""
    jobs.require(connection, job_id)
    return trial_record(_row(connection, job_id, number))


def add(connection: Connection, lease: Lease, trial: NewTrial) -> None:
    """Insert a queued trial; the same one again changes nothing."""
    columns = values.new_trial(trial)
    hold(connection, lease)
    key = {"job_id": lease.job_id, "state": TrialState.QUEUED, "metrics": {}}
    insertion = insert_if_new(connection, TRIALS).values(key | columns).returning(TRIALS.c.number)
    if connection.scalar(insertion) is None:
        found = _row(connection, lease.job_id, trial.number)
        if (found.parameters, found.seed) != (columns["parameters"], columns["seed"]):
            raise ValueError(
                f"trial {trial.number} of job {lease.job_id} has other parameters or another seed: "
                "give a new trial a new number"
            )


def start(connection: Connection, lease: Lease, number: int, node: str | None) -> int:
    """Begin the trial's next attempt and return its number."""
    values.optional_text(node, "node")
    hold(connection, lease)
    row = _row(connection, lease.job_id, number)
    if TrialState(row.state).is_finished:
        raise IllegalMove(f"trial {number} of job {lease.job_id} has {row.state}: it stays so")
    attempt: int = row.attempt + 1
    connection.execute(
        sa.update(TRIALS)
        .where(*_is(lease.job_id, number))
        .values(
            state=TrialState.RUNNING,
            attempt=attempt,
            metrics={},
            score=None,
            epochs=0,
            seconds=0.0,
            node=node,
            engine="",
            error=None,
            started_at=Now(),
        )
    )
    return attempt


def finish(
    connection: Connection, lease: Lease, number: int, state: TrialState, error: Failure | None
) -> None:
    """Write the trial's last state, unless it has one."""
    if not TrialState(state).is_finished:
        raise ValueError(f"state must be one in which a trial is finished, not {state}")
    stored = values.failure_json(error)
    hold(connection, lease)
    row = _row(connection, lease.job_id, number)
    if TrialState(row.state).is_finished:
        return
    connection.execute(
        sa.update(TRIALS)
        .where(*_is(lease.job_id, number))
        .values(state=state, error=stored, finished_at=Now())
    )
    counters.count_trial_end(connection, row.seconds)


def _is(job_id: str, number: int) -> tuple[sa.ColumnElement[bool], ...]:
    return TRIALS.c.job_id == job_id, TRIALS.c.number == number


def _row(connection: Connection, job_id: str, number: int) -> Row[Any]:
    row = None
    if values.is_number(number):
        row = connection.execute(sa.select(TRIALS).where(*_is(job_id, number))).one_or_none()
    if row is None:
        raise TrialNotFound(f"job {job_id} has no trial {number}")
    return row
