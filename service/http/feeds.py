"""What one client that follows a job, or all jobs, is sent next: changes in order, each once.

A change of state is a row of the store and is sent with the row's id. Progress between two changes
has no id. Whoever comes back with the last id that it has got is sent all changes after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from fastapi.sse import ServerSentEvent

from results.records import JobRecord, TrialRecord
from results.states import TrialState
from results.store import Store
from service.http.live import Look
from service.http.readings import MOST_ROWS, EventReadings, JobReadings, News, Shared, message
from service.http.waiting import waiting
from service.schemas import GoneView, StartView


class Feed(Protocol):
    """The events for one client."""

    @property
    def shared(self) -> Shared:
        """What the feeds that follow the same share; :meth:`changes` is called in its turn."""

    @property
    def has_more(self) -> bool:
        """Whether :meth:`changes` left out events that are there already."""

    @property
    def has_ended(self) -> bool:
        """Whether there are no further events."""

    def concerns(self, look: Look) -> bool:
        """Whether the client lacks something of what the look saw."""

    def changes(self, look: Look) -> list[ServerSentEvent]:
        """Return the events since the last call; ``look`` was taken before."""


def _gone(store: Store, after: int, last: int) -> GoneView | None:
    """Return that events after ``after`` may be missing; None where all of them are there.

    They are where the next one is kept. 0 is the id of none and means all that are kept. An id
    after the last event is not of this database, or of one that was restored from a copy.
    """
    if after == 0 or after == last:
        return None
    oldest = next((event.id for event in store.events(limit=1)), None)
    if oldest is not None and oldest - 1 <= after < last:
        return None
    return GoneView(after=after, oldest=oldest)


class EventFeed:
    """All changes of all jobs, for a client that has got those up to ``after``.

    None begins with the next change, after a `start` that has the id of the last one.
    """

    has_ended = False

    def __init__(self, readings: EventReadings, after: int | None) -> None:
        self.shared, self._after = readings, after
        self._has_begun = False
        self.has_more = False

    def concerns(self, look: Look) -> bool:
        """Whether there are rows that this client was not sent."""
        return not self._has_begun or self.has_more or look.last > (self._after or 0)

    def changes(self, look: Look) -> list[ServerSentEvent]:
        """Return the next rows, each as a `change`."""
        first = [] if self._has_begun else self._begin(look)
        sent = self.shared.changes(look, self._after or 0)
        self._after = int(sent[-1].id or 0) if sent else self._after
        self.has_more = len(sent) == MOST_ROWS
        return [*first, *sent]

    def _begin(self, look: Look) -> list[ServerSentEvent]:
        self._has_begun = True
        if self._after is None:
            self._after = look.last
            return [message("start", StartView(last=look.last), look.last)]
        gone = _gone(self.shared.store, self._after, look.last)
        if gone is None:
            return []
        self._after = 0
        return [message("gone", gone)]


class JobFeed:
    """The changes and the progress of one job, for a client that has got changes up to ``after``.

    None, or an id whose successors are no longer kept, begins with the job and all its trials as
    they are. Each event holds the whole job or trial as it is now.
    """

    def __init__(self, readings: JobReadings, after: int | None) -> None:
        self.shared, self._after = readings, after
        self._job: JobRecord | None = None
        self._waiting: str | None = None
        self._trials: dict[int, TrialRecord] = {}
        self._has_begun = self.has_more = self.has_ended = False

    def concerns(self, look: Look) -> bool:
        """Whether there are new rows, of any job, or the job's record or reason to wait differs."""
        if self._job is None or self.has_more or look.last > (self._after or 0):
            return True
        job = look.running.get(self.shared.job_id, self._job)
        return job != self._job or waiting(job, look.fleet) != self._waiting

    def changes(self, look: Look) -> list[ServerSentEvent]:
        """Return what is new: changes with their ids, then progress, the job last.

        Raises :class:`results.errors.JobNotFound` for a job that has been deleted.
        """
        after = self._after or 0
        if self._has_begun:
            may_pause = not self.has_more
            news = self.shared.news(look, after, self._job, may_pause=may_pause)
            return [] if news is None else self._take(news, look)
        self._has_begun = True
        if self._after is None:
            return self._everything(look)
        gone = _gone(self.shared.store, after, look.last)
        if gone is not None:
            return [message("gone", gone), *self._everything(look)]
        return self._take(self.shared.first_news(look, after), look)

    def _everything(self, look: Look) -> list[ServerSentEvent]:
        """Return all trials and the job, with the id of the last change that they hold for sure."""
        read = self.shared.everything(look)
        self._after = read.last
        self._keep(read.trials.values())
        self._note_job(read.job, look)
        self._close(read.job, self.shared.has_changes(read.last))
        sent = [read.trial_message(number) for number in read.trials]
        return [*sent, read.job_message(look.fleet, number=read.last)]

    def _take(self, news: News, look: Look) -> list[ServerSentEvent]:
        """Return the changes since the last ones, each with the job or trial as it is now."""
        sent = [
            news.job_message(look.fleet, row)
            if row.trial is None
            else news.trial_message(row.trial, row)
            for row in news.rows
        ]
        changed = {row.trial for row in news.rows}
        if None in changed:
            self._note_job(news.job, look)
        self._trials |= {n: trial for n, trial in news.trials.items() if n in changed}
        self._after, self.has_more = news.last, news.has_more
        if self.has_more:
            return sent
        # What changed since the rows were read is sent with its own row, and not before it.
        progress = {
            number: trial
            for number, trial in news.trials.items()
            if number not in news.later and self._trials.get(number) != trial
        }
        self._keep((self._trials | progress).values())
        sent += [news.trial_message(number) for number in progress]
        if None not in news.later | changed and self._differs(news.job, look):
            self._note_job(news.job, look)
            sent.append(news.job_message(look.fleet))
        self._close(news.job, bool(news.later))
        return sent

    def _keep(self, sent: Iterable[TrialRecord]) -> None:
        """Remember which progress the client has: others than running trials make none."""
        self._trials = {t.number: t for t in sent if t.state is TrialState.RUNNING}

    def _note_job(self, job: JobRecord, look: Look) -> None:
        self._job, self._waiting = job, waiting(job, look.fleet)

    def _differs(self, job: JobRecord, look: Look) -> bool:
        return job != self._job or waiting(job, look.fleet) != self._waiting

    def _close(self, job: JobRecord, has_more: bool) -> None:  # noqa: FBT001
        self.has_more, self.has_ended = has_more, job.state.is_finished and not has_more
