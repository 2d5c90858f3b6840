"""What is read once for all streams that follow the same, and its messages, each written once.

Fifty tabs that follow a job ask for the same rows after each look at the store. They take turns:
the first one reads, the others send what it has read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from fastapi.concurrency import run_in_threadpool
from fastapi.sse import ServerSentEvent

from results.records import Event, JobRecord, TrialRecord
from results.store import Store
from service.http.live import Look
from service.http.views import job_view, trial_view
from service.http.waiting import Fleet, waiting
from service.schemas import Answer, ChangeView, JobView, TrialView

#: Rows that are read at a time.
MOST_ROWS = 500
#: Pause between two readings of a job's news, as a multiple of the last one's duration, so that
#: streams of large jobs read less often.
PAUSE_PER_READ = 4

T = TypeVar("T")


def message(kind: str, view: Answer, number: int | None = None) -> ServerSentEvent:
    """Return an event of a stream, with an id if it stands for a change."""
    text = view.model_dump_json()
    return ServerSentEvent(event=kind, raw_data=text, id=None if number is None else str(number))


class Shared:
    """Lets streams take turns, and keeps what one of them has read for those that wait."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._waiting = 0
        self._begin()

    def _begin(self) -> None:
        """Keep nothing. A lock belongs to the event loop in which others waited for it."""
        self._turn = asyncio.Lock()
        self._kept: dict[Hashable, tuple[int, Any]] = {}

    async def in_turn(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns, run in a thread while no other stream's work runs."""
        self._waiting += 1
        try:
            async with self._turn:
                return await run_in_threadpool(work)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._begin()

    def _known(self, key: Hashable, look: Look) -> Any:
        """Return what was read under this key after ``look`` was taken, None if nothing was."""
        number, found = self._kept.get(key, (0, None))
        return found if look.number <= number else None

    def _keep(self, key: Hashable, look: Look, read: T) -> T:
        self._kept[key] = look.number, read
        return read


class EventReadings(Shared):
    """The changes of all jobs."""

    def changes(self, look: Look, after: int) -> list[ServerSentEvent]:
        """Return the first :data:`MOST_ROWS` changes after the event ``after``."""
        known: list[ServerSentEvent] | None = self._known(after, look)
        if known is not None:
            return known
        rows = self.store.events(after=after, limit=MOST_ROWS)
        sent = [message("change", ChangeView.model_validate(row), row.id) for row in rows]
        return self._keep(after, look, sent)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A job and some of its trials as they were after the event ``last``, and their messages."""

    last: int
    job: JobRecord
    trials: Mapping[int, TrialRecord]
    dashboard_url: str
    _made: dict[Hashable, ServerSentEvent] = field(default_factory=dict, repr=False)

    def trial_message(self, number: int, row: Event | None = None) -> ServerSentEvent:
        """Return a trial, as the change ``row`` or as progress."""
        key = number, None if row is None else row.id
        return self._once(key, "trial", lambda: trial_view(self.trials[number]), row)

    def job_message(
        self, fleet: Fleet, row: Event | None = None, number: int | None = None
    ) -> ServerSentEvent:
        """Return the job among those of the ``fleet``, as the change ``row`` or as progress.

        ``number`` is the event's id where it stands for more than one change.
        """
        key = waiting(self.job, fleet), number if row is None else row.id
        return self._once(
            key, "job", lambda: job_view(self.job, self.dashboard_url, fleet), row, number
        )

    def _once(
        self, key: Hashable, kind: str, make: Callable[[], JobView | TrialView],
        row: Event | None, number: int | None = None,
    ) -> ServerSentEvent:  # fmt: skip
        if (kind, key) not in self._made:
            view = make()
            if row is not None:
                view.change, number = ChangeView.model_validate(row), row.id
            self._made[kind, key] = message(kind, view, number)
        return self._made[kind, key]


@dataclass(frozen=True, kw_only=True)
class News(Reading):
    """The changes after an event, ``rows``, with the trials that run and those of the rows.

    ``has_more``: there are further changes, of which nothing is in here. ``later`` are the trials,
    or the job (None), that changed again while this was read. ``has_trials`` is False where neither
    a row nor the job's record asked for trials.
    """

    rows: tuple[Event, ...]
    has_more: bool
    later: frozenset[int | None]
    has_trials: bool


class JobReadings(Shared):
    """One job, as its streams read it."""

    def __init__(
        self, store: Store, job_id: str, dashboard_url: str = "", *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        super().__init__(store)
        self.job_id, self._dashboard_url, self._clock = job_id, dashboard_url, clock
        self._last_look, self._pauses_until = 0, clock()

    def everything(self, look: Look) -> Reading:
        """Return the job and all its trials, read after ``look`` was taken."""
        known: Reading | None = self._known("everything", look)
        if known is not None:
            return known
        job, trials = self.store.job(self.job_id), self.store.trials(self.job_id)
        read = Reading(last=look.last, job=job, trials={trial.number: trial for trial in trials},
                       dashboard_url=self._dashboard_url)  # fmt: skip
        return self._keep("everything", look, read)

    def has_changes(self, after: int) -> bool:
        """Whether there are changes after the event ``after``."""
        return bool(self.store.events(after=after, job_id=self.job_id, limit=1))

    def first_news(self, look: Look, after: int) -> News:
        """Return what came after the event ``after``, for a client that has just come.

        With all trials if the client has not got the job's first change, which stands for them.
        """
        key = "first", after
        known: News | None = self._known(key, look)
        return known or self._keep(key, look, self._news(look, after, None, is_first=True))

    def news(
        self, look: Look, after: int, job: JobRecord | None, *, may_pause: bool
    ) -> News | None:
        """Return what came after the event ``after`` for a client that has ``job``.

        None, for a client that ``may_pause``, where the readings after a former look took so long
        that there is none after this one.
        """
        known: News | None = self._known(after, look)
        if known is not None and (known.has_trials or known.job == job):
            return known
        began = self._clock()
        if may_pause and look.number > self._last_look and began < self._pauses_until:
            return None
        read = self._news(look, after, job)
        now = self._clock()
        self._last_look, self._pauses_until = look.number, now + PAUSE_PER_READ * (now - began)
        # Whoever has taken this asks again at once for what came meanwhile, after the same event.
        if read.last == after and read.later:
            return read
        return self._keep(after, look, read)

    def _news(
        self, look: Look, after: int, known: JobRecord | None, *, is_first: bool = False
    ) -> News:
        # Read after the rows, the job and the trials contain them.
        rows, job = self._rows(after), self.store.job(self.job_id)
        has_trials = bool(rows) or job != known
        found = self._found(rows, is_first=is_first) if has_trials else ()
        has_more = len(rows) == MOST_ROWS
        # The look may be older than what the client has got.
        last = rows[-1].id if has_more else max([after, look.last, *(row.id for row in rows)])
        later = () if has_more else self._rows(last)
        return News(
            last=last, job=job, trials={trial.number: trial for trial in found}, rows=rows,
            later=frozenset(row.trial for row in later), has_trials=has_trials,
            dashboard_url=self._dashboard_url, has_more=has_more,
        )  # fmt: skip

    def _found(self, rows: Sequence[Event], *, is_first: bool) -> Sequence[TrialRecord]:
        """Return the trials that may have changed: those of the rows, and the running ones.

        A job may have 10,000, each of which takes 20 µs to read.
        """
        if is_first and rows:
            first = self.store.events(job_id=self.job_id, limit=1)
            if not first or first[0].id >= rows[0].id:
                return self.store.trials(self.job_id)
        numbers = {row.trial for row in rows if row.trial is not None}
        return self.store.moving_trials(self.job_id, numbers)

    def _rows(self, after: int) -> tuple[Event, ...]:
        return self.store.events(after=after, job_id=self.job_id, limit=MOST_ROWS)


class Readings:
    """What is read for streams: of all jobs, and of each job that is followed."""

    def __init__(self, store: Store, dashboard_url: str) -> None:
        self._store, self._dashboard_url = store, dashboard_url
        self._jobs: WeakValueDictionary[str, JobReadings] = WeakValueDictionary()
        self.events = EventReadings(store)

    def of_job(self, job_id: str) -> JobReadings:
        """Return what all streams of this job share, for as long as one of them holds it."""
        found = self._jobs.get(job_id)
        if found is None:
            found = self._jobs[job_id] = JobReadings(self._store, job_id, self._dashboard_url)
        return found
