"""What a client that follows a job is told: each change of the job and of its trials."""

from __future__ import annotations

import math
import time

from results.records import JobRecord, TrialRecord
from service.http.views import job_view, trial_view
from service.jobs import Jobs

#: Trials are read again where the job's record has changed: its progress counts their states and
#: epochs. What that cannot show (a trial that is suggested, or that has as many epochs again after
#: a restart) is told with the next change, and at the latest after this time.
LOOK_SECONDS = 5.0


class Told:
    """What one client has been told so far."""

    def __init__(self, jobs: Jobs, job_id: str, dashboard_url: str) -> None:
        self._jobs, self._job_id, self._dashboard_url = jobs, job_id, dashboard_url
        self._job: JobRecord | None = None
        self._trials: dict[int, TrialRecord] = {}
        self._looked = -math.inf

    @property
    def everything(self) -> bool:
        """Whether the job had finished when it was last told of."""
        return self._job is not None and self._job.state.is_finished

    def news(self) -> list[tuple[str, str]]:
        """Return what has changed since the last call, the job last: its kind, and it as JSON.

        Raises :class:`results.errors.JobNotFound` for a job that has been deleted.
        """
        job = self._jobs.job(self._job_id)
        has_changed = job != self._job
        if not has_changed and time.monotonic() - self._looked < LOOK_SECONDS:
            return []
        found = self._jobs.trials(self._job_id)
        trials = [trial for trial in found if self._trials.get(trial.number) != trial]
        self._trials |= {trial.number: trial for trial in trials}
        self._job, self._looked = job, time.monotonic()
        news = [("trial", trial_view(trial).model_dump_json()) for trial in trials]
        if has_changed:
            news.append(("job", job_view(job, self._dashboard_url).model_dump_json()))
        return news
