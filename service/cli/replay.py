"""The command that replays a finished job through a scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from results.formatting import duration
from service.cli.options import job_argument
from service.cli.output import emit_json, json_option, note, table
from service.cli.target import with_client
from service.cli.text import ABSENT

if TYPE_CHECKING:
    from service.client.client import Client
    from service.schemas import ReplayedView


@click.command()
@job_argument
@click.option(
    "--scheduler",
    type=click.Choice(["asha", "hyperband", "median"]),
    default="asha",
    show_default=True,
    help="What ends trials early.",
)
@click.option(
    "--reduction-factor",
    type=click.IntRange(2, 100),
    default=3,
    show_default=True,
    help="One of so many trials goes on.",
)
@click.option(
    "--min-epochs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="The first epoch at which trials are compared.",
)
@click.option(
    "--min-trials",
    type=click.IntRange(1, 1000),
    default=5,
    show_default=True,
    help="median: compare with at least so many trials.",
)
@click.option(
    "--stops",
    is_flag=True,
    help="asha, hyperband: stop trials, do not pause them; always so where they cannot resume.",
)
@json_option
@with_client
def replay(
    client: Client,
    *,
    job: str,
    scheduler: str,
    reduction_factor: int,
    min_epochs: int,
    min_trials: int,
    stops: bool,
    as_json: bool,
) -> None:
    """Show what early stopping would have saved and found.

    A finished job's curves run again through a scheduler, in several orders of the trials.
    """
    found = client.replay(
        job, scheduler, reduction_factor=reduction_factor, min_epochs=min_epochs,
        min_trials=min_trials, stops=stops,
    )  # fmt: skip
    if as_json:
        emit_json(found)
        return
    short = f"{found.short_epochs} each, then the best {found.short_best}"
    table(
        ["stopping", "epochs#", "time#", "winner's rank#", "at worst#", "best found#"],
        [
            ["none", str(found.epochs), duration(found.seconds), "1", "1", ABSENT],
            _row(scheduler, found.stopping),
            _row(short, found.short_run),
        ],
    )
    for finding in found.findings:
        note(finding)


def _row(name: str, found: ReplayedView) -> list[str]:
    median, worst = found.median_rank, found.worst_rank
    return [
        name,
        f"{found.epochs:.0f}",
        duration(found.seconds),
        ABSENT if median is None else f"{median:g}",
        ABSENT if worst is None else str(worst),
        f"{found.found_best} of {found.orders}",
    ]
