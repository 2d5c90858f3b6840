"""The command that compares jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from results.formatting import duration, mean_text
from service.cli.options import jobs_argument
from service.cli.output import emit_json, json_option, note, table
from service.cli.summary import best_line
from service.cli.target import with_client
from service.cli.text import ABSENT, cells, setting

if TYPE_CHECKING:
    from service.client.client import Client
    from service.schemas import ComparedJobView, ComparisonView


@click.command()
@jobs_argument
@json_option
@with_client
def compare(client: Client, *, jobs: tuple[str, ...], as_json: bool) -> None:
    """Compare two to eight jobs: results, specifications, best configurations.

    Jobs that differ only in their seed are repeats: their mean and standard deviation are shown.
    """
    found = client.compare(*jobs)
    if as_json:
        emit_json(found)
        return
    table(
        ["id", "name", "state", "seed#", "trials#", "epochs#", "until the best#", "best"],
        [_job_row(job) for job in found.jobs],
    )
    names = _names(found.jobs)
    if found.differences:
        click.echo()
        rows = [[d.pointer, *map(_written, d.values)] for d in found.differences]
        table(["differs", *names], rows)
    best = [job.best.parameters for job in found.jobs if job.best]
    parameters = list(dict.fromkeys(name for values in best for name in values))
    if parameters:
        click.echo()
        columns = [cells(job.best.parameters if job.best else {}, parameters, setting)
                   for job in found.jobs]  # fmt: skip
        table(["best parameters", *names], zip(parameters, *columns, strict=True))
    _note_repeats(found)


def _job_row(job: ComparedJobView) -> list[str]:
    course, progress = job.course, job.progress
    until = next((s for s, v in zip(course.seconds, course.best, strict=True)
                  if v == course.best[-1]), None)  # fmt: skip
    return [
        job.id, job.name, job.state, str(job.seed), f"{progress.finished}/{progress.trials}",
        str(progress.epochs_done), ABSENT if until is None else duration(until),
        best_line(job.best),
    ]  # fmt: skip


def _names(jobs: list[ComparedJobView]) -> list[str]:
    names = [job.name for job in jobs]
    return names if len(set(names)) == len(names) else [job.id for job in jobs]


def _written(value: Any) -> str:
    return ABSENT if value is None else setting(value)


def _note_repeats(found: ComparisonView) -> None:
    for group in found.repeats:
        ids, text = ", ".join(group.jobs), mean_text(group.final, group.deviation, len(group.jobs))
        note(f"{ids} differ only in their seed: {text}")
