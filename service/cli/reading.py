"""Commands that read jobs and trials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from results.formatting import duration, moment, number
from results.states import JobState
from service.cli.options import job_argument
from service.cli.output import emit_json, facts, json_option, note, table
from service.cli.summary import best_line, failure, job_facts
from service.cli.target import with_client
from service.cli.text import ABSENT, cells, setting

if TYPE_CHECKING:
    from service.client.client import Client
    from service.schemas import JobView, TrialView


@click.command()
@click.option("--state", type=click.Choice([state.value for state in JobState]))
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--cursor", help="The end of the page before, which printed it.")
@json_option
@with_client
def ls(client: Client, *, state: str | None, limit: int, cursor: str | None, as_json: bool) -> None:
    """List jobs, newest first."""
    page = client.jobs(state=state, limit=limit, cursor=cursor)
    if as_json:
        emit_json(page)
        return
    columns = ["id", "name", "state", "trials#", "epochs#", "best", "created"]
    table(columns, map(_job_row, page.items))
    if page.next_cursor:
        note(f"There are more: argbest ls --cursor {page.next_cursor}")


def _job_row(job: JobView) -> list[str]:
    progress = job.progress
    return [
        job.id,
        job.name,
        job.state,
        f"{progress.finished}/{progress.trials}",
        f"{progress.epochs_done}/{progress.epochs_total}",
        best_line(job.best),
        moment(job.created_at),
    ]


@click.command()
@job_argument
@json_option
@with_client
def show(client: Client, *, job: str, as_json: bool) -> None:
    """Show a job: state, progress, best trial, error."""
    found = client.job(job)
    if as_json:
        emit_json(found)
        return
    engine = client.trial(job, found.best.trial).engine if found.best else ""
    facts([*job_facts(found), *([("engine", engine)] if engine else [])])


@click.command()
@job_argument
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@json_option
@with_client
def trials(client: Client, *, job: str, as_csv: bool, as_json: bool) -> None:
    """List a job's trials.

    The metrics are those of each trial's last epoch. Rank 1 is the best trial.
    """
    if as_csv:
        click.echo(client.trials_csv(job), nl=False)
        return
    found = client.trials(job)
    if as_json:
        emit_json({"items": found, "next_cursor": None})
    else:
        _trial_table(found)


def _trial_table(found: list[TrialView]) -> None:
    """Print a row per trial; rank, engine and error only where some trial has one."""
    parameters = list(dict.fromkeys(name for trial in found for name in trial.parameters))
    metrics = list(dict.fromkeys(name for trial in found for name in trial.metrics))
    ranked = ["rank#"] if any(trial.rank for trial in found) else []
    engine = ["engine"] if any(trial.engine for trial in found) else []
    error = ["error"] if any(trial.error for trial in found) else []
    values = [f"{name}#" for name in (*parameters, *metrics, "epochs", "time")]
    rows = [
        [
            str(trial.number),
            trial.state,
            *(str(trial.rank or ABSENT) for _ in ranked),
            *cells(trial.parameters, parameters, setting),
            *cells(trial.metrics, metrics, number),
            str(trial.epochs),
            duration(trial.seconds),
            *(trial.engine or ABSENT for _ in engine),
            *(failure(trial.error) for _ in error),
        ]
        for trial in found
    ]
    table(["trial#", "state", *ranked, *values, *engine, *error], rows)
