"""Commands that make, check, cancel and delete jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from service.cli.body import body_of, body_options
from service.cli.options import identifier, jobs_argument, timeout_option
from service.cli.output import emit_json, json_option, note, table
from service.cli.summary import job_line
from service.cli.target import with_client
from service.cli.text import number, pairs

if TYPE_CHECKING:
    from service.client.client import Client
    from service.client.types import Plan


@click.command()
@body_options
@click.option("--wait", is_flag=True, help="Follow the job; exit with 1 unless it succeeds.")
@timeout_option
@click.option(
    "--idempotency-key",
    metavar="KEY",
    callback=identifier,
    help="Submitting again with the same key gives the same job. [default: a new one]",
)
@json_option
@with_client
def submit(
    client: Client,
    /,
    *,
    wait: bool,
    timeout: float | None,
    idempotency_key: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Submit a search and print its job's id.

    SPACE is the name of a declared search space; FILE is a whole one in YAML or JSON (- for stdin).
    """
    if timeout is not None and not wait:
        raise click.UsageError("--timeout needs --wait")
    job = client.submit(body_of(**options), idempotency_key=idempotency_key)
    trials = job["progress"]["trials"]
    note(f"{job['state']}: {job['name']}, {trials} {'trial' if trials == 1 else 'trials'}")
    if not as_json:
        click.echo(job["id"])
    if wait:
        from service.cli.watch import exit_for, follow_job

        job = follow_job(client, job["id"], timeout=timeout)
        note(job_line(job))
    if as_json:
        emit_json(job)
    if wait:
        exit_for(job)


@click.command()
@body_options
@json_option
@with_client
def plan(client: Client, /, *, as_json: bool, **options: Any) -> None:
    """Show what a search would run, without running it.

    Takes the same options as submit and prints the configurations, or how they would be sampled.
    """
    planned = client.plan(body_of(**options))
    if as_json:
        emit_json(planned)
    else:
        _show_plan(planned)


def _show_plan(planned: Plan) -> None:
    spec, configurations = planned["spec"], planned["configurations"]
    epochs = spec["epochs"]
    note(f"{planned['trials']} trials of {epochs} epochs, strategy {spec['strategy']}")
    if configurations is None:
        note(f"sampled: {pairs(planned['sampling'] or {})}")
        rows = [[name, number(domain)] for name, domain in spec["parameters"].items()]
        table(["parameter", "domain"], rows)
        return
    names = list(dict.fromkeys(name for one in configurations for name in one))
    table(
        ["trial#", *names],
        [
            [str(index), *(number(one.get(name)) for name in names)]
            for index, one in enumerate(configurations)
        ],
    )


@click.command()
@jobs_argument
@with_client
def cancel(client: Client, *, jobs: tuple[str, ...]) -> None:
    """Cancel jobs that have not finished.

    A running job is cancelling for a few seconds; what its trials have reported is kept.
    """
    for job_id in jobs:
        job = client.cancel(job_id)
        note(f"job {job['id']} is {job['state']}")


@click.command()
@jobs_argument
@with_client
def rm(client: Client, *, jobs: tuple[str, ...]) -> None:
    """Delete finished jobs with their trials and curves.

    There is no way back; cancel a job that still runs first.
    """
    for job_id in jobs:
        client.delete(job_id)
        note(f"job {job_id} is deleted")
