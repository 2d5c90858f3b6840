"""Counters that only grow: how trials ended, how long jobs and trials took, what befell leases.

They outlive the jobs that they count.
"""

from __future__ import annotations

from itertools import product

import sqlalchemy as sa

from results.records import Durations, LeaseCounts, TrialOutcome
from results.states import FailureKind, TrialState
from results.store.tables import COUNTERS, Counter, ending
from results.store.transactions import Transactions


class CounterMethods(Transactions):
    """The methods of the store that read counters."""

    def trial_outcomes(self) -> tuple[TrialOutcome, ...]:
        """Return how often trials ended, by state and kind of failure, since the beginning.

        A trial that is retried ends, and counts, once more.
        """
        found = self._counters()
        return tuple(
            TrialOutcome(state, kind, found[name])
            for state, kind in product(TrialState, (None, *FailureKind))
            if (name := ending(state, kind)) in found
        )

    def lease_counts(self) -> LeaseCounts:
        """Return how often jobs were taken over, and stale writes refused, since the beginning."""
        found = self._counters()
        return LeaseCounts(found.get(Counter.TAKE_OVERS, 0), found.get(Counter.REFUSED_WRITES, 0))

    def durations(self) -> Durations:
        """Return how long jobs and trials took, of all since the beginning, deleted ones too."""
        found = self._counters()
        job_wait, job_run, trial = (
            (found.get(name, 0), found.get(f"{name}_ms", 0) / 1000)
            for name in (Counter.JOB_WAIT, Counter.JOB_RUN, Counter.TRIAL)
        )
        return Durations(job_wait, job_run, trial)

    def _counters(self) -> dict[str, int]:
        with self._database.read() as connection:
            return {row.name: row.value for row in connection.execute(sa.select(COUNTERS))}
