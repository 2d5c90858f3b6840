"""The command that prints and follows a job's log."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from service.cli.options import job_argument
from service.cli.target import with_client
from service.cli.text import clean

if TYPE_CHECKING:
    from service.client.client import Client

FOLLOW_INTERVAL_S = 1.0
#: Lines asked for at each poll; a log that grows faster between two polls loses lines.
FOLLOW_LINES = 2000


@click.command()
@job_argument
@click.option("--tail", metavar="N", type=click.IntRange(1, 10_000), help="Only the last N lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the job has finished.")
@with_client
def logs(client: Client, *, job: str, tail: int | None, follow: bool) -> None:
    """Print the log of a job's driver and trials.

    Without --tail, the server chooses how many of the last lines.
    """
    if not follow:
        _print_lines(client.log(job, tail=tail).splitlines())
        return
    seen, finished = _window(client, job)
    _print_lines(seen[-tail:] if tail else seen)
    while not finished:
        client.clock.sleep(FOLLOW_INTERVAL_S)
        lines, finished = _window(client, job)
        _print_lines(lines_after(seen, lines))
        seen = lines


def lines_after(seen: list[str], lines: list[str]) -> list[str]:
    """Return the new lines of ``lines``, the end of a log whose end was ``seen`` before."""
    for gone in range(len(seen) + 1):
        overlap = len(seen) - gone
        if lines[:overlap] == seen[gone:]:
            return lines[overlap:]
    raise AssertionError("an overlap of no lines always fits")


def _window(client: Client, job: str) -> tuple[list[str], bool]:
    """Return the end of the log, and whether the job has finished.

    The job is asked first, so that no last line is missed. While it runs, its last line may still
    be incomplete and is left for the next poll.
    """
    finished = client.job(job).is_finished
    lines = client.log(job, tail=FOLLOW_LINES).splitlines()
    return (lines if finished else lines[:-1]), finished


def _print_lines(lines: list[str]) -> None:
    for line in lines:
        click.echo(clean(line.expandtabs()))
    sys.stdout.flush()
