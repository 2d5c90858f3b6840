"""Curves: the metrics of a trial's current attempt by epoch, read trial by trial."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import chain

import sqlalchemy as sa
from pydantic_core import from_json
from sqlalchemy import Connection

from results.ranking import SECONDS
from results.records import Curve
from results.store.rows import SPEC, read_spec
from results.store.tables import IN_CURRENT_ATTEMPT, REPORTS, TRIALS
from results.store.transactions import Transactions, job_row
from results.store.trial_moves import trial_row

#: About how many reports are read at a time: some 10 MB.
_CHUNK_REPORTS = 20_000


class CurveMethods(Transactions):
    """The methods of the store that read curves."""

    def curve(self, job_id: str, number: int) -> Curve:
        """Return the curve of the trial's latest attempt (empty before its first report)."""
        with self._database.read() as connection:
            job_row(connection, job_id)
            trial_row(connection, job_id, number)
            found = _curves(connection, job_id, TRIALS.c.number == number)
        return found[0] if found else Curve(number, (), {})

    def curves(
        self, job_id: str, numbers: Collection[int] | None = None, *, every: int = 1
    ) -> Iterator[Curve]:
        """Return the curves of all trials that have reported, or of those in ``numbers``, in order.

        With ``every`` above 1 they have the epochs 1, 1 + every, 1 + 2 every and so forth alone.
        They are read some at a time, the first of them before this returns, each time in a
        transaction of its own: memory stays bounded, and a slow reader holds no connection. Each
        curve is of one moment; later ones may be of a later moment. The iterator raises
        :class:`results.errors.JobNotFound` when the job is deleted meanwhile.
        """
        wanted = sa.true() if numbers is None else TRIALS.c.number.in_(numbers)
        kept = sa.true() if every == 1 else (REPORTS.c.epoch - 1) % every == 0

        def read(after: int) -> tuple[Curve, ...]:
            with self._database.read() as connection:
                epochs = read_spec(job_id, job_row(connection, job_id, SPEC).spec).space.epochs
                at_most = max(1, _CHUNK_REPORTS * every // epochs)
                which = (wanted, TRIALS.c.number > after)
                return _curves(connection, job_id, *which, reports=kept, at_most=at_most)

        def following(found: tuple[Curve, ...]) -> Iterator[Curve]:
            while found:
                yield from found
                found = read(found[-1].trial)

        return following(read(-1))

    def curves_after(self, job_id: str, known: Mapping[int, int]) -> tuple[Curve, ...]:
        """Return what trials have reported since: by trial, the epochs after the one in ``known``.

        Trials without a new epoch, and those that the job does not have, are left out.
        """
        with self._database.read() as connection:
            job_row(connection, job_id)
            found = (
                _curves(
                    connection, job_id, TRIALS.c.number == trial, reports=REPORTS.c.epoch > epoch
                )
                for trial, epoch in sorted(known.items())
            )
            return tuple(curve for curves in found for curve in curves if curve.epochs)

    def rung_values(
        self, job_id: str, epochs: Collection[int]
    ) -> dict[int, dict[int, dict[str, float]]]:
        """Return what trials reported at these epochs: by trial, by epoch, by metric.

        ``seconds``, how long the trial had trained by then, is among the metrics.
        """
        columns = (REPORTS.c.trial, REPORTS.c.epoch, REPORTS.c.metrics, REPORTS.c.seconds)
        query = (
            sa.select(*columns)
            .join(TRIALS, IN_CURRENT_ATTEMPT)
            .where(TRIALS.c.job_id == job_id, REPORTS.c.epoch.in_(epochs))
            .order_by(REPORTS.c.trial, REPORTS.c.epoch)
        )
        found: dict[int, dict[int, dict[str, float]]] = {}
        with self._database.read() as connection:
            job_row(connection, job_id)
            for trial, epoch, metrics, seconds in connection.execute(query):
                found.setdefault(trial, {})[epoch] = {**metrics, SECONDS: seconds}
        return found


def _curves(
    connection: Connection,
    job_id: str,
    *which: sa.ColumnElement[bool],
    reports: sa.ColumnElement[bool] = sa.true(),  # noqa: B008 - a constant
    at_most: int = 1,
) -> tuple[Curve, ...]:
    """Return the first curves, by number, of the trials that ``which`` selects and that have one.

    They have the reports that ``reports`` selects, which may be none.
    The database makes one text of a trial's reports: a row for each, and a JSON decoder begun for
    each, would take six times as long. Pydantic's parser takes half as long as Python's.
    """
    report = sa.literal("[") + sa.cast(REPORTS.c.epoch, sa.Text)
    report += sa.literal(",") + sa.cast(REPORTS.c.metrics, sa.Text) + sa.literal("]")
    joined = sa.select(sa.func.aggregate_strings(report, ",")).where(IN_CURRENT_ATTEMPT, reports)
    query = (
        sa.select(TRIALS.c.number, joined.scalar_subquery())
        .where(TRIALS.c.job_id == job_id, TRIALS.c.epochs > TRIALS.c.start_epoch, *which)
        .order_by(TRIALS.c.number)
        .limit(at_most)
    )
    return tuple(_curve(trial, text) for trial, text in connection.execute(query))


def _curve(trial: int, reports: str | None) -> Curve:
    """Return the curve of reports ``[epoch,{metric: value}],...`` in any order; None is empty."""
    if reports is None:
        return Curve(trial, (), {})
    found = sorted(from_json(f"[{reports}]"), key=lambda report: report[0])
    epochs, metrics = zip(*found, strict=True)
    names = dict.fromkeys(chain.from_iterable(metrics))
    return Curve(trial, epochs, {name: tuple(each.get(name) for each in metrics) for name in names})
