"""More trials or epochs for a job that has finished."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from results.errors import IllegalMove
from results.records import Extended, JobRecord
from results.states import JobState, TrialState
from results.store import values
from results.store.jobs import read_job
from results.store.tables import JOBS, TRIALS
from results.store.transactions import NO_DRIVER, Transactions, job_row, move_job, move_trials

EXTENDED = "extended"


class ExtendMethods(Transactions):
    """The method of the store that extends a job."""

    def extend_job(
        self, job_id: str, *, trials: int | None, epochs: int | None, fingerprint: str
    ) -> Extended:
        """Let a job that has succeeded or failed go on to these totals; it is queued again.

        With more ``epochs`` each succeeded trial goes on from its newest checkpoint, or begins
        again if it has none. More ``trials``, which only a sampler takes, are added as it suggests
        them. Trials that never finished run too; failed ones stay failed. The job's best trial is
        looked for again when it finishes. ``fingerprint`` is that of the new specification.

        Idempotent: an unfinished job that has these totals stays as it is. Raises
        :class:`results.errors.IllegalMove` for one that has others, for a cancelled job and for a
        total that is not larger than the job's, ``ValueError`` if no total is given, and
        :class:`search_spaces.SearchSpaceError` for totals that its search space cannot have.
        """
        totals = _totals(trials, epochs)
        values.text(fingerprint, "fingerprint")
        with self._locked(job_id) as (changes, state):
            connection, job = changes.connection, read_job(changes.connection, job_id)
            now = {"trials": job.progress.trials, "epochs": job.spec.space.epochs}
            if state.is_finished or any(now[name] != total for name, total in totals.items()):
                _check(job, now, totals)
                job.spec.space.with_overrides(None, None, epochs, trials)
                queued = move_trials(
                    changes, job_id, (TrialState.SUCCEEDED, TrialState.CANCELLED),
                    TrialState.QUEUED, where=_goes_on(epochs), detail=EXTENDED, finished_at=None,
                )  # fmt: skip
                spec = {**job_row(connection, job_id, JOBS.c.spec).spec, **totals}
                move_job(
                    changes, job_id, JobState.QUEUED, detail=_said(totals), spec=spec,
                    planned_trials=trials or now["trials"], fingerprint=fingerprint, claims=0,
                    error=None, finished_at=None, finished=JOBS.c.finished - queued, **NO_DRIVER,
                )  # fmt: skip
            return Extended(read_job(connection, job_id), _restarts(connection, job_id))


def _totals(trials: int | None, epochs: int | None) -> dict[str, int]:
    given = {"trials": trials, "epochs": epochs}
    totals = {
        name: values.integer(total, name, low=1)
        for name, total in given.items()
        if total is not None
    }
    if not totals:
        raise ValueError("a job is extended to more trials, more epochs or both: none is given")
    return totals


def _check(job: JobRecord, now: dict[str, int], totals: dict[str, int]) -> None:
    if not job.state.is_finished:
        message = f"job {job.id} is {job.state}: it cannot be extended yet"
        raise IllegalMove(message, hint="wait until it has finished")
    if not job.state.may_become(JobState.QUEUED):
        message = f"job {job.id} was {job.state}: it cannot be extended"
        raise IllegalMove(message, hint="submit the search again")
    for name, total in totals.items():
        if total <= now[name]:
            message = f"job {job.id} has {now[name]} {name} already: {total} is not more"
            raise IllegalMove(message, hint=f"name a total larger than {now[name]}")


def _goes_on(epochs: int | None) -> sa.ColumnElement[bool]:
    """Return which of the trials that succeeded or were cancelled run again."""
    unfinished = TRIALS.c.state == TrialState.CANCELLED
    return unfinished if epochs is None else sa.or_(unfinished, TRIALS.c.epochs < epochs)


def _said(totals: dict[str, int]) -> str:
    said = " and ".join(f"{total} {name}" for name, total in totals.items())
    return f"{EXTENDED} to {said}"


def _restarts(connection: Connection, job_id: str) -> tuple[int, ...]:
    """Return the queued trials that have trained and have no checkpoint to go on from."""
    query = sa.select(TRIALS.c.number).where(
        TRIALS.c.job_id == job_id,
        TRIALS.c.state == TrialState.QUEUED,
        TRIALS.c.epochs > 0,
        TRIALS.c.checkpoint == 0,
    )
    return tuple(connection.scalars(query.order_by(TRIALS.c.number)))
