"""What each move of a trial changes: its row, its job's row, its reports, and the events."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from results.errors import IllegalMove, TrialNotFound
from results.states import Purpose, TrialState
from results.store import values
from results.store.batch import (
    AddCheckpoint,
    AddTrial,
    FinishTrial,
    Move,
    NoteUsage,
    PauseTrial,
    PlanTrials,
    Reports,
    RequeueTrial,
    StartTrial,
)
from results.store.best import improve_best
from results.store.reports import write_reports
from results.store.rows import stored_state
from results.store.tables import (
    CHECKPOINTS,
    JOBS,
    REPORTS,
    TRIALS,
    Counter,
    Now,
    count,
    ending,
    insert_if_new,
    insert_or_replace,
    timed,
)
from results.store.transactions import Changes, update_job


def apply(changes: Changes, job_id: str, move: Move) -> int | None:
    """Write one move; return the attempt that a start begins or goes on with."""
    match move:
        case AddTrial():
            _add(changes, job_id, move)
        case StartTrial():
            return _start(changes, job_id, move)
        case Reports():
            write_reports(changes.connection, job_id, move.reports)
        case AddCheckpoint():
            _add_checkpoint(changes, job_id, move)
        case NoteUsage():
            _note_usage(changes.connection, job_id, move)
        case RequeueTrial():
            _requeue(changes, job_id, move)
        case PauseTrial():
            _pause(changes, job_id, move)
        case FinishTrial():
            _finish(changes, job_id, move)
        case PlanTrials():
            _plan(changes.connection, job_id, move)
    return None


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


def _is_finished(row: Row[Any]) -> bool:
    return stored_state(TrialState, row.state, row.job_id).is_finished


def _update(connection: Connection, job_id: str, number: int, **columns: Any) -> None:
    connection.execute(sa.update(TRIALS).where(*_is(job_id, number)).values(**columns))


def _add(changes: Changes, job_id: str, move: AddTrial) -> None:
    new, connection = values.new_trial(move.trial), changes.connection
    columns = {"job_id": job_id, "state": TrialState.QUEUED, "metrics": {}, **new}
    columns["epochs"] = new["start_epoch"]
    insertion = insert_if_new(connection, TRIALS).values(columns)
    number = move.trial.number
    if connection.scalar(insertion.returning(TRIALS.c.number)) is not None:
        origin = move.trial.parent
        detail = "" if origin is None else f"from trial {origin} after epoch {new['start_epoch']}"
        changes.note(job_id, TrialState.QUEUED, trial=number, attempt=0, detail=detail)
        return
    found = trial_row(connection, job_id, number)
    if any(value != getattr(found, name) for name, value in new.items()):
        raise ValueError(
            f"trial {number} of job {job_id} has another configuration, seed, purpose or parent: "
            "give a new trial a new number"
        )


def _start(changes: Changes, job_id: str, move: StartTrial) -> int:
    values.optional_text(move.node, "node")
    connection, number = changes.connection, move.number
    row = trial_row(connection, job_id, number)
    values.integer(move.resumed_from, "resumed_from", low=row.start_epoch)
    if _is_finished(row):
        raise IllegalMove(f"trial {number} of job {job_id} has {row.state}")
    columns: dict[str, Any] = {"state": TrialState.RUNNING, "node": move.node, "error": None}
    is_same = row.attempt and row.epochs == move.resumed_from > 0 and not move.is_retry
    # One that was extended has rested: it did not run from its first start to its last end.
    columns |= {"started_at": sa.func.coalesce(TRIALS.c.started_at, Now())}
    if not is_same:
        columns |= _new_attempt(connection, row, move.resumed_from)
    _update(connection, job_id, number, resumed_from=move.resumed_from, **columns)
    update_job(
        connection,
        job_id,
        running=JOBS.c.running + int(row.state != TrialState.RUNNING),
        paused=JOBS.c.paused - int(row.state == TrialState.PAUSED),
        epochs_done=JOBS.c.epochs_done + columns.get("epochs", row.epochs) - row.epochs,
    )
    attempt: int = columns.get("attempt", row.attempt)
    detail = f"goes on after epoch {move.resumed_from}" if move.resumed_from else ""
    changes.note(job_id, TrialState.RUNNING, trial=number, attempt=attempt, detail=detail)
    return attempt


def _new_attempt(connection: Connection, row: Row[Any], resumed_from: int) -> dict[str, Any]:
    """Return the columns of the trial's next attempt, which has the reports up to that epoch."""
    attempt, engine = row.attempt + 1, row.engine if resumed_from > row.start_epoch else ""
    metrics: dict[str, float] = {}
    seconds = 0.0
    for report in _former_reports(connection, row, resumed_from):
        metrics |= report["metrics"]
        seconds = report["seconds"]
        insertion = insert_if_new(connection, REPORTS)
        connection.execute(insertion, {**report, "attempt": attempt})
    return {
        "attempt": attempt, "metrics": metrics, "epochs": resumed_from, "seconds": seconds,
        "engine": engine, "started_at": Now(), "usage": None,
    }  # fmt: skip


