"""Commands that read jobs, trials and logs."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from results.states import JobState
from service.cli.options import job_argument
from service.cli.output import emit_json, facts, json_option, note, table
from service.cli.summary import best_line, failure, job_facts
from service.cli.target import with_client
from service.cli.text import clean, duration, moment, number
from service.client.types import is_finished

if TYPE_CHECKING:
    from service.client.client import Client
    from service.client.types import Job, Trial

FOLLOW_INTERVAL_S = 1.0
#: Asked for at each look; a log that grows faster than this between two looks loses lines.
FOLLOW_LINES = 2000


@click.command()
@click.option("--state", type=click.Choice([state.value for state in JobState]))
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--cursor", help="Where the page before ended; it says so.")
@json_option
@with_client
def ls(client: Client, *, state: str | None, limit: int, cursor: str | None, as_json: bool) -> None:
    """List jobs, newest first."""
    page = client.jobs(state=state, limit=limit, cursor=cursor)
    if as_json:
        emit_json(page)
        return
    columns = ["id", "name", "state", "trials#", "epochs#", "best", "created"]
    table(columns, map(_job_row, page["items"]))
    if page["next_cursor"]:
        note(f"There are more: argbest ls --cursor {page['next_cursor']}")


def _job_row(job: Job) -> list[str]:
    progress = job["progress"]
    return [
        job["id"],
        job["name"],
        job["state"],
        f"{progress['finished']}/{progress['trials']}",
        f"{progress['epochs_done']}/{progress['epochs_total']}",
        best_line(job["best"]),
        moment(job["created_at"]),
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
    else:
        facts(job_facts(found))


@click.command()
@job_argument
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@json_option
@with_client
def trials(client: Client, *, job: str, as_csv: bool, as_json: bool) -> None:
    """List a job's trials.

    The metrics are those of each trial's last epoch.
    """
    if as_csv:
        click.echo(client.trials_csv(job), nl=False)
        return
    found = client.trials(job)
    if as_json:
        emit_json({"items": found, "next_cursor": None})
    else:
        _trial_table(found)


def _trial_table(found: list[Trial]) -> None:
    parameters = list(dict.fromkeys(name for trial in found for name in trial["parameters"]))
    metrics = list(dict.fromkeys(name for trial in found for name in trial["metrics"]))
    errors = any(trial["error"] for trial in found)
    right = [f"{name}#" for name in (*parameters, *metrics, "epochs", "time")]
    table(
        ["trial#", "state", *right, *(["error"] if errors else [])],
        [
            [
                str(trial["number"]),
                trial["state"],
                *(number(trial["parameters"].get(name)) for name in parameters),
                *(number(trial["metrics"].get(name)) for name in metrics),
                str(trial["epochs"]),
                duration(trial["seconds"]),
                *([failure(trial["error"])] if errors else []),
            ]
            for trial in found
        ],
    )


@click.command()
@job_argument
@click.option("--tail", metavar="N", type=click.IntRange(1, 10_000), help="Only the last N lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the job has finished.")
@with_client
def logs(client: Client, *, job: str, tail: int | None, follow: bool) -> None:
    """Print the log of a job's driver and trials.

    Without --tail, the last lines that the server keeps at hand.
    """
    if not follow:
        _print_lines(client.log(job, tail=tail).splitlines())
        return
    seen, finished = _window(client, job)
    _print_lines(seen[-tail:] if tail else seen)
    while not finished:
        time.sleep(FOLLOW_INTERVAL_S)
        lines, finished = _window(client, job)
        _print_lines(lines_after(seen, lines))
        seen = lines


def lines_after(seen: list[str], lines: list[str]) -> list[str]:
    """Return what is new in ``lines``, a window on a log that moved on since it showed ``seen``."""
    for gone in range(len(seen) + 1):
        overlap = len(seen) - gone
        if lines[:overlap] == seen[gone:]:
            return lines[overlap:]
    raise AssertionError("an overlap of no lines always fits")


def _window(client: Client, job: str) -> tuple[list[str], bool]:
    """Return the end of the log, and whether the job has finished.

    The job is asked first, so that no last line is missed; while it runs, the log's last line may
    still be being written and is left for the next look.
    """
    finished = is_finished(client.job(job))
    lines = client.log(job, tail=FOLLOW_LINES).splitlines()
    return (lines if finished else lines[:-1]), finished


def _print_lines(lines: list[str]) -> None:
    for line in lines:
        click.echo(clean(line.expandtabs()))
    sys.stdout.flush()
