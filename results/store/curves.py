"""Curves: the reports of the epochs, each written at most once, and read trial by trial."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from results.errors import TrialNotFound
from results.records import Curve, EpochReport, Lease
from results.states import TrialState
from results.store import jobs, trials, values
from results.store.leases import hold
from results.store.tables import JOBS, REPORTS, TRIALS, insert_if_new

#: About how many reports are read at a time: some 10 MB.
_CHUNK_REPORTS = 20_000

_IN_CURRENT_ATTEMPT = sa.and_(
    REPORTS.c.job_id == TRIALS.c.job_id,
    REPORTS.c.trial == TRIALS.c.number,
    REPORTS.c.attempt == TRIALS.c.attempt,
)


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
        current = [report for report in reports if report.attempt == unfinished.get(report.trial)]
        _follow(connection, lease.job_id, current, all_new=inserted == len(kept))
    return inserted


def of_trial(connection: Connection, job_id: str, number: int) -> Curve:
    """Return the curve of one trial."""
    trials.get(connection, job_id, number)
    found = _curves(connection, job_id, TRIALS.c.number == number)
    return found[0] if found else Curve(number, (), {})


def of_job(
    connection: Connection, job_id: str, numbers: Collection[int] | None, *, after: int
) -> tuple[Curve, ...]:
    """Return the next curves behind that of trial ``after``, by number; none behind the last one.

    Of all trials, or of those in ``numbers``; as many as have some :data:`_CHUNK_REPORTS` together.
    """
    jobs.require(connection, job_id)
    wanted = sa.true() if numbers is None else TRIALS.c.number.in_(numbers)
    at_most = max(1, _CHUNK_REPORTS // _spec(connection, job_id)["epochs"])
    return _curves(connection, job_id, wanted, TRIALS.c.number > after, at_most=at_most)


def one_by_one(read: Callable[[int], tuple[Curve, ...]]) -> Iterator[Curve]:
    """Yield what ``read(after)`` returns, as :func:`of_job`, again and again until that is nothing.

    The first of it is read at once, so that its errors are raised here.
    """

    def following(found: tuple[Curve, ...]) -> Iterator[Curve]:
        while found:
            yield from found
            found = read(found[-1].trial)

    return following(read(-1))


def _columns(job_id: str, report: EpochReport) -> dict[str, Any]:
    name = f"report of trial {report.trial}, epoch {report.epoch}"
    values.text(report.engine, f"{name}: engine")
    return {
        "job_id": job_id,
        "trial": values.integer(report.trial, f"{name}: trial", low=0),
        "attempt": values.integer(report.attempt, f"{name}: attempt", low=1),
        "epoch": values.integer(report.epoch, f"{name}: epoch", low=1),
        "metrics": values.metrics(report.metrics, f"{name}: metrics"),
        "seconds": values.duration(report.seconds, f"{name}: seconds"),
    }


def _unfinished(
    connection: Connection, job_id: str, rows: Sequence[dict[str, Any]]
) -> dict[int, int]:
    """Return which of the reported trials may still change, each with its current attempt.

    Attempts that never began are refused.
    """
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
    return {n: row.attempt for n, row in found.items() if not TrialState(row.state).is_finished}


def _follow(
    connection: Connection, job_id: str, reports: Sequence[EpochReport], *, all_new: bool
) -> None:
    """Bring the trials up to the newest report of their current attempt, to which all belong.

    Unless ``all_new``, some of the reports were there before.
    """
    came = Counter(report.trial for report in reports)
    engines = {report.trial: report.engine for report in reports if report.engine}
    spec = _spec(connection, job_id)
    metric, sign = spec["metric"], 1.0 if spec["mode"] == "max" else -1.0
    updates = [
        {
            "of_job": job_id,
            "of_trial": row.number,
            "metrics": row.metrics,
            "score": sign * row.metrics[metric] if metric in row.metrics else None,
            "came": came[row.number],
            "seconds": row.seconds,
            "named": engines.get(row.number),
        }
        for row in _newest(connection, job_id, came)
    ]
    # To count them is to visit every report of the attempt.
    counted = sa.select(sa.func.count()).where(_IN_CURRENT_ATTEMPT).scalar_subquery()
    if updates:
        connection.execute(
            sa.update(TRIALS)
            .where(
                TRIALS.c.job_id == sa.bindparam("of_job"),
                TRIALS.c.number == sa.bindparam("of_trial"),
            )
            .values(
                epochs=TRIALS.c.epochs + sa.bindparam("came") if all_new else counted,
                engine=sa.func.coalesce(sa.bindparam("named", type_=sa.Text), TRIALS.c.engine),
            ),
            updates,
        )


def _spec(connection: Connection, job_id: str) -> Mapping[str, Any]:
    spec: Mapping[str, Any] = connection.execute(
        sa.select(JOBS.c.spec).where(JOBS.c.id == job_id)
    ).scalar_one()
    return spec


def _newest(connection: Connection, job_id: str, numbers: Collection[int]) -> Sequence[Row[Any]]:
    """Return the last report of each trial's current attempt, which has one."""

    def last(column: sa.Column[Any]) -> sa.Label[Any]:
        # Looked up at the end of the key. A join is planned by statistics, which on PostgreSQL may
        # be of a time when the table was empty, and then visits every report.
        query = sa.select(column).where(_IN_CURRENT_ATTEMPT).order_by(REPORTS.c.epoch.desc())
        return query.limit(1).scalar_subquery().label(column.name)

    query: sa.Select[Any] = sa.select(
        TRIALS.c.number, last(REPORTS.c.metrics), last(REPORTS.c.seconds)
    ).where(TRIALS.c.job_id == job_id, TRIALS.c.number.in_(numbers))
    return connection.execute(query).all()


def _curves(
    connection: Connection, job_id: str, *which: sa.ColumnElement[bool], at_most: int = 1
) -> tuple[Curve, ...]:
    """Return the curves of the first trials that are meant by ``which`` and have one, by number.

    The database makes one text of a trial's reports: a row for each, and a JSON decoder begun for
    each, would take six times as long.
    """
    report = sa.literal("[") + sa.cast(REPORTS.c.epoch, sa.Text)
    report += sa.literal(",") + sa.cast(REPORTS.c.metrics, sa.Text) + sa.literal("]")
    joined = sa.select(sa.func.aggregate_strings(report, ",")).where(_IN_CURRENT_ATTEMPT)
    query = (
        sa.select(TRIALS.c.number, joined.scalar_subquery())
        .where(TRIALS.c.job_id == job_id, TRIALS.c.epochs > 0, *which)
        .order_by(TRIALS.c.number)
        .limit(at_most)
    )
    return tuple(_curve(trial, text) for trial, text in connection.execute(query))


def _curve(trial: int, reports: str) -> Curve:
    """Return the curve of reports ``[epoch,{metric: value}],...`` in any order."""
    found = sorted(json.loads(f"[{reports}]"), key=lambda report: report[0])
    epochs, metrics = zip(*found, strict=True)
    # A metric that some epoch did not report has no value per epoch: it is left out.
    names = [name for name in metrics[-1] if all(name in each for each in metrics)]
    return Curve(trial, epochs, {name: tuple(each[name] for each in metrics) for name in names})
