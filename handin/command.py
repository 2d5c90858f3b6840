"""The whole homework in one command: submit what is not there yet, wait, compose the PDF."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from results.formatting import count
from results.states import JobState, Purpose
from service.cli.display import Display, display
from service.cli.errors import ExitCode
from service.cli.estimate import Pace, epochs_left, time_left, total_of
from service.cli.files import check_writable, write_atomically
from service.cli.output import note
from service.cli.summary import best_line, job_line, progress_line
from service.cli.target import with_client
from service.client.errors import Conflict, NotFound, ServerBusy, ServerFault, ServerUnreachable

if TYPE_CHECKING:
    from handin import Answer
    from service.client.client import Client
    from service.schemas import JobView

POLL_INTERVAL_S = 1.0
#: How many configurations a confirmation runs again, beside the defaults, and with how many seeds.
_TOP, _SEEDS = 3, 5
#: A job in one of these states is used instead of a new one of the same spec.
_REUSED = (JobState.SUCCEEDED, JobState.RUNNING, JobState.QUEUED)


@click.command()
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    default="handin.pdf",
    show_default=True,
)
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    help="Epochs of every run, for a short demonstration. [default: what the homework asks]",
)
@click.option(
    "--confirm",
    is_flag=True,
    help="Run the best configurations of Q4 again with further seeds: is each winner real?",
)
@with_client
def handin(client: Client, *, output: Path, epochs: int | None, confirm: bool) -> None:
    """Run all of Q2 to Q4 and write the hand-in as one PDF.

    Jobs of the same specification that have succeeded, or that still run, are used again, so the
    command can be interrupted and repeated. Exits with 1 if a job failed; the PDF then says so.
    """
    from handin import TASKS

    check_writable(output)
    changed = {} if epochs is None else {"epochs": epochs}
    searches = [task.question for task in TASKS if task.is_search]
    bodies = {
        task.question: _bodies({**task.body, **changed}, is_search=task.is_search, confirm=confirm)
        for task in TASKS
    }
    try:
        jobs = {question: _job(client, question, *tried) for question, tried in bodies.items()}
        with display(client.clock.now) as shown:
            _follow(client, jobs, shown)
            if confirm and _confirm(client, jobs, searches):
                _follow(client, jobs, shown)
    except KeyboardInterrupt:
        note("interrupted: the jobs go on, and `argbest handin` will use them")
        raise
    for question, job in jobs.items():
        note(f"{question}: {job_line(job)}")
    _write(client, jobs, output)
    if not all(job.has_succeeded for job in jobs.values()):
        click.get_current_context().exit(ExitCode.JOB_FAILED)


def _bodies(body: Mapping[str, Any], *, is_search: bool, confirm: bool) -> list[Mapping[str, Any]]:
    """Return the requests whose jobs answer a question, the wanted one first.

    A search that was confirmed answers it without, and one that was not can be confirmed.
    """
    confirmed = {**body, "confirm": {"top": _TOP, "seeds": _SEEDS}}
    if not is_search:
        return [body]
    return [confirmed, body] if confirm else [body, confirmed]


def _confirm(client: Client, jobs: dict[str, JobView], searches: Iterable[str]) -> bool:
    """Let the searches that have not been confirmed be; return whether there are any."""
    asked = [
        question
        for question in searches
        if jobs[question].has_succeeded and "confirm" not in jobs[question].spec
    ]
    for question in asked:
        jobs[question] = client.confirm(jobs[question].id, top=_TOP, seeds=_SEEDS)
        note(f"{question}: job {jobs[question].id}, the winner is confirmed")
    return bool(asked)


def _job(client: Client, question: str, *bodies: Mapping[str, Any]) -> JobView:
    """Return a job that answers the question: one of a spec of ``bodies``, or a new one.

    The new one is of the first.
    """
    for body in bodies:
        fingerprint = client.plan(body).fingerprint
        for state in _REUSED:
            found = client.jobs(fingerprint=fingerprint, state=state, limit=1).items
            if found:
                note(f"{question}: job {found[0].id}, {state}, is used again")
                return found[0]
    job = client.submit(bodies[0])
    note(f"{question}: job {job.id}, {count(job.progress.trials, 'trial')}, submitted")
    return job


def _follow(client: Client, jobs: dict[str, JobView], shown: Display) -> None:
    """Keep ``jobs`` up to date until all have finished."""
    from service.client.connection import Patience

    clock = client.clock
    patience = Patience(clock)
    paces = {question: Pace() for question in jobs}
    while True:
        _show(jobs, paces, shown, clock.now())
        waiting = [question for question, job in jobs.items() if not job.is_finished]
        if not waiting:
            return
        clock.sleep(POLL_INTERVAL_S)
        for question in waiting:
            try:
                job = client.job(jobs[question].id)
            except (ServerUnreachable, ServerBusy) as error:
                patience.bear(error)
                continue
            patience.reset()
            if job.state != jobs[question].state:
                shown.say(f"{question}: {job.state}, {progress_line(job)}")
            jobs[question] = job


def _show(
    jobs: Mapping[str, JobView], paces: Mapping[str, Pace], shown: Display, now: float
) -> None:
    for question, job in jobs.items():
        paces[question].see(job, now)
        text = f"{job.state}  {best_line(job.best)}"
        done = job.progress.epochs_done
        shown.bar(question, question, done, total_of(job).epochs, text)
    total = sum(total_of(job).epochs for job in jobs.values())
    finished = sum(job.is_finished for job in jobs.values())
    left = sum(map(epochs_left, jobs.values()))
    shown.total(f"{finished}/{len(jobs)} jobs", total - left, total, time_left(jobs, paces))


def _write(client: Client, jobs: Mapping[str, JobView], output: Path) -> None:
    from handin import compose

    answers = {question: _answer(client, job) for question, job in jobs.items()}
    versions = {name: str(value) for name, value in client.version().model_dump().items()}
    document = compose(answers, versions=versions, generated_at=datetime.now(UTC))
    write_atomically(output, document)
    note(f"wrote {output}")


def _answer(client: Client, job: JobView) -> Answer:
    """Fetch the results of a finished job; one that failed may have no report.

    A plot that the server cannot draw is left out.
    """
    from handin import Answer

    job_id = job.id
    try:
        report = client.report_json(job_id)
    except Conflict:
        return Answer(job.model_dump(mode="json"), {}, [], {})
    plots: dict[str, bytes] = {}
    for plot in client.plots(job_id):
        try:
            plots[plot.name] = client.plot(job_id, plot.name, "svg")
        except (NotFound, ServerFault) as error:
            note(f"job {job_id}: plot {plot.name} is left out: {error}")
    if "confirm" in job.spec:  # the report lists the trials of the search alone
        again = [trial for trial in client.trials(job_id) if trial.purpose == Purpose.CONFIRM]
        trials = [*report["trials"], *(trial.model_dump(mode="json") for trial in again)]
        report = {**report, "trials": trials}
    curves = [curve.model_dump() for curve in client.curves(job_id)]
    return Answer(job.model_dump(mode="json"), report, curves, plots)
