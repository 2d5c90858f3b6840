"""Commands that pause jobs, let them go on, and run their failed trials again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from service.cli.options import jobs_argument
from service.cli.output import note
from service.cli.target import with_client

if TYPE_CHECKING:
    from service.client.client import Client


@click.command()
@jobs_argument
@with_client
def pause(client: Client, *, jobs: tuple[str, ...]) -> None:
    """Pause jobs: running trials finish, no other one starts.

    A job is pausing until its last running trial has ended. Its processors are then free.
    """
    for job_id in jobs:
        job = client.pause(job_id)
        note(f"job {job['id']} is {job['state']}")


@click.command()
@jobs_argument
@with_client
def resume(client: Client, *, jobs: tuple[str, ...]) -> None:
    """Let paused jobs go on."""
    for job_id in jobs:
        job = client.resume(job_id)
        note(f"job {job['id']} is {job['state']}")


@click.command()
@jobs_argument
@with_client
def retry(client: Client, *, jobs: tuple[str, ...]) -> None:
    """Run the failed trials of finished jobs again.

    They begin anew as further attempts; what has succeeded is kept.
    """
    for job_id in jobs:
        job = client.retry_failed(job_id)
        note(f"job {job['id']} is {job['state']}")
