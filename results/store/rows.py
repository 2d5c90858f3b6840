"""From rows to records. A page of jobs costs three queries, however many jobs it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from results.records import BestTrial, JobRecord, Progress, TrialRecord
from results.spec import JobSpec
from results.states import JobState, TrialState
from results.store.tables import TRIALS
from results.store.values import failure

FINISHED_TRIALS = tuple(state for state in TrialState if state.is_finished)
UNFINISHED_TRIALS = tuple(state for state in TrialState if not state.is_finished)

_NO_TRIALS = {"finished": 0, "failed": 0, "running": 0, "epochs_done": 0}


def job_records(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[JobRecord, ...]:
    """Return a record for each row of the table of jobs, in the same order."""
    ids = [row.id for row in rows]
    if not ids:
        return ()
    counts = _trial_counts(connection, ids)
    best = _best_trials(connection, ids)
    return tuple(_job(row, counts.get(row.id, _NO_TRIALS), best.get(row.id)) for row in rows)


def trial_record(row: Row[Any]) -> TrialRecord:
    """Return the record of a row of the table of trials."""
    return TrialRecord(
        number=row.number,
        state=TrialState(row.state),
        parameters=row.parameters,
        seed=row.seed,
        metrics=row.metrics,
        epochs=row.epochs,
        seconds=row.seconds,
        node=row.node,
        engine=row.engine,
        attempt=row.attempt,
        error=failure(row.error),
        started_at=_time(row.started_at),
        finished_at=_time(row.finished_at),
    )


def _job(row: Row[Any], counts: Mapping[str, int], best: Row[Any] | None) -> JobRecord:
    spec = JobSpec.from_json(row.spec)
    return JobRecord(
        id=row.id,
        name=row.name,
        state=JobState(row.state),
        spec=spec,
        fingerprint=row.fingerprint,
        progress=Progress(
            trials=row.planned_trials,
            epochs_total=row.planned_trials * spec.space.epochs,
            **counts,
        ),
        best=None if best is None else _best(best, spec.space.metric),
        error=failure(row.error),
        created_at=moment(row.created_at),
        started_at=_time(row.started_at),
        finished_at=_time(row.finished_at),
        lease_token=row.lease_token,
        claims=row.claims,
    )


def _best(row: Row[Any], metric: str) -> BestTrial:
    return BestTrial(
        trial=row.number,
        parameters=row.parameters,
        metric=metric,
        value=row.metrics[metric],
        metrics=row.metrics,
    )


def moment(seconds: float) -> datetime:
    """Return the time that is stored as seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else moment(seconds)


def _trial_counts(connection: Connection, ids: Sequence[str]) -> dict[str, dict[str, int]]:
    trials = TRIALS.c
    query = (
        sa.select(
            trials.job_id,
            sa.func.count().filter(trials.state.in_(FINISHED_TRIALS)).label("finished"),
            sa.func.count().filter(trials.state == TrialState.FAILED).label("failed"),
            sa.func.count().filter(trials.state == TrialState.RUNNING).label("running"),
            sa.func.sum(trials.epochs).label("epochs_done"),
        )
        .where(trials.job_id.in_(ids))
        .group_by(trials.job_id)
    )
    return {
        row.job_id: {key: int(row._mapping[key]) for key in _NO_TRIALS}
        for row in connection.execute(query)
    }


def _best_trials(connection: Connection, ids: Sequence[str]) -> dict[str, Row[Any]]:
    trials = TRIALS.c
    rank = sa.func.row_number().over(
        partition_by=trials.job_id, order_by=(trials.score.desc(), trials.number)
    )
    ranked = (
        sa.select(trials.job_id, trials.number, rank.label("rank"))
        .where(
            trials.job_id.in_(ids),
            trials.state == TrialState.SUCCEEDED,
            trials.score.is_not(None),
        )
        .subquery()
    )
    query: sa.Select[Any] = (
        sa.select(trials.job_id, trials.number, trials.parameters, trials.metrics)
        .join(ranked, sa.and_(trials.job_id == ranked.c.job_id, trials.number == ranked.c.number))
        .where(ranked.c.rank == 1)
    )
    return {row.job_id: row for row in connection.execute(query)}
