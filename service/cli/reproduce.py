"""The command that runs one trial of a job again and compares the curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from results.formatting import count
from results.lineage import AGAIN, why_not_again
from results.spec import JobSpec
from service.again import request_of_trial
from service.cli.errors import ExitCode
from service.cli.options import job_argument, timeout_option
from service.cli.output import emit_json, json_option, note, table
from service.cli.target import with_client
from service.cli.text import clean

if TYPE_CHECKING:
    from service.client.client import Client
    from service.schemas import Curve, JobView, TrialView


@dataclass(frozen=True, slots=True)
class Compared:
    """A metric of two curves over the epochs of the first: where they first differ, if they do.

    ``values`` are those of that epoch, None where a curve has none.
    """

    metric: str
    epochs: int
    differs_at: int | None = None
    values: tuple[float | None, float | None] = (None, None)


@click.command()
@job_argument
@click.argument("trial", metavar="TRIAL", type=click.IntRange(min=0))
@timeout_option
@json_option
@with_client
def reproduce(
    client: Client, *, job: str, trial: int, timeout: float | None, as_json: bool
) -> None:
    """Run one trial of a job again and compare the curves.

    The same code, configuration and seed run as a job of one trial. The exit code is 1 where an
    objective's curve differs.
    """
    from service.cli.watch import exit_for, follow_job

    made, first = client.job(job), client.trial(job, trial)
    if not first.epochs:
        raise click.UsageError(f"trial {trial} of job {job} reported no epoch to compare with")
    if first.parent is not None:
        reason = why_not_again(trial, first.parent, first.start_epoch)
        raise click.UsageError(f"{reason}. {AGAIN}")
    spec = JobSpec.from_json(made.spec)
    body = request_of_trial(
        made.id, made.name, spec,
        number=first.number, parameters=first.parameters, seed=first.seed,
    )  # fmt: skip
    again = client.submit(body)
    note(f"job {again.id} runs trial {trial} of job {job} again, with seed {first.seed}")
    again = follow_job(client, again.id, timeout=timeout)
    exit_for(again)
    second = client.trial(again.id, 0)
    for line in changes(made, first, again, second):
        note(clean(line))
    compared = list(compare(client.curve(job, trial), client.curve(again.id, 0)))
    _show(again, compared, as_json=as_json)
    objectives = {objective.metric for objective in spec.space.objectives}
    if any(one.differs_at is not None and one.metric in objectives for one in compared):
        click.get_current_context().exit(ExitCode.JOB_FAILED)


def compare(first: Curve, second: Curve) -> Iterator[Compared]:
    """Yield each metric of the first curve, compared with the second over the first's epochs.

    Equal means bit for bit. The first may be shorter: its trial may have been stopped.
    """
    place = {epoch: index for index, epoch in enumerate(second["epoch"])}
    for metric, values in first.items():
        if metric == "epoch":
            continue
        others = second.get(metric, [])
        done = Compared(metric, len(values))
        for epoch, value in zip(first["epoch"], values, strict=True):
            index = place.get(epoch, len(others))
            other = others[index] if index < len(others) else None
            if other != value:
                done = Compared(metric, len(values), int(epoch or 0), (value, other))
                break
        yield done


def changes(
    first_job: JobView, first: TrialView, second_job: JobView, second: TrialView
) -> Iterator[str]:
    """Yield what is not as it was: it may be why numbers differ."""
    pairs: Mapping[str, tuple[Any, Any]] = {
        "node": (first.node, second.node),
        "engine": (first.engine, second.engine),
        "data": (_data_of(first_job), _data_of(second_job)),
        "argbest": (first_job.spec.get("version"), second_job.spec.get("version")),
    }
    for name, (before, now) in pairs.items():
        if before != now:
            yield f"{name}: {before} then, {now} now"


def _data_of(job: JobView) -> str:
    """Return the digest of the user's data that a job trains on, "none" without such."""
    return str((job.spec.get("data") or {}).get("digest", "none"))


def _show(job: JobView, compared: list[Compared], *, as_json: bool) -> None:
    same = [one for one in compared if one.differs_at is None]
    if as_json:
        shown = [
            {"metric": c.metric, "epochs": c.epochs, "differs_at": c.differs_at,
             "first": c.values[0], "second": c.values[1]}
            for c in compared
        ]  # fmt: skip
        emit_json({"job": job.id, "is_equal": len(same) == len(compared), "metrics": shown})
        return
    rows = [
        [clean(one.metric), str(one.epochs), "same"]
        if one.differs_at is None
        else [
            clean(one.metric), str(one.epochs),
            f"differs from epoch {one.differs_at}: {one.values[0]!r} then, {one.values[1]!r} now",
        ]
        for one in compared
    ]  # fmt: skip
    table(["metric", "epochs", "curve"], rows)
    note(f"{len(same)} of {count(len(compared), 'metric')} the same, bit for bit")
