"""Reports of epochs: each is written at most once, and its trial and job follow it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from results.errors import TrialNotFound
from results.records import EpochReport, Lease
from results.states import TrialState
from results.store import values
from results.store.rows import stored_state
from results.store.tables import IN_CURRENT_ATTEMPT, JOBS, REPORTS, TRIALS, insert_if_new
from results.store.transactions import Transactions, update_job

_KEY = (REPORTS.c.trial, REPORTS.c.attempt, REPORTS.c.epoch)


class ReportMethods(Transactions):
    """The method of the store that writes reports."""

    def write_reports(self, lease: Lease, reports: Sequence[EpochReport]) -> int:
        """Write a batch of reports, each at most once; return how many were new.

        The trial's ``metrics``, ``epochs``, ``seconds`` and ``engine`` follow the reports of its
        current attempt. Reports of a trial that has finished are not written: its result stays as
        it was seen. Raises ``ValueError``, having written nothing, for a metric that is not finite
        and for an attempt that was never started.
        """
        with self._held(lease) as (changes, _):
            return write_reports(changes.connection, lease.job_id, reports)


def write_reports(connection: Connection, job_id: str, reports: Sequence[EpochReport]) -> int:
    """Write reports as :meth:`ReportMethods.write_reports` does, in this transaction.

    A report of attempt 0 is of its trial's attempt at this moment.
    """
    rows = [values.report(job_id, report) for report in reports]
    trials = _open_trials(connection, job_id, rows)
    kept = [row for row in rows if row["trial"] in trials]
    for row in kept:
        row["attempt"] = row["attempt"] or trials[row["trial"]].attempt
    # Of several reports of one epoch, the first counts.
    by_key = {tuple(row[column.name] for column in _KEY): row for row in reversed(kept)}
    if not by_key:
        return 0
    insertion = insert_if_new(connection, REPORTS).returning(*_KEY)
    new = sorted(map(tuple, connection.execute(insertion, list(by_key.values()))))
    current = [by_key[key] for key in new if key[1] == trials[key[0]].attempt]
    if current:
        engines = {
            report.trial: report.engine
            for report in reports
            if report.engine
            and report.trial in trials
            and report.attempt in (0, trials[report.trial].attempt)
        }
        _follow(connection, trials, current, engines)
    return len(new)


def _open_trials(
    connection: Connection, job_id: str, rows: Sequence[Mapping[str, Any]]
) -> dict[int, Row[Any]]:
    """Return those of the reported trials that have not finished, with their last epoch so far.

    Raises ``ValueError`` for an attempt that was never started.
    """
    latest: dict[int, int] = {}
    for row in rows:
        latest[row["trial"]] = max(row["attempt"], latest.get(row["trial"], 0))
    # Looked up at the end of the key. A join is planned by statistics, which on PostgreSQL may
    # be of a time when the table was empty, and then visits every report.
    last = sa.select(REPORTS.c.epoch).where(IN_CURRENT_ATTEMPT).order_by(REPORTS.c.epoch.desc())
    query = sa.select(TRIALS, last.limit(1).scalar_subquery().label("last_epoch")).where(
        TRIALS.c.job_id == job_id, TRIALS.c.number.in_(latest)
    )
    found = {row.number: row for row in connection.execute(query)}
    for number, attempt in latest.items():
        if number not in found:
            raise TrialNotFound(f"job {job_id} has no trial {number}")
        if max(attempt, 1) > found[number].attempt:
            raise ValueError(f"attempt {attempt or 1} of trial {number} was never started")
    return {
        n: row
        for n, row in found.items()
        if not stored_state(TrialState, row.state, job_id).is_finished
    }


def _follow(
    connection: Connection,
    trials: Mapping[int, Row[Any]],
    new: Sequence[Mapping[str, Any]],
    engines: Mapping[int, str],
) -> None:
    """Bring trials and their job up to new reports of current attempts, by trial and epoch."""
    updates = []
    for number, group in groupby(new, lambda report: report["trial"]):
        trial, reports = trials[number], list(group)
        metrics, seconds = _newest(connection, trial, reports)
        updates.append(
            {
                "of_trial": number,
                "metrics": metrics,
                "epochs": trial.epochs + len(reports),
                "seconds": seconds,
                "engine": engines.get(number, trial.engine),
            }
        )
    job_id = new[0]["job_id"]
    connection.execute(
        sa.update(TRIALS).where(
            TRIALS.c.job_id == job_id, TRIALS.c.number == sa.bindparam("of_trial")
        ),
        updates,
    )
    update_job(connection, job_id, epochs_done=JOBS.c.epochs_done + len(new))


def _newest(
    connection: Connection, trial: Row[Any], new: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, float], float]:
    """Return the last value of each metric of the trial's current attempt, and its last seconds."""
    if trial.last_epoch is None or new[0]["epoch"] > trial.last_epoch:
        merged, reports = dict(trial.metrics), list(new)
    else:  # some came late: what is last is seen from all of them
        query = sa.select(REPORTS).where(
            REPORTS.c.job_id == trial.job_id,
            REPORTS.c.trial == trial.number,
            REPORTS.c.attempt == trial.attempt,
        )
        rows = connection.execute(query.order_by(REPORTS.c.epoch))
        merged, reports = {}, [row._asdict() for row in rows]
    for report in reports:
        merged |= report["metrics"]
    return merged, reports[-1]["seconds"]
