"""More for a job that has finished: trials, epochs, or a confirmation of its winner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from results.errors import IllegalMove
from results.records import Extended, JobRecord, JsonObject
from results.spec import JobSpec
from results.states import JobState, Purpose, TrialState
from results.store import values
from results.store.hints import to_finish
from results.store.jobs import read_job
from results.store.tables import JOBS, TRIALS
from results.store.transactions import (
    NO_DRIVER,
    Changes,
    Transactions,
    job_row,
    move_job,
    move_trials,
)
from search_spaces import Confirm

EXTENDED = "extended"
CONFIRMED = "confirmed"


class ExtendMethods(Transactions):
    """The methods of the store that let a finished job go on."""

    def extend_job(
        self, job_id: str, *, trials: int | None, epochs: int | None, fingerprint: str
    ) -> Extended:
        """Let a finished job go on to these totals; it is queued again.

        With more ``epochs`` each succeeded trial goes on from its newest checkpoint, or begins
        again if it has none. More ``trials``, repeats included, which only a sampler takes, are
        added as it suggests them. Trials that never finished run too, and so do those that the end
        of the search stopped before they began. Failed ones stay failed and other stopped ones
        stopped. The job's best trial is looked for again when it finishes. Its budget holds no
        longer, and what its search was ended by is forgotten. ``fingerprint`` is that of the new
        specification.

        Each total is larger than the job's. Those of a cancelled job may be what it has, and so may
        the trials of one whose search ended before all of them: it goes on to what it was asked.

        Idempotent: an unfinished job that has these totals stays as it is. Raises
        :class:`results.errors.IllegalMove` for one that has others and for a total that is too
        small, ``ValueError`` if no total is given, and
        :class:`search_spaces.SearchSpaceError` for totals that its search space cannot have.
        """
        totals = _totals(trials, epochs)
        values.text(fingerprint, "fingerprint")
        with self._locked(job_id) as (changes, state):
            connection, job = changes.connection, read_job(changes.connection, job_id)
            now = {"trials": job.spec.trials, "epochs": job.spec.space.epochs}
            if state.is_finished or any(now[name] != total for name, total in totals.items()):
                _check(job, now, totals)
                configurations = None if trials is None else trials // job.spec.space.repeats
                job.spec.space.with_overrides(None, None, epochs, configurations)
                ended = (TrialState.SUCCEEDED, TrialState.CANCELLED)
                again = _queue_trials(changes, job_id, ended, _goes_on(epochs))
                unbegun = _queue_trials(changes, job_id, (TrialState.STOPPED,), _never_began())
                _queue(
                    changes, job_id, detail=_said(totals), spec={**totals, "budget": {}},
                    fingerprint=fingerprint, ended_by="",
                    finished=JOBS.c.finished - again - unbegun, stopped=JOBS.c.stopped - unbegun,
                )  # fmt: skip
            return Extended(read_job(connection, job_id), _restarts(connection, job_id))

    def confirm_job(self, job_id: str, confirm: Confirm, *, fingerprint: str) -> JobRecord:
        """Let a job that has succeeded run its best configurations again; it is queued again.

        ``fingerprint`` is that of the specification with ``confirm``. What was run for a former
        confirmation counts.

        Idempotent: an unfinished job with this confirmation stays as it is. Raises
        :class:`results.errors.IllegalMove` for another unfinished job, for one that has not
        succeeded or has no best configuration, and for one that has run this confirmation or one
        that is larger.
        """
        values.text(fingerprint, "fingerprint")
        with self._locked(job_id) as (changes, state):
            job = read_job(changes.connection, job_id)
            is_same = job.spec.space.confirm == confirm
            if state.is_finished or not is_same:
                _check_confirm(job, confirm)
                _queue(
                    changes, job_id, detail=CONFIRMED, spec={"confirm": confirm.to_json()},
                    fingerprint=fingerprint,
                )  # fmt: skip
            return read_job(changes.connection, job_id)


def _queue_trials(
    changes: Changes,
    job_id: str,
    states: Collection[TrialState],
    where: sa.ColumnElement[bool],
) -> int:
    """Queue the trials in ``states`` that ``where`` names; return how many those are."""
    return move_trials(
        changes, job_id, states, TrialState.QUEUED,
        where=where, detail=EXTENDED, started_at=None, finished_at=None,
    )  # fmt: skip


def _queue(changes: Changes, job_id: str, *, spec: JsonObject, detail: str, **columns: Any) -> None:
    """Put a finished job back into the queue with these members of its specification changed."""
    connection = changes.connection
    stored = job_row(connection, job_id, JOBS.c.spec).spec
    new = JobSpec.from_json({**stored, **spec})
    purposes = sa.select(TRIALS.c.purpose).where(TRIALS.c.job_id == job_id)
    known = Counter(connection.scalars(purposes))
    # A search that a budget has ended keeps the trials that it has.
    is_over = columns.get("ended_by", job_row(connection, job_id, JOBS.c.ended_by).ended_by)
    more = 0 if is_over else max(0, new.trials - known[Purpose.SEARCH])
    # At most: none of what confirmed a former winner may count for this one.
    planned = known.total() + more + new.planned - new.trials
    columns |= {
        **NO_DRIVER, "spec": {**stored, **spec}, "planned_trials": planned, "claims": 0,
        "error": None, "finished_at": None, "at_once": None,
    }  # fmt: skip
    move_job(changes, job_id, JobState.QUEUED, detail=detail, **columns)


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
    for name, total in totals.items():
        least = now[name] + (not job.lacks(name))
        if total < least:
            message = f"job {job.id} has {now[name]} {name} already: {total} is not more"
            raise IllegalMove(message, hint=f"name a total of at least {least}")


def _check_confirm(job: JobRecord, confirm: Confirm) -> None:
    if not job.state.is_finished:
        message = f"job {job.id} is {job.state}: its winner cannot be confirmed yet"
        raise IllegalMove(message, hint="wait until it has finished")
    if job.state is not JobState.SUCCEEDED or job.best is None:
        message = f"job {job.id} is {job.state}, without a winner that could be confirmed"
        if job.best is not None:
            message = f"job {job.id} is {job.state}: not all of its trials have run to their end"
        hint = "run its failed trials again (retry-failed), or submit the search again"
        if job.state is JobState.CANCELLED or (job.ended_by and not job.progress.failed):
            hint = to_finish(job)
        if job.state is JobState.SUCCEEDED:
            hint = f"GET /api/v1/jobs/{job.id}/best says why it has no best configuration"
        raise IllegalMove(message, hint=hint)
    has_run = job.spec.space.confirm
    if has_run is not None and confirm.top <= has_run.top and confirm.seeds <= has_run.seeds:
        message = f"job {job.id} has run this confirmation"
        if confirm != has_run:
            message = f"job {job.id} has run a larger confirmation"
        hint = f"ask for more seeds than {has_run.seeds}, or for a larger top than {has_run.top}"
        raise IllegalMove(message, hint=hint)


def _goes_on(epochs: int | None) -> sa.ColumnElement[bool]:
    """Return which of the trials that succeeded or were cancelled run again."""
    unfinished = TRIALS.c.state == TrialState.CANCELLED
    return unfinished if epochs is None else sa.or_(unfinished, TRIALS.c.epochs < epochs)


def _never_began() -> sa.ColumnElement[bool]:
    """Return which of the trials that were stopped the search had chosen but not begun."""
    return sa.and_(TRIALS.c.attempt == 0, TRIALS.c.epochs == 0, TRIALS.c.purpose == Purpose.SEARCH)


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