def _former_reports(
    connection: Connection, row: Row[Any], resumed_from: int
) -> list[dict[str, Any]]:
    """Return the reports up to that epoch, of the latest attempt that reached it."""
    if resumed_from == row.start_epoch:
        return []
    of_trial = (REPORTS.c.job_id == row.job_id, REPORTS.c.trial == row.number)
    latest = sa.select(sa.func.max(REPORTS.c.attempt)).where(
        *of_trial, REPORTS.c.epoch == resumed_from
    )
    query = sa.select(REPORTS).where(
        *of_trial,
        REPORTS.c.attempt == latest.scalar_subquery(),
        REPORTS.c.epoch <= resumed_from,
    )
    found = [each._asdict() for each in connection.execute(query.order_by(REPORTS.c.epoch))]
    if len(found) != resumed_from - row.start_epoch:
        raise ValueError(
            f"trial {row.number} of job {row.job_id} cannot go on after epoch {resumed_from}: "
            f"{len(found)} of those epochs were reported"
        )
    return found


def _add_checkpoint(changes: Changes, job_id: str, move: AddCheckpoint) -> None:
    connection, new = changes.connection, values.checkpoint(move.checkpoint)
    trial_row(connection, job_id, new["trial"])
    insertion = insert_or_replace(connection, CHECKPOINTS)
    connection.execute(insertion, {"job_id": job_id, **new})
    made = {"checkpoint": new["epoch"], "model_bytes": new["size"]}
    _update(connection, job_id, new["trial"], **made)


def _note_usage(connection: Connection, job_id: str, move: NoteUsage) -> None:
    row, used = trial_row(connection, job_id, move.number), values.usage(move.usage)
    if row.state != TrialState.RUNNING:
        return
    peak = max(used["memory"], (row.usage or {}).get("memory_peak", 0))
    _update(connection, job_id, move.number, usage={**used, "memory_peak": peak})


def _requeue(changes: Changes, job_id: str, move: RequeueTrial) -> None:
    connection, number = changes.connection, move.number
    row = trial_row(connection, job_id, number)
    if row.state != TrialState.RUNNING:
        return
    _update(connection, job_id, number, state=TrialState.QUEUED, node=None)
    update_job(connection, job_id, running=JOBS.c.running - 1)
    detail = values.text(move.detail, "detail")
    changes.note(job_id, TrialState.QUEUED, trial=number, attempt=row.attempt, detail=detail)


def _pause(changes: Changes, job_id: str, move: PauseTrial) -> None:
    connection, number = changes.connection, move.number
    row = trial_row(connection, job_id, number)
    if row.state != TrialState.RUNNING:
        return
    _update(connection, job_id, number, state=TrialState.PAUSED, node=None)
    update_job(connection, job_id, running=JOBS.c.running - 1, paused=JOBS.c.paused + 1)
    changes.note(
        job_id, TrialState.PAUSED, trial=number, attempt=row.attempt,
        detail=f"waits after epoch {row.epochs}",
    )  # fmt: skip


def _plan(connection: Connection, job_id: str, move: PlanTrials) -> None:
    of_job = sa.select(sa.func.count()).where(TRIALS.c.job_id == job_id)
    known: int = connection.execute(of_job).scalar_one()
    columns: dict[str, Any] = {
        "planned_trials": values.integer(move.total, "total", low=max(1, known)),
        "at_once": None if move.at_once is None else values.integer(move.at_once, "at_once", low=1),
    }
    if values.text(move.ended_by, "ended_by"):
        columns["ended_by"] = move.ended_by
    update_job(connection, job_id, **columns)


def _finish(changes: Changes, job_id: str, move: FinishTrial) -> None:
    state, number, connection = TrialState(move.state), move.number, changes.connection
    if not state.is_finished:
        raise ValueError(f"state must be one in which a trial is finished, not {state}")
    stored, said = values.failure_json(move.error), values.text(move.detail, "detail")
    row = trial_row(connection, job_id, number)
    if _is_finished(row):
        return
    _update(connection, job_id, number, state=state, error=stored, finished_at=Now())
    update_job(
        connection,
        job_id,
        finished=JOBS.c.finished + 1,
        failed=JOBS.c.failed + int(state is TrialState.FAILED),
        stopped=JOBS.c.stopped + int(state is TrialState.STOPPED),
        running=JOBS.c.running - int(row.state == TrialState.RUNNING),
        paused=JOBS.c.paused - int(row.state == TrialState.PAUSED),
    )
    if state is TrialState.SUCCEEDED and row.purpose == Purpose.SEARCH:
        improve_best(connection, job_id, number if row.configuration is None else row.configuration)
    kind = None if move.error is None else move.error.kind
    count(connection, {ending(state, kind): 1, **timed(Counter.TRIAL, row.seconds)})
    changes.note(job_id, state, trial=number, attempt=row.attempt, detail=kind or said)
