"""Commands that read jobs, trials and logs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from results.formatting import duration, mean_text, moment, number
from results.states import JobState, Purpose, TrialState
from service.cli.estimate import total_of
from service.cli.options import job_argument
from service.cli.output import emit_json, facts, json_option, note, table
from service.cli.summary import best_line, failure, job_facts
from service.cli.target import with_client
from service.cli.text import ABSENT, cells, clean, pairs, setting

if TYPE_CHECKING:
    from service.client.client import Client
    from service.schemas import JobView, TrialView

FOLLOW_INTERVAL_S = 1.0
#: Lines asked for at each poll; a log that grows faster between two polls loses lines.
FOLLOW_LINES = 2000


@click.command()
@click.option(
    "--state",
    "states",
    type=click.Choice([state.value for state in JobState]),
    multiple=True,
    help="Only jobs in this state. Repeatable.",
)
@click.option("--tag", "tags", metavar="NAME[=VALUE]", multiple=True, help="Only with this tag.")
@click.option("--search", metavar="WORDS", help="Only jobs with all these words.")
@click.option(
    "--sort", metavar="KEY", help="created, name, state, priority, finished, best, queue."
)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--cursor", help="The end of the page before, which printed it.")
@json_option
@with_client
def ls(
    client: Client,
    *,
    states: tuple[str, ...],
    tags: tuple[str, ...],
    search: str | None,
    sort: str | None,
    limit: int,
    cursor: str | None,
    as_json: bool,
) -> None:
    """List jobs, newest first.

    WORDS are looked for in names, notes, tags, search spaces and data sets. A KEY with a minus in
    front turns the order round: --sort=-best.
    """
    page = client.jobs(
        state=list(states), tag=list(tags), q=search, sort=sort, limit=limit, cursor=cursor
    )
    if as_json:
        emit_json(page)
        return
    columns = ["id", "name", "state", "slots#", "priority#", "trials#", "epochs#", "best"]
    waits = ["waits"] if any(job.waiting for job in page.items) else []
    tagged = ["tags"] if any(job.tags for job in page.items) else []
    rows = [
        [*_job_row(job), *(pairs(job.tags, clean) for _ in tagged),
         *(job.waiting or ABSENT for _ in waits)]
        for job in page.items
    ]  # fmt: skip
    table([*columns, "created", *tagged, *waits], rows)
    if page.next_cursor:
        note(f"There are more: argbest ls --cursor {page.next_cursor}")


def _job_row(job: JobView) -> list[str]:
    progress = job.progress
    return [
        job.id,
        job.name,
        job.state,
        ABSENT if job.slots is None else str(job.slots),
        str(job.priority),
        f"{progress.finished}/{progress.trials}",
        total_of(job).text(progress.epochs_done),
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
@json_option
@with_client
def request(client: Client, *, job: str, as_json: bool) -> None:
    """Print the request that makes a job again.

    It is YAML, to be changed and given to `argbest submit`. The search space is whole, with all
    that the job replaced in it.
    """
    if as_json:
        emit_json(client.request(job))
    else:
        click.echo(client.request_yaml(job), nl=False)


@click.command()
@job_argument
@click.option(
    "--state", type=click.Choice([state.value for state in TrialState]), help="Only these trials."
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, of all trials.")
@json_option
@with_client
def trials(client: Client, *, job: str, state: str | None, as_csv: bool, as_json: bool) -> None:
    """List a job's trials.

    The metrics are those of each trial's last epoch. Rank 1 is the best trial; trials of one
    configuration share their rank, which their mean decides.
    """
    if as_csv:
        if state is not None:
            raise click.UsageError("--csv prints all trials: leave out --state")
        click.echo(client.trials_csv(job), nl=False)
        return
    found = [trial for trial in client.trials(job) if state in (None, trial.state)]
    if as_json:
        emit_json({"items": found, "next_cursor": None})
    else:
        _trial_table(found)


def _trial_table(found: list[TrialView]) -> None:
    """Print a row per trial; columns that only some trials have are left out where none has."""
    parameters = list(dict.fromkeys(name for trial in found for name in trial.parameters))
    metrics = list(dict.fromkeys(name for trial in found for name in trial.metrics))
    ranked = ["rank#"] if any(trial.rank for trial in found) else []
    several = any(trial.score and trial.score.n > 1 for trial in found)
    mean = ["mean"] if several else []
    purpose = ["purpose"] if any(trial.purpose != Purpose.SEARCH for trial in found) else []
    alike = ["configuration#"] if several or purpose else []
    broken = ["not ranked"] if any(trial.violations for trial in found) else []
    resumed = ["resumed from#"] if any(trial.resumed_from for trial in found) else []
    origin = ["parent#", "start epoch#"] if any(t.parent is not None for t in found) else []
    engine = ["engine"] if any(trial.engine for trial in found) else []
    error = ["error"] if any(trial.error for trial in found) else []
    values = [f"{name}#" for name in (*parameters, *metrics, "epochs", "time")]
    rows = [
        [
            str(trial.number),
            trial.state,
            *(str(trial.rank or ABSENT) for _ in ranked),
            *(_mean(trial) for _ in mean),
            *(trial.purpose for _ in purpose),
            *(str(trial.configuration) for _ in alike),
            *cells(trial.parameters, parameters, setting),
            *cells(trial.metrics, metrics, number),
            str(trial.epochs),
            duration(trial.seconds),
            *(str(trial.resumed_from or ABSENT) for _ in resumed),
            *_origin(trial)[: len(origin)],
            *(trial.engine or ABSENT for _ in engine),
            *("; ".join(trial.violations) or ABSENT for _ in broken),
            *(failure(trial.error) for _ in error),
        ]
        for trial in found
    ]
    head = ["trial#", "state", *ranked, *mean, *purpose, *alike, *values, *resumed, *origin]
    table([*head, *engine, *broken, *error], rows)


def _origin(trial: TrialView) -> tuple[str, str]:
    """Return the trial from whose state a trial went on, and after which epoch."""
    return (ABSENT, ABSENT) if trial.parent is None else (str(trial.parent), str(trial.start_epoch))


def _mean(trial: TrialView) -> str:
    score = trial.score
    return mean_text(score.mean, score.standard_deviation, score.n) if score else ABSENT


@click.command()
@job_argument
@click.option("--tail", metavar="N", type=click.IntRange(1, 10_000), help="Only the last N lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the job or trial has finished.")
@click.option("--trial", metavar="N", type=click.IntRange(min=0), help="Only of this trial.")
@with_client
def logs(client: Client, *, job: str, tail: int | None, follow: bool, trial: int | None) -> None:
    """Print the log of a job's driver and trials.

    With --trial, only what that trial has printed. Without --tail, the server chooses how many of
    the last lines.
    """
    if trial is not None:
        _print_trial_log(client, job, trial, tail, follow=follow)
        return
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


def _print_trial_log(
    client: Client, job: str, trial: int, tail: int | None, *, follow: bool
) -> None:
    """Print a trial's log. A line that is still incomplete is printed once it is whole."""
    # The trial is asked first, so that no last line is missed.
    finished = not follow or _has_ended(client, job, trial)
    part = client.trial_log(job, trial, tail=tail)
    rest = _print_whole(part.text)
    while True:
        if not finished:
            client.clock.sleep(FOLLOW_INTERVAL_S)
            finished = _has_ended(client, job, trial)
        elif not follow:
            break
        before = part.next_offset
        part = client.trial_log(job, trial, offset=before)
        rest = _print_whole(rest + part.text)
        if finished and part.next_offset == before:
            break
    if rest:
        _print_lines([rest])


def _has_ended(client: Client, job: str, trial: int) -> bool:
    return client.trial(job, trial).is_finished or client.job(job).is_finished


def _print_whole(text: str) -> str:
    """Print the whole lines of a text; return what is left after them."""
    whole, newline, rest = text.rpartition("\n")
    _print_lines(f"{whole}{newline}".splitlines())
    return rest


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
