"""What one client that follows a job, or all jobs, is sent next: changes in order, each once.

A change of state is a row of the store and is sent with the row's id. Progress between two changes
has no id. Whoever comes back with the last id that it has got is sent all changes after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from fastapi.sse import ServerSentEvent

from results.records import Event, JobRecord, TrialRecord
from results.states import TrialState
from results.store import Store
from service.http.live import Look
from service.http.views import job_view, trial_view
from service.http.waiting import waiting
from service.schemas import Answer, ChangeView, GoneView, JobView, StartView

#: Rows that are read at a time.
MOST_ROWS = 500


class Feed(Protocol):
    """The events for one client."""

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


def _message(kind: str, view: Answer, number: int | None = None) -> ServerSentEvent:
    text = view.model_dump_json()
    return ServerSentEvent(event=kind, raw_data=text, id=None if number is None else str(number))


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

    def __init__(self, store: Store, after: int | None) -> None:
        self._store, self._asked, self._after = store, after, after
        self._has_begun = False
        self.has_more = False

    def concerns(self, look: Look) -> bool:
        """Whether there are rows that this client was not sent."""
        return not self._has_begun or self.has_more or look.last > (self._after or 0)

    def changes(self, look: Look) -> list[ServerSentEvent]:
        """Return the next rows, each as a `change`."""
        first = [] if self._has_begun else self._begin(look)
        rows = self._store.events(after=self._after or 0, limit=MOST_ROWS)
        self._after = rows[-1].id if rows else self._after
        self.has_more = len(rows) == MOST_ROWS
        return [*first, *(_message("change", ChangeView.model_validate(r), r.id) for r in rows)]

    def _begin(self, look: Look) -> list[ServerSentEvent]:
        self._has_begun = True
        if self._after is None:
            self._after = look.last
            return [_message("start", StartView(last=look.last), look.last)]
        gone = _gone(self._store, self._after, look.last)
        if gone is None:
            return []
        self._after = 0
        return [_message("gone", gone)]


class JobFeed:
    """The changes and the progress of one job, for a client that has got changes up to ``after``.

    None, or an id whose successors are no longer kept, begins with the job and all its trials as
    they are. Each event holds the whole job or trial as it is now.
    """

    def __init__(self, store: Store, job_id: str, after: int | None, dashboard_url: str) -> None:
        self._store, self._job_id, self._dashboard_url = store, job_id, dashboard_url
        self._after = after
        self._job: JobRecord | None = None
        self._waiting: str | None = None
        self._trials: dict[int, TrialRecord] = {}
        self._has_begun = self.has_more = self.has_ended = False

    def concerns(self, look: Look) -> bool:
        """Whether there are new rows, of any job, or the job's record or reason to wait differs."""
        if self._job is None or self.has_more or look.last > (self._after or 0):
            return True
        job = look.running.get(self._job_id, self._job)
        return job != self._job or waiting(job, look.fleet) != self._waiting

    def changes(self, look: Look) -> list[ServerSentEvent]:
        """Return what is new: changes with their ids, then progress, the job last.

        Raises :class:`results.errors.JobNotFound` for a job that has been deleted.
        """
        if self._has_begun:
            return self._news(look)
        self._has_begun = True
        if self._after is None:
            return self._everything(look)
        gone = _gone(self._store, self._after, look.last)
        if gone is not None:
            return [_message("gone", gone), *self._everything(look)]
        return self._news(look, is_first=True)

    def _everything(self, look: Look) -> list[ServerSentEvent]:
        """Return all trials and the job, with the id of the last change that they hold for sure."""
        job, trials = self._store.job(self._job_id), self._store.trials(self._job_id)
        self._after = look.last
        self._keep({trial.number: trial for trial in trials})
        sent = [_message("trial", trial_view(trial)) for trial in trials]
        sent.append(_message("job", self._view(job, look), look.last))
        self._close(job, bool(self._rows()))
        return sent

    def _news(self, look: Look, *, is_first: bool = False) -> list[ServerSentEvent]:
        """Return the changes since the last ones, each with the job or trial as it is now."""
        rows, job = self._rows(), self._store.job(self._job_id)
        found = self._found(rows, is_first) if rows or job != self._job else ()
        trials = {trial.number: trial for trial in found}
        # Read after the rows, the job and the trials contain them.
        sent = [self._change_message(row, job, trials, look) for row in rows]
        self._trials |= {row.trial: trials[row.trial] for row in rows if row.trial is not None}
        if len(rows) == MOST_ROWS:
            self._after, self.has_more = rows[-1].id, True
            return sent
        self._after = max([look.last, *(row.id for row in rows)])
        # What changed since the rows were read is sent with its own row, and not before it.
        later = {row.trial for row in self._rows()}
        progress = [t for t in found if t.number not in later and self._trials.get(t.number) != t]
        self._keep(self._trials | {trial.number: trial for trial in progress})
        sent += [_message("trial", trial_view(trial)) for trial in progress]
        if None not in later and all(row.trial is not None for row in rows):
            sent += self._job_progress(job, look)
        self._close(job, bool(later))
        return sent

    def _found(self, rows: Sequence[Event], is_first: bool) -> Sequence[TrialRecord]:  # noqa: FBT001
        """Return the trials that may have changed: those of the rows, and the running ones.

        A job may have 10,000, each of which takes 20 µs to read.
        """
        if is_first and not self._knows_the_job(rows):
            return self._store.trials(self._job_id)
        numbers = {row.trial for row in rows if row.trial is not None}
        return self._store.moving_trials(self._job_id, numbers)

    def _keep(self, sent: Mapping[int, TrialRecord]) -> None:
        """Remember which progress the client has: others than running trials make none."""
        self._trials = {n: t for n, t in sent.items() if t.state is TrialState.RUNNING}

    def _knows_the_job(self, rows: Sequence[Event]) -> bool:
        """Whether the client has got the job's first row, which stands for its trials too."""
        first = self._store.events(job_id=self._job_id, limit=1)
        return not rows or first[0].id < rows[0].id

    def _rows(self) -> tuple[Event, ...]:
        return self._store.events(after=self._after or 0, job_id=self._job_id, limit=MOST_ROWS)

    def _view(self, job: JobRecord, look: Look) -> JobView:
        view = job_view(job, self._dashboard_url, look.fleet)
        self._job, self._waiting = job, view.waiting
        return view

    def _change_message(
        self, row: Event, job: JobRecord, trials: Mapping[int, TrialRecord], look: Look
    ) -> ServerSentEvent:
        view = self._view(job, look) if row.trial is None else trial_view(trials[row.trial])
        view.change = ChangeView.model_validate(row)
        return _message("job" if row.trial is None else "trial", view, row.id)

    def _job_progress(self, job: JobRecord, look: Look) -> list[ServerSentEvent]:
        has_changed = job != self._job or waiting(job, look.fleet) != self._waiting
        return [_message("job", self._view(job, look))] if has_changed else []

    def _close(self, job: JobRecord, has_more: bool) -> None:  # noqa: FBT001
        self.has_more, self.has_ended = has_more, job.state.is_finished and not has_more
