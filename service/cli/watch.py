"""Following one job live."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from results.states import TrialState
from service.cli.display import Display, display
from service.cli.errors import ExitCode
from service.cli.estimate import Pace, time_left
from service.cli.options import job_argument, timeout_option
from service.cli.output import emit_json, json_option, note
from service.cli.summary import job_line, trial_line
from service.cli.target import with_client
from service.cli.text import pairs
from service.client.types import JobEvent, has_succeeded

if TYPE_CHECKING:
    from service.client.client import Client
    from service.client.types import Event, Job, Trial

_FINISHED = frozenset(state for state in TrialState if state.is_finished)


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


def exit_for(job: Job) -> None:
    """End the command with exit code 1 unless the job succeeded."""
    if not has_succeeded(job):
        click.get_current_context().exit(ExitCode.JOB_FAILED)


def follow_job(client: Client, job_id: str, *, timeout: float | None) -> Job:
    """Show a job's progress until it has finished; return it."""
    with display(time.monotonic) as shown:
        view = JobView(shown)
        try:
            for event in client.events(job_id, timeout=timeout):
                view.see(event, time.monotonic())
        except KeyboardInterrupt:
            shown.say(f"job {job_id} goes on; `argbest watch {job_id}` follows it again")
            raise
    return view.job


class JobView:
    """What a display shows of one job: the total, and its running trials."""

    job: Job

    def __init__(self, shown: Display) -> None:
        self._shown = shown
        self._pace = Pace()
        self._states: dict[int, str] = {}
        self._state = ""

    def see(self, event: Event, now: float) -> None:
        """Show a change of the job or of one of its trials."""
        if isinstance(event, JobEvent):
            self._see_job(event.data, now)
        else:
            self._see_trial(event.data)

    def _see_job(self, job: Job, now: float) -> None:
        self.job = job
        if job["state"] != self._state:
            self._state = job["state"]
            self._shown.say(f"job {job['id']}: {self._state}")
        self._pace.see(job, now)
        progress = job["progress"]
        self._shown.total(
            f"{progress['finished']}/{progress['trials']} trials",
            progress["epochs_done"],
            progress["epochs_total"],
            time_left({"job": job}, {"job": self._pace}),
        )

    def _see_trial(self, trial: Trial) -> None:
        key = f"trial {trial['number']}"
        known = self._states.get(trial["number"])
        self._states[trial["number"]] = trial["state"]
        if trial["state"] in _FINISHED:
            self._shown.drop(key)
            if known != trial["state"]:
                self._shown.say(trial_line(trial))
        elif trial["state"] == TrialState.RUNNING:
            text = f"{pairs(trial['metrics'])}  {pairs(trial['parameters'])}".strip()
            epochs = self.job["spec"]["epochs"]
            self._shown.bar(key, key, trial["epochs"], epochs, text)
        else:
            self._shown.drop(key)
