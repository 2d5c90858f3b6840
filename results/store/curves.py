"""Curves: the reports of the epochs, each written at most once, and read trial by trial."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from results.errors import TrialNotFound
from results.records import Curve, EpochReport, Lease
from results.states import TrialState
from results.store import jobs, trials, values
from results.store.leases import hold
from results.store.tables import JOBS, REPORTS, TRIALS, insert_if_new


def write(connection: Connection, lease: Lease, reports: Sequence[EpochReport]) -> int:
    """Insert the reports that are new, let their trials follow, and return how many were new."""
    rows = [_columns(lease.job_id, report) for report in reports]
    hold(connection, lease)
    unfinished = _unfinished(connection, lease.job_id, rows)
    kept = [row for row in rows if row["trial"] in unfinished]
    if not kept:
        return 0
    insertion = insert_if_new(connection, REPORTS)
    # The option keeps the count of an INSERT, which SQLAlchemy otherwise drops.
    inserted = connection.execute(
        insertion, kept, execution_options={"preserve_rowcount": True}
    ).rowcount
    if inserted:
        _follow(connection, lease.job_id, unfinished)
    return inserted


def of_trial(connection: Connection, job_id: str, number: int) -> Curve:
    """Return the curve of one trial."""
    trials.get(connection, job_id, number)
    found = _curves(connection, job_id, number)
    return found[0] if found else Curve(number, (), {})


def of_job(connection: Connection, job_id: str) -> tuple[Curve, ...]:
    """Return the curves of all trials that have one, by number."""
    jobs.require(connection, job_id)
    return _curves(connection, job_id)


def _columns(job_id: str, report: EpochReport) -> dict[str, Any]:
    name = f"report of trial {report.trial}, epoch {report.epoch}"
    return {
        "job_id": job_id,
        "trial": values.integer(report.trial, f"{name}: trial", low=0),
        "attempt": values.integer(report.attempt, f"{name}: attempt", low=1),
        "epoch": values.integer(report.epoch, f"{name}: epoch", low=1),
        "metrics": values.metrics(report.metrics, f"{name}: metrics"),
        "seconds": values.duration(report.seconds, f"{name}: seconds"),
    }


def _unfinished(connection: Connection, job_id: str, rows: Sequence[dict[str, Any]]) -> set[int]:
    """Return which of the reported trials may still change; refuse attempts that never began."""
    latest: dict[int, int] = {}
    for row in rows:
        latest[row["trial"]] = max(row["attempt"], latest.get(row["trial"], 0))
    query = sa.select(TRIALS.c.number, TRIALS.c.attempt, TRIALS.c.state).where(
        TRIALS.c.job_id == job_id, TRIALS.c.number.in_(latest)
    )
    found = {row.number: row for row in connection.execute(query)}
    for number, attempt in latest.items():
        if number not in found:
            raise TrialNotFound(f"job {job_id} has no trial {number}")
        if attempt > found[number].attempt:
            raise ValueError(f"attempt {attempt} of trial {number} was never started")
    return {n for n, row in found.items() if not TrialState(row.state).is_finished}


def _follow(connection: Connection, job_id: str, numbers: set[int]) -> None:
    """Bring the metrics, epochs and seconds of the trials up to their attempt's newest report."""
    metric, sign = _objective(connection, job_id)
    updates = [
        {
            "of_job": job_id,
            "of_trial": row.trial,
            "metrics": row.metrics,
            "score": sign * row.metrics[metric] if metric in row.metrics else None,
            "epochs": row.epochs,
            "seconds": row.seconds,
        }
        for row in _newest(connection, job_id, numbers)
    ]
    if updates:
        connection.execute(
            sa.update(TRIALS).where(
                TRIALS.c.job_id == sa.bindparam("of_job"),
                TRIALS.c.number == sa.bindparam("of_trial"),
            ),
            updates,
        )


def _objective(connection: Connection, job_id: str) -> tuple[str, float]:
    """Return the declared metric, and -1.0 where lower is better."""
    spec = connection.execute(sa.select(JOBS.c.spec).where(JOBS.c.id == job_id)).scalar_one()
    return spec["metric"], 1.0 if spec["mode"] == "max" else -1.0


def _newest(connection: Connection, job_id: str, numbers: set[int]) -> Sequence[Row[Any]]:
    """Return the last report of each trial's current attempt, and how many there are."""
    counted = (
        _of_current_attempts(
            sa.select(
                REPORTS.c.trial,
                REPORTS.c.attempt,
                sa.func.max(REPORTS.c.epoch).label("last"),
                sa.func.count().label("epochs"),
            ),
            job_id,
        )
        .where(REPORTS.c.trial.in_(numbers))
        .group_by(REPORTS.c.trial, REPORTS.c.attempt)
        .subquery()
    )
    query: sa.Select[Any] = sa.select(
        REPORTS.c.trial, REPORTS.c.metrics, REPORTS.c.seconds, counted.c.epochs
    ).where(
        REPORTS.c.job_id == job_id,
        REPORTS.c.trial == counted.c.trial,
        REPORTS.c.attempt == counted.c.attempt,
        REPORTS.c.epoch == counted.c.last,
    )
    return connection.execute(query).all()


def _of_current_attempts(query: sa.Select[Any], job_id: str) -> sa.Select[Any]:
    return query.join(
        TRIALS,
        sa.and_(
            TRIALS.c.job_id == REPORTS.c.job_id,
            TRIALS.c.number == REPORTS.c.trial,
            TRIALS.c.attempt == REPORTS.c.attempt,
        ),
    ).where(REPORTS.c.job_id == job_id)


def _curves(connection: Connection, job_id: str, number: int | None = None) -> tuple[Curve, ...]:
    query = _of_current_attempts(
        sa.select(REPORTS.c.trial, REPORTS.c.epoch, REPORTS.c.metrics), job_id
    ).order_by(REPORTS.c.trial, REPORTS.c.epoch)
    if number is not None:
        query = query.where(REPORTS.c.trial == number)
    rows: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(query):
        rows[row.trial].append(row)
    return tuple(_curve(trial, found) for trial, found in rows.items())


def _curve(trial: int, rows: Sequence[Row[Any]]) -> Curve:
    # A metric that some epoch did not report has no value per epoch: it is left out.
    names = [name for name in rows[-1].metrics if all(name in row.metrics for row in rows)]
    return Curve(
        trial,
        tuple(row.epoch for row in rows),
        {name: tuple(row.metrics[name] for row in rows) for name in names},
    )
