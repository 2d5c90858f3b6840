"""What a client asks of a job that was accepted: to be cancelled, paused, resumed, retried."""

from __future__ import annotations

from results.errors import IllegalMove
from results.records import JobRecord
from results.states import JobState, TrialState
from results.store.hints import to_finish
from results.store.jobs import read_job
from results.store.tables import JOBS
from results.store.transactions import (
    NO_DRIVER,
    Transactions,
    end_job,
    move_job,
    move_trials,
)

RETRIED = "retried"


class MoveMethods(Transactions):
    """The methods of the store by which a client moves a job to another state."""

    def request_cancel(self, job_id: str) -> JobRecord:
        """Cancel a queued or paused job at once; ask for a running one to be cancelled.

        Idempotent for a job that is cancelling or cancelled; raises
        :class:`results.errors.IllegalMove` for one that has finished otherwise.
        """
        with self._locked(job_id) as (changes, state):
            if state in (JobState.QUEUED, JobState.PAUSED):
                end_job(changes, job_id, JobState.CANCELLED)
            elif state in (JobState.RUNNING, JobState.PAUSING):
                move_job(changes, job_id, JobState.CANCELLING)
            elif state not in (JobState.CANCELLING, JobState.CANCELLED):
                raise IllegalMove(
                    f"job {job_id} has {state}: there is nothing left to cancel",
                    hint="delete it if you do not need its results",
                )
            return read_job(changes.connection, job_id)

    def request_pause(self, job_id: str) -> JobRecord:
        """Pause a queued job at once; a running one is pausing until its running trials have ended.

        Idempotent for a job that is pausing or paused; raises
        :class:`results.errors.IllegalMove` for one that is cancelling or has finished.
        """
        with self._locked(job_id) as (changes, state):
            if state is JobState.RUNNING:
                move_job(changes, job_id, JobState.PAUSING)
            elif state is JobState.QUEUED:
                move_job(changes, job_id, JobState.PAUSED)
            elif state not in (JobState.PAUSING, JobState.PAUSED):
                raise IllegalMove(
                    f"job {job_id} is {state}: it cannot be paused",
                    hint="only a job that is queued or running can be paused",
                )
            return read_job(changes.connection, job_id)

    def resume_job(self, job_id: str) -> JobRecord:
        """Put a paused job back into the queue; let one that is pausing go on.

        Idempotent for a job that is queued or running; raises
        :class:`results.errors.IllegalMove` for one that is cancelling or has finished.
        """
        with self._locked(job_id) as (changes, state):
            if state is JobState.PAUSED:
                move_job(changes, job_id, JobState.QUEUED, claims=0)
            elif state is JobState.PAUSING:
                move_job(changes, job_id, JobState.RUNNING)
            elif state not in (JobState.QUEUED, JobState.RUNNING):
                raise IllegalMove(
                    f"job {job_id} is {state}: it cannot be resumed",
                    hint="only a paused job can be resumed; one that has finished can be retried",
                )
            return read_job(changes.connection, job_id)

    def retry_failed(self, job_id: str) -> JobRecord:
        """Put a job that has succeeded or failed back into the queue, with its failed trials.

        They run again as new attempts, as do the trials that a failed job never finished;
        succeeded ones stay as they are. The failed trials of a population have been replaced: there
        only unfinished ones run. Idempotent for an unfinished job without failed trials; raises
        :class:`results.errors.IllegalMove` for an unfinished one with failed trials, for a
        cancelled one, and for one that has no trial to run again.
        """
        with self._locked(job_id) as (changes, state):
            job = read_job(changes.connection, job_id)
            if not state.is_finished and not job.progress.failed:
                return job  # what the first of two equal requests did
            _check_retry(job)
            # A failed job has ended its other trials too: they are as good as failed.
            again = [TrialState.FAILED, TrialState.CANCELLED]
            is_population = job.spec.space.scheduler.is_population
            if is_population:
                again.remove(TrialState.FAILED)
            queued = move_trials(
                changes, job_id, again, TrialState.QUEUED,
                detail=RETRIED, error=None, finished_at=None,
            )  # fmt: skip
            if is_population and not queued:
                message = f"job {job.id} has only failed trials that others have replaced"
                raise IllegalMove(message, hint="submit the search again")
            move_job(
                changes, job_id, JobState.QUEUED, detail=RETRIED, error=None, finished_at=None,
                claims=0, finished=JOBS.c.finished - queued, at_once=None,
                failed=job.progress.failed if is_population else 0,
                # Its last driver is gone, and must not be taken for the next one's.
                **NO_DRIVER,
            )  # fmt: skip
            return read_job(changes.connection, job_id)


def _check_retry(job: JobRecord) -> None:
    if not job.state.is_finished:
        message = f"job {job.id} is {job.state}: its failed trials cannot run again yet"
        raise IllegalMove(message, hint="wait until it has finished, or cancel it")
    if job.state is JobState.CANCELLED:
        message = f"job {job.id} was {job.state}: its failed trials do not run again"
        raise IllegalMove(message, hint=to_finish(job))
    if job.state is JobState.SUCCEEDED and not job.progress.failed:
        message = f"job {job.id} has no failed trial: there is nothing to run again"
        raise IllegalMove(message, hint="submit the search again for new results")
