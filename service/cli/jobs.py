"""Commands that make, check and move jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from service.cli.body import body_of, body_options
from service.cli.code import send_code
from service.cli.errors import for_each
from service.cli.options import identifier, job_argument, jobs_argument, timeout_option
from service.cli.output import emit_json, json_option, note, table
from service.cli.planned import plan_lines
from service.cli.summary import job_line, progress_line, trials_text
from service.cli.target import data_folder, with_client
from service.cli.text import cells, pairs, setting

if TYPE_CHECKING:
    from service.client.client import Client
    from service.schemas import JobView


@click.command()
@body_options
@click.option("--wait", is_flag=True, help="Follow the job; exit with 1 unless it succeeds.")
@timeout_option
@click.option(
    "--idempotency-key",
    metavar="KEY",
    type=identifier,
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
    A folder that the file names as its code is packed and sent first.
    """
    if timeout is not None and not wait:
        raise click.UsageError("--timeout needs --wait")
    body = _sent_body(client, **options)
    job = client.submit(body, idempotency_key=idempotency_key)
    note(f"{job.state}: {job.name}, {trials_text(job)}")
    if not as_json:
        click.echo(job.id)
    if wait:
        from service.cli.watch import exit_for, follow_job

        job = follow_job(client, job.id, timeout=timeout)
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
    body = _sent_body(client, **options)
    planned = client.plan(body)
    if as_json:
        emit_json(planned)
        return
    for line in plan_lines(planned):
        note(line)
    if planned.configurations is None:
        note(f"sampled: {pairs(planned.sampling or {}, setting)}")
        rows = [[name, setting(domain)] for name, domain in planned.spec["parameters"].items()]
        table(["parameter", "domain"], rows)
        return
    names = list(dict.fromkeys(name for one in planned.configurations for name in one))
    configurations = enumerate(planned.configurations)
    rows = [[str(index), *cells(one, names, setting)] for index, one in configurations]
    table(["trial#", *names], rows)


def _sent_body(client: Client, **options: Any) -> dict[str, Any]:
    """Return the request's body, with its code sent: all but this machine's data folder."""
    body = body_of(client=client, **options)
    folder = data_folder(click.get_current_context())
    send_code(client, options["space"], body, left_out=[folder])
    return body


@click.command()
@job_argument
@click.option("--trials", type=int, help="Trials in all, more than now; only of a sampler.")
@click.option("--epochs", type=int, help="Epochs of every trial, more than now.")
@json_option
@with_client
def extend(
    client: Client, *, job: str, trials: int | None, epochs: int | None, as_json: bool
) -> None:
    """Let a finished job go on to more trials or epochs.

    Both are totals, so that the command may be repeated. Its trials go on from their checkpoints;
    those without one begin again and are named.
    """
    if trials is None and epochs is None:
        raise click.UsageError("say --trials, --epochs or both")
    extended = client.extend(job, trials=trials, epochs=epochs)
    note(f"job {job} is {extended.state}: {progress_line(extended)}")
    if extended.restarts:
        numbers = ", ".join(map(str, extended.restarts))
        note(f"no checkpoint, from epoch 1 again: trials {numbers}")
    if as_json:
        emit_json(extended)


@click.command()
@job_argument
@click.option("--top", type=int, default=3, show_default=True, help="Configurations, best first.")
@click.option("--seeds", type=int, default=5, show_default=True, help="Further seeds of each.")
@json_option
@with_client
def confirm(client: Client, *, job: str, top: int, seeds: int, as_json: bool) -> None:
    """Run a finished job's best configurations again with further seeds.

    The default configuration runs with them. `argbest best JOB` then says whether the winner is
    better than the others, or only luckier.
    """
    confirmed = client.confirm(job, top=top, seeds=seeds)
    note(f"job {job} is {confirmed.state}: {progress_line(confirmed)}")
    if as_json:
        emit_json(confirmed)


@click.command()
@job_argument
@click.argument("number", metavar="N", type=int)
@json_option
@with_client
def priority(client: Client, *, job: str, number: int, as_json: bool) -> None:
    """Give a job another weight in the shares of the cluster.

    N is from 1 to 100: a job of priority 2 gets twice the slots of one of priority 1.
    """
    changed = client.set_priority(job, number)
    note(f"job {job} has priority {changed.priority}")
    if as_json:
        emit_json(changed)


def _command(name: str, text: str, act: Callable[[Client, str], JobView | None]) -> click.Command:
    """Return the command ``name``, which does ``act`` with each job and prints its new state."""

    @click.command(name, help=text)
    @jobs_argument
    @with_client
    def run(client: Client, *, jobs: tuple[str, ...]) -> None:
        def move(job_id: str) -> None:
            job = act(client, job_id)
            note(f"job {job_id} is {job.state if job else 'deleted'}")

        for_each(jobs, "job", move)

    return run


pause = _command(
    "pause",
    "Pause jobs: running trials end at their next checkpoint.\n\n"
    "A job is pausing until its last running trial has ended; one without checkpoints runs to its "
    "end. Its processors are then free.",
    lambda client, job_id: client.pause(job_id),
)
resume = _command("resume", "Let paused jobs go on.", lambda client, job_id: client.resume(job_id))
retry = _command(
    "retry",
    "Run the failed trials of finished jobs again.\n\n"
    "They begin anew as further attempts; succeeded trials are kept.",
    lambda client, job_id: client.retry_failed(job_id),
)
cancel = _command(
    "cancel",
    "Cancel jobs that have not finished.\n\n"
    "A running job is cancelling for a few seconds; all that its trials have reported is kept.",
    lambda client, job_id: client.cancel(job_id),
)
rm = _command(
    "rm",
    "Delete finished jobs with their trials and curves.\n\n"
    "There is no way back; cancel a job that still runs first.",
    lambda client, job_id: client.delete(job_id),
)
