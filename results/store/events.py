"""Events: what happened to jobs and trials, read in the order in which it was committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import sqlalchemy as sa

from results.records import Event, Rest
from results.states import FailureKind, JobState, TrialState
from results.store import values
from results.store.rows import event_record, moment
from results.store.tables import EVENTS, Now
from results.store.transactions import Transactions

_DAY_SECONDS = 86_400.0
_PRUNED_AT_ONCE = 10_000
#: What an event says of a trial that failed and is started again.
_FAILURES = [
    kind for kind in FailureKind if kind.is_retried and kind is not FailureKind.WORKER_LOST
]


class EventMethods(Transactions):
    """The methods of the store about events."""

    def events(
        self,
        *,
        after: int = 0,
        job_id: str | None = None,
        trial: int | None = None,
        limit: int = 1_000,
    ) -> tuple[Event, ...]:
        """Return the first ``limit`` events with larger ids than ``after``, of one job or of all.

        With a ``trial``, those of that trial of the job. A reader that asks after the last id that
        it has seen misses none and sees none twice.
        """
        values.integer(limit, "limit", low=1)
        query = sa.select(EVENTS).where(EVENTS.c.id > after)
        if job_id is not None:
            query = query.where(EVENTS.c.job_id == job_id)
        if trial is not None:
            query = query.where(EVENTS.c.trial == trial)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(EVENTS.c.id).limit(limit))
            return tuple(map(event_record, rows))

    def last_event(self) -> int:
        """Return the id of the newest event; 0 if there is none."""
        with self._database.read() as connection:
            return connection.scalar(sa.select(sa.func.max(EVENTS.c.id))) or 0

    def failures(self, job_id: str) -> Mapping[int, int]:
        """Return how often trials of the job failed and were queued again, by number.

        Counted since a trial last ended, as far as its events are kept. A lost process is no
        failure.
        """
        of_job = (EVENTS.c.job_id == job_id, EVENTS.c.trial.is_not(None))
        has_failed = (EVENTS.c.state == TrialState.QUEUED) & EVENTS.c.detail.in_(_FAILURES)
        trials = sa.select(EVENTS.c.trial).where(*of_job, has_failed)
        ends = EVENTS.c.state.in_([state for state in TrialState if state.is_finished])
        query = sa.select(EVENTS.c.trial, EVENTS.c.state).where(
            *of_job, EVENTS.c.trial.in_(trials), ends | has_failed
        )
        found: Counter[int] = Counter()
        with self._database.read() as connection:
            for trial, state in connection.execute(query.order_by(EVENTS.c.id)):
                found[trial] = found[trial] + 1 if state == TrialState.QUEUED else 0
        return +found

    def rests(self, job_id: str) -> tuple[Rest, ...]:
        """Return when the job had ended, or was paused, since it first ran, oldest first.

        Not after its last end. As far as its events are kept.
        """
        is_rest = [*(state for state in JobState if state.is_finished), JobState.PAUSED]
        changes = (EVENTS.c.job_id == job_id, EVENTS.c.trial.is_(None))
        seen = EVENTS.c.state.in_([*is_rest, JobState.RUNNING])
        query = sa.select(EVENTS.c.state, EVENTS.c.at).where(*changes, seen).order_by(EVENTS.c.id)
        since, has_run = None, False
        found: list[Rest] = []
        with self._database.read() as connection:
            for state, at in connection.execute(query):
                # A clock that was set back makes no rest below 0.
                if has_run and since is not None and at > since:
                    found.append(Rest(moment(since), moment(at)))
                has_run = has_run or state == JobState.RUNNING
                since = None if state == JobState.RUNNING else at
        return tuple(found)

    def prune_events(self, keep_days: float) -> int:
        """Delete events older than so many days, but never the newest; return how many.

        All before such an event go with it, however a clock that was set meanwhile has dated them:
        a reader sees by the oldest one that is kept whether it misses any. In several transactions,
        each of which holds up other writers for a moment only.
        """
        days = values.amount(keep_days, "keep_days")
        newest = sa.select(sa.func.max(EVENTS.c.id)).scalar_subquery()
        old = sa.select(sa.func.max(EVENTS.c.id)).where(
            EVENTS.c.at <= Now() - days * _DAY_SECONDS, EVENTS.c.id < newest
        )
        with self._database.read() as connection:
            last = connection.scalar(old)
        some = sa.select(EVENTS.c.id).where(EVENTS.c.id <= (last or 0)).order_by(EVENTS.c.id)
        pruned = 0
        while True:
            with self._database.write() as connection:
                deletion = sa.delete(EVENTS).where(EVENTS.c.id.in_(some.limit(_PRUNED_AT_ONCE)))
                found = connection.execute(deletion).rowcount
            pruned += found
            if found < _PRUNED_AT_ONCE:
                return pruned
