"""Trials: read, suggested, started, queued again, finished."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from results.errors import IllegalMove, TrialNotFound
from results.ranking import sort_key
from results.records import Failure, Lease, NewTrial, TrialRecord
from results.states import TrialState
from results.store import values
from results.store.rows import SPEC, read_spec, trial_record, trial_state
from results.store.tables import JOBS, TRIALS, Counter, Now, count, ending, insert_if_new, timed
from results.store.transactions import QUEUED_AGAIN, Transactions, job_row, update_job


class TrialMethods(Transactions):
    """The methods of the store about trials."""

    def trials(self, job_id: str) -> tuple[TrialRecord, ...]:
        """Return the job's trials by number."""
        query = sa.select(TRIALS).where(TRIALS.c.job_id == job_id).order_by(TRIALS.c.number)
        with self._database.read() as connection:
            job_row(connection, job_id)
            return tuple(map(trial_record, connection.execute(query)))

    def trial(self, job_id: str, number: int) -> TrialRecord:
        """Return one trial; raise :class:`results.errors.TrialNotFound` if there is none."""
        with self._database.read() as connection:
            job_row(connection, job_id)
            return trial_record(trial_row(connection, job_id, number))

    def add_trial(self, lease: Lease, trial: NewTrial) -> None:
        """Add a trial that a sampler suggested; adding the same one again changes nothing.

        Raises ``ValueError`` if the number is taken by another configuration.
        """
        new = values.new_trial(trial)
        columns = {"job_id": lease.job_id, "state": TrialState.QUEUED, "metrics": {}, **new}
        with self._held(lease) as (connection, _):
            insertion = insert_if_new(connection, TRIALS).values(columns)
            if connection.scalar(insertion.returning(TRIALS.c.number)) is not None:
                return
            found = trial_row(connection, lease.job_id, trial.number)
            if (found.parameters, found.seed) != (new["parameters"], new["seed"]):
                raise ValueError(
                    f"trial {trial.number} of job {lease.job_id} has other parameters or another "
                    "seed: give a new trial a new number"
                )

    def start_trial(self, lease: Lease, number: int, *, node: str | None) -> int:
        """Mark the trial running as a new attempt and return that attempt's number.

        Forgets the metrics, epochs and error of the attempt before; its reports stay in the table.
        Raises :class:`results.errors.IllegalMove` for a trial that has finished.
        """
        values.optional_text(node, "node")
        with self._held(lease) as (connection, _):
            row = trial_row(connection, lease.job_id, number)
            if trial_state(lease.job_id, row.state).is_finished:
                raise IllegalMove(f"trial {number} of job {lease.job_id} has {row.state}")
            attempt: int = row.attempt + 1
            _update(
                connection, lease, number, state=TrialState.RUNNING, attempt=attempt, metrics={},
                epochs=0, seconds=0.0, node=node, engine="", error=None, started_at=Now(),
            )  # fmt: skip
            update_job(
                connection,
                lease.job_id,
                running=JOBS.c.running + int(row.state != TrialState.RUNNING),
                epochs_done=JOBS.c.epochs_done - row.epochs,
            )
        return attempt

    def requeue_trial(self, lease: Lease, number: int) -> None:
        """Queue a running trial whose process was lost, with its attempt kept.

        A trial that is not running stays as it is.
        """
        with self._held(lease) as (connection, _):
            if trial_row(connection, lease.job_id, number).state == TrialState.RUNNING:
                _update(connection, lease, number, **QUEUED_AGAIN)
                update_job(connection, lease.job_id, running=JOBS.c.running - 1)

    def finish_trial(
        self, lease: Lease, number: int, state: TrialState, error: Failure | None = None
    ) -> None:
        """Mark the trial finished; on disk before it returns. A finished trial stays as it is."""
        if not TrialState(state).is_finished:
            raise ValueError(f"state must be one in which a trial is finished, not {state}")
        stored = values.failure_json(error)
        with self._held(lease, durable=True) as (connection, _):
            row = trial_row(connection, lease.job_id, number)
            if trial_state(lease.job_id, row.state).is_finished:
                return
            _update(connection, lease, number, state=state, error=stored, finished_at=Now())
            changes: dict[str, Any] = {
                "finished": JOBS.c.finished + 1,
                "failed": JOBS.c.failed + int(state == TrialState.FAILED),
                "running": JOBS.c.running - int(row.state == TrialState.RUNNING),
            }
            if state == TrialState.SUCCEEDED:
                changes["best"] = _best_with(connection, row)
            update_job(connection, lease.job_id, **changes)
            ended = ending(state, None if error is None else error.kind)
            count(connection, {ended: 1, **timed(Counter.TRIAL, row.seconds)})


def trial_row(connection: Connection, job_id: str, number: int) -> Row[Any]:
    """Return the trial's row; raise :class:`results.errors.TrialNotFound` if there is none."""
    row = None
    if values.is_number(number):
        row = connection.execute(sa.select(TRIALS).where(*_is(job_id, number))).one_or_none()
    if row is None:
        raise TrialNotFound(f"job {job_id} has no trial {number}")
    return row


def _is(job_id: str, number: int) -> tuple[sa.ColumnElement[bool], ...]:
    return TRIALS.c.job_id == job_id, TRIALS.c.number == number


def _update(connection: Connection, lease: Lease, number: int, **columns: Any) -> None:
    connection.execute(sa.update(TRIALS).where(*_is(lease.job_id, number)).values(**columns))


def _best_with(connection: Connection, trial: Row[Any]) -> Mapping[str, Any] | None:
    """Return the best of the job's best trial so far and ``trial``, which has succeeded."""
    query = sa.select(JOBS.c.best, SPEC).where(JOBS.c.id == trial.job_id)
    job = connection.execute(query).one()
    space = read_spec(trial.job_id, job.spec).space

    def key(best: Mapping[str, Any]) -> tuple[float, int]:
        return sort_key(best["metrics"][space.metric], best["trial"], space.mode)

    new = {"trial": trial.number, "parameters": trial.parameters, "metrics": trial.metrics}
    candidates = [best for best in (job.best, new) if best and space.metric in best["metrics"]]
    return min(candidates, key=key, default=None)
