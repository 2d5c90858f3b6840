"""Commands that change what people say of a job, and its place in the queue."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from results.formatting import moment
from service.cli.body import tags_of
from service.cli.options import identifier, job_argument
from service.cli.output import emit_json, json_option, table
from service.cli.output import note as say
from service.cli.target import with_client
from service.cli.text import clean

if TYPE_CHECKING:
    from service.client.client import Client
    from service.schemas import JobList


@click.command()
@job_argument
@click.argument("tags", metavar="[NAME=VALUE]...", nargs=-1, callback=tags_of)
@click.option("--remove", metavar="NAME", multiple=True, help="Take this tag away. Repeatable.")
@json_option
@with_client
def tag(
    client: Client, *, job: str, tags: dict[str, str], remove: tuple[str, ...], as_json: bool
) -> None:
    """Set or take away tags of a job, or print them.

    The other tags stay. `argbest ls --tag NAME=VALUE` lists the jobs that have one.
    """
    both = sorted({*tags} & {*remove})
    if both:
        raise click.UsageError(f"{both[0]} is both set and taken away")
    changes = {**tags, **dict.fromkeys(remove)}
    found = client.edit(job, tags=changes) if changes else client.job(job)
    if as_json:
        emit_json(found)
        return
    for name, value in found.tags.items():
        click.echo(clean(f"{name}={value}"))


@click.command()
@job_argument
@click.argument("text", required=False)
@json_option
@with_client
def note(client: Client, *, job: str, text: str | None, as_json: bool) -> None:
    """Write a note on a job, or print it.

    TEXT takes the place of the note that is there; - reads it from stdin, and "" takes it away.
    """
    if text == "-":
        text = sys.stdin.read().rstrip("\n")
    found = client.job(job) if text is None else client.edit(job, notes=text)
    if as_json:
        emit_json(found)
    elif text is None:
        click.echo(clean(found.notes))
    else:
        say(f"job {job} has {'a note' if found.notes else 'no note'}")


@click.command()
@click.argument("job", metavar="[JOB]", required=False, type=identifier)
@click.option("--before", metavar="OTHER", type=identifier, help="Run it before this job.")
@click.option("--first", is_flag=True, help="Run it before all others.")
@click.option("--last", is_flag=True, help="Run it after all others.")
@json_option
@with_client
def queue(
    client: Client, *, job: str | None, before: str | None, first: bool, last: bool, as_json: bool
) -> None:
    """List the queued jobs in their order, or move one.

    The order decides which job begins next; how many trials run of those that have begun is a
    matter of their priorities.
    """
    asked = [before is not None, first, last].count(True)
    if asked != (job is not None):
        raise click.UsageError("name a job and one of --before, --first and --last, or nothing")

    def waiting() -> JobList:
        return client.jobs(state="queued", sort="queue", limit=200)

    if job is not None:
        others = [one.id for one in waiting().items if one.id != job] if first else []
        place = before or next(iter(others), "")
        moved = client.edit(job, before=place)
        say(f"job {job} is {moved.state}, before {place}" if place else f"job {job} is the last")
    found = waiting()
    if as_json:
        emit_json(found)
        return
    rows = [
        [str(place), one.id, one.name, str(one.priority), moment(one.created_at)]
        for place, one in enumerate(found.items, start=1)
    ]
    table(["place#", "id", "name", "priority#", "created"], rows)
    if found.next_cursor:
        say("There are more.")
