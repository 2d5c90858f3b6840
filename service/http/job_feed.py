"""The changes of a job and of its trials, for one client that follows it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from results.records import JobRecord, TrialRecord
from results.store import Store
from service.http.views import job_view, trial_view

#: Trials are read again when the job's record has changed: its progress counts their states and
#: epochs. A change that progress does not show (a trial that is suggested, or that has as many
#: epochs again after a restart) follows with the next one, at the latest after this time.
REFRESH_SECONDS = 5.0


class JobFeed:
    """Compares a job with what this client was sent before."""

    def __init__(
        self,
        store: Store,
        job_id: str,
        dashboard_url: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._job_id, self._dashboard_url = store, job_id, dashboard_url
        self._clock = clock
        self._job: JobRecord | None = None
        self._trials: dict[int, TrialRecord] = {}
        self._read_at = -math.inf

    @property
    def has_ended(self) -> bool:
        """Whether the job had finished at the last call of :meth:`changes`."""
        return self._job is not None and self._job.state.is_finished

    def changes(self) -> list[tuple[str, str]]:
        """Return the changes since the last call, the job last, each as its kind and its JSON.

        The first call returns the job and all its trials. Raises
        :class:`results.errors.JobNotFound` for a job that has been deleted.
        """
        job = self._store.job(self._job_id)
        has_changed = job != self._job
        if not has_changed and self._clock() - self._read_at < REFRESH_SECONDS:
            return []
        found = self._store.trials(self._job_id)
        changed = [trial for trial in found if self._trials.get(trial.number) != trial]
        self._trials |= {trial.number: trial for trial in changed}
        self._job, self._read_at = job, self._clock()
        changes = [("trial", trial_view(trial).model_dump_json()) for trial in changed]
        if has_changed:
            changes.append(("job", job_view(job, self._dashboard_url).model_dump_json()))
        return changes
