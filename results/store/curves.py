"""Curves: the reports of the epochs, each written at most once, and read trial by trial."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from results.errors import TrialNotFound
from results.records import Curve, EpochReport, Lease
from results.states import TrialState
from results.store import values
from results.store.rows import SPEC, read_spec
from results.store.tables import JOBS, REPORTS, TRIALS, insert_if_new
from results.store.transactions import Transactions, job_row, update_job
from results.store.trials import trial_row

#: About how many reports are read at a time: some 10 MB.
_CHUNK_REPORTS = 20_000

_IN_CURRENT_ATTEMPT = sa.and_(
    REPORTS.c.job_id == TRIALS.c.job_id,
    REPORTS.c.trial == TRIALS.c.number,
    REPORTS.c.attempt == TRIALS.c.attempt,
)


class CurveMethods(Transactions):
    """The methods of the store that write reports and read curves."""

    def write_reports(self, lease: Lease, reports: Sequence[EpochReport]) -> int:
        """Write a batch of reports, each at most once; return how many were new.

        The trial's ``metrics``, ``epochs`` and ``seconds`` follow the newest report of its current
        attempt. Reports of a trial that has finished are not written: its result stays as it was
        seen. Raises ``ValueError``, having written nothing, for a metric that is not finite and
        for an attempt that was never started.
        """
        rows = [_columns(lease.job_id, report) for report in reports]
        with self._held(lease) as (connection, _):
            unfinished = _unfinished(connection, lease.job_id, rows)
            kept = [row for row in rows if row["trial"] in unfinished]
            if not kept:
                return 0
            insertion = insert_if_new(connection, REPORTS)
            new = connection.execute(
                insertion.returning(REPORTS.c.trial, REPORTS.c.attempt), kept
            ).all()
            came = Counter(trial for trial, attempt in new if attempt == unfinished[trial])
            if came:
                engines = {
                    report.trial: report.engine
                    for report in reports
                    if report.engine and report.attempt == unfinished.get(report.trial)
                }
                _follow(connection, lease.job_id, came, engines)
            return len(new)

    def curve(self, job_id: str, number: int) -> Curve:
        """Return the curve of the trial's latest attempt (empty before its first report).

        Its metrics are those that every epoch reported.
        """
        with self._database.read() as connection:
            job_row(connection, job_id)
            trial_row(connection, job_id, number)
            found = _curves(connection, job_id, TRIALS.c.number == number)
        return found[0] if found else Curve(number, (), {})

    def curves(self, job_id: str, numbers: Collection[int] | None = None) -> Iterator[Curve]:
        """Return the curves of all trials that have reported, or of those in ``numbers``, in order.

        They are read some at a time, the first of them before this returns, each time in a
        transaction of its own: memory stays bounded, and a slow reader holds no connection. Each
        curve is of one moment; later ones may be of a later moment. The iterator raises
        :class:`results.errors.JobNotFound` when the job is deleted meanwhile.
        """
        wanted = sa.true() if numbers is None else TRIALS.c.number.in_(numbers)

        def read(after: int) -> tuple[Curve, ...]:
            with self._database.read() as connection:
                epochs = read_spec(job_id, job_row(connection, job_id, SPEC).spec).space.epochs
                at_most = max(1, _CHUNK_REPORTS // epochs)
                return _curves(connection, job_id, wanted, TRIALS.c.number > after, at_most=at_most)

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
    connection: Connection, job_id: str, rows: Sequence[Mapping[str, Any]]
) -> dict[int, int]:
    """Return which of the reported trials may still change, each with its current attempt.

    Raises ``ValueError`` for an attempt that was never started.
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
    connection: Connection, job_id: str, came: Counter[int], engines: Mapping[int, str]
) -> None:
    """Bring the job and its trials up to new reports of the trials' current attempts.

    ``came`` is how many of them each trial has, ``engines`` are those that they name.
    """
    updates = [
        {
            "of_trial": row.number,
            "metrics": row.metrics,
            "seconds": row.seconds,
            "came": came[row.number],
            "named": engines.get(row.number),
        }
        for row in _newest(connection, job_id, came)
    ]
    connection.execute(
        sa.update(TRIALS)
        .where(TRIALS.c.job_id == job_id, TRIALS.c.number == sa.bindparam("of_trial"))
        .values(
            epochs=TRIALS.c.epochs + sa.bindparam("came"),
            engine=sa.func.coalesce(sa.bindparam("named", type_=sa.Text), TRIALS.c.engine),
        ),
        updates,
    )
    update_job(connection, job_id, epochs_done=JOBS.c.epochs_done + came.total())


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
    """Return the first curves, by number, of the trials that ``which`` selects and that have one.

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
