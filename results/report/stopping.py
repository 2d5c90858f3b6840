"""The table of what early stopping would have cost."""

from __future__ import annotations

from results.formatting import count, duration
from results.replay import Replay, Replayed
from results.report.tables import Table


def replay_tables(replay: Replay | None) -> list[Table]:
    """Return the table of a replay: what the job trained beside the two ways to stop."""
    if replay is None:
        return []
    short = f"{count(replay.short_epochs, 'epoch')} each, then the best {replay.short_best}"
    rows = (
        ("All epochs of all trials", str(replay.epochs), duration(replay.seconds), "1", "1", ""),
        _row(replay.scheduler.name, replay.stopping),
        _row(short, replay.short_run),
    )
    columns = ("Stopping", "Epochs", "Time", "Rank of the winner", "At worst", "Best found")
    title = f"Stopping early: the job's curves run again on {count(replay.slots, 'slot')}"
    return [Table(title, columns, rows, (False, *[True] * 5))]


def _row(name: str, replayed: Replayed) -> tuple[str, ...]:
    median, worst = replayed.median_rank, replayed.worst_rank
    return (
        name,
        f"{replayed.epochs:.0f}",
        duration(replayed.seconds),
        "" if median is None else f"{median:g}",
        "" if worst is None else str(worst),
        f"{replayed.found_best} of {replayed.orders}",
    )
