"""What trials had trained when they were lost, and trained again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import sqlalchemy as sa

from results.store.tables import REPORTS, TRIALS
from results.store.transactions import Transactions, job_row

_NEWER = REPORTS.alias("newer")
#: Whether a later attempt took a report over, because it went on after that epoch or a later one.
_TAKEN_OVER = (
    sa.select(_NEWER.c.epoch)
    .where(
        _NEWER.c.job_id == REPORTS.c.job_id,
        _NEWER.c.trial == REPORTS.c.trial,
        _NEWER.c.attempt > REPORTS.c.attempt,
        _NEWER.c.epoch == REPORTS.c.epoch,
        _NEWER.c.seconds == REPORTS.c.seconds,
    )
    .exists()
)


class RepeatedMethods(Transactions):
    """The method of the store that counts what was trained for nothing."""

    def repeated(self, job_id: str) -> Mapping[int, tuple[int, float]]:
        """Return the reported epochs, and their seconds, that a later attempt did not go on from.

        By the number of the trial; those that lost nothing are left out.
        """
        taken_over = sa.func.max(sa.case((_TAKEN_OVER, REPORTS.c.seconds), else_=0.0))
        # By number, or the database may look at each of a million reports.
        again = sa.select(TRIALS.c.number).where(TRIALS.c.job_id == job_id, TRIALS.c.attempt > 1)
        query = (
            sa.select(
                REPORTS.c.trial,
                sa.func.sum(sa.case((_TAKEN_OVER, 0), else_=1)),
                sa.func.max(REPORTS.c.seconds) - taken_over,
            )
            .join(
                TRIALS,
                sa.and_(TRIALS.c.job_id == REPORTS.c.job_id, TRIALS.c.number == REPORTS.c.trial),
            )
            .where(
                REPORTS.c.job_id == job_id,
                REPORTS.c.trial.in_(again),
                REPORTS.c.attempt < TRIALS.c.attempt,
            )
            .group_by(REPORTS.c.trial, REPORTS.c.attempt)
        )
        found: dict[int, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
        with self._database.read() as connection:
            job_row(connection, job_id)
            for trial, epochs, seconds in connection.execute(query):
                if epochs:
                    before = found[trial]
                    found[trial] = (before[0] + int(epochs), before[1] + seconds)
        return dict(sorted(found.items()))
