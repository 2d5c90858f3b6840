"""Following one job live."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from results.formatting import number
from results.states import TrialState
from service.cli.display import Display, display
from service.cli.errors import ExitCode
from service.cli.estimate import Pace, time_left, total_of
from service.cli.options import job_argument, timeout_option
from service.cli.output import emit_json, json_option, note
from service.cli.summary import counted_trials, job_line, trial_line
from service.cli.target import with_client
from service.cli.text import pairs, setting

if TYPE_CHECKING:
    from service.client.client import Client
    from service.client.events import Event
    from service.schemas import JobView, TrialView


@click.command()
@job_argument
@timeout_option
@json_option
@with_client
def watch(client: Client, *, job: str, timeout: float | None, as_json: bool) -> None:
    """Follow a job, trial by trial, until it has finished.

    Exits with 0 if it succeeded, 1 if it failed or was cancelled, 6 after --timeout. Ctrl-C leaves
    the job running.
    """
    finished = follow_job(client, job, timeout=timeout)
    note(job_line(finished))
    if as_json:
        emit_json(finished)
    exit_for(finished)


def exit_for(job: JobView) -> None:
    """End the command with exit code 1 unless the job succeeded."""
    if not job.has_succeeded:
        click.get_current_context().exit(ExitCode.JOB_FAILED)


def follow_job(client: Client, job_id: str, *, timeout: float | None) -> JobView:
    """Show a job's progress until it has finished; return it."""
    now = client.clock.now
    with display(now) as shown:
        follower = Follower(shown)
        try:
            for event in client.events(job_id, timeout=timeout):
                follower.see(event, now())
        except KeyboardInterrupt:
            shown.say(f"job {job_id} goes on; `argbest watch {job_id}` follows it again")
            raise
    return follower.job


class Follower:
    """Shows one job on a display: the total, and its running trials."""

    job: JobView

    def __init__(self, shown: Display) -> None:
        self._shown = shown
        self._pace = Pace()
        self._states: dict[int, str] = {}
        self._state = ""
        self._waited: str | None = None

    def see(self, event: Event, now: float) -> None:
        """Show a change of the job or of one of its trials."""
        if event.kind == "job":
            self._see_job(event.data, now)
        elif event.kind == "trial":
            self._see_trial(event.data)

    def _see_job(self, job: JobView, now: float) -> None:
        self.job = job
        if job.state != self._state:
            self._state = job.state
            self._shown.say(f"job {job.id}: {self._state}")
        if job.waiting not in (None, self._waited):
            self._waited = job.waiting
            self._shown.say(f"job {job.id} waits {job.waiting}")
        self._pace.see(job, now)
        total = total_of(job)
        self._shown.total(
            counted_trials(job),
            job.progress.epochs_done,
            total.epochs,
            time_left({"job": job}, {"job": self._pace}),
            word=total.word,
        )

    def _see_trial(self, trial: TrialView) -> None:
        key = f"trial {trial.number}"
        known = self._states.get(trial.number)
        self._states[trial.number] = trial.state
        if trial.state == TrialState.RUNNING:
            text = f"{pairs(trial.metrics, number)}  {pairs(trial.parameters, setting)}".strip()
            self._shown.bar(key, key, trial.epochs, self.job.spec["epochs"], text)
            return
        self._shown.drop(key)
        if trial.is_finished and known != trial.state:
            self._shown.say(trial_line(trial))
