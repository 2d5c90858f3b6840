"""The command that makes a link to one job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from results.formatting import moment
from results.records import MAX_SHARE_DAYS
from service.cli.options import job_argument
from service.cli.output import emit_json, json_option, note
from service.cli.target import with_client

if TYPE_CHECKING:
    from service.client.client import Client


@click.command()
@job_argument
@click.option(
    "--days",
    type=click.FloatRange(min=0, max=MAX_SHARE_DAYS, min_open=True),
    default=7.0,
    show_default=True,
    help="Days until the link expires.",
)
@json_option
@with_client
def share(client: Client, *, job: str, days: float, as_json: bool) -> None:
    """Print a link that reads one job and nothing else.

    Whoever has it sees the job on the page, with its curves, logs and models, until it expires.
    `argbest token ls` lists the links, `argbest token revoke NAME` ends one.
    """
    made = client.share(job, days=days)
    link = f"{client.base_url}{made.path}"
    if as_json:
        emit_json({**made.model_dump(mode="json"), "link": link})
    else:
        click.echo(link)
    note(f"{made.name} reads job {job} until {moment(made.expires_at)}")
