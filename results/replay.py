"""What early stopping would have cost: a finished job's curves, run again through a scheduler."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from results.formatting import count, duration
from search_spaces import Scheduler

#: A report has the section for jobs with at least so many trials of at least so many epochs.
LEAST_TRIALS, LEAST_EPOCHS = 8, 3
_FROM_THE_START = (
    "The trainable cannot resume: trials are stopped rather than paused, and the best of the short"
    " run are trained again from the start."
)


@dataclass(frozen=True, slots=True)
class Replayed:
    """A way to stop early, over several orders of the trials.

    ``epochs`` and ``seconds`` are means: epochs trained in all, and wall time. ``ranks`` holds, for
    each order, the rank that the trial it calls best has in the job (1 is the job's best); an order
    that ends without a ranked trial has none.
    """

    orders: int
    epochs: float
    seconds: float
    ranks: tuple[int, ...]

    @property
    def found_best(self) -> int:
        """In how many orders the job's best trial would have won."""
        return self.ranks.count(1)

    @property
    def median_rank(self) -> float | None:
        """The median rank of the winner, None if there never was one."""
        return statistics.median(self.ranks) if self.ranks else None

    @property
    def worst_rank(self) -> int | None:
        """The worst rank of the winner, None if there never was one."""
        return max(self.ranks, default=None)

    def to_json(self) -> dict[str, Any]:
        """Return the numbers as the API shows them."""
        names = ("orders", "epochs", "seconds", "found_best", "median_rank", "worst_rank")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Replay:
    """A job's curves through a scheduler, beside what the job trained and the simplest way to stop.

    ``epochs`` were trained by the job, in ``seconds`` of wall time where its trials follow each
    other on ``slots`` slots without a gap. ``short_run``: every trial trains ``short_epochs``
    epochs, then the best ``short_best`` train to the end; it costs about what the scheduler does.
    ``resumes`` says whether the trainable goes on from a state: where it does not, trials are
    stopped rather than promoted, and the best of the short run are trained again from the start.
    """

    scheduler: Scheduler
    trials: int
    slots: int
    epochs: int
    seconds: float
    stopping: Replayed
    short_run: Replayed
    short_epochs: int
    short_best: int
    resumes: bool = True

    @property
    def saved(self) -> float:
        """Which part of the job's epochs the scheduler would not have trained."""
        return 1 - self.stopping.epochs / self.epochs

    def to_json(self) -> dict[str, Any]:
        """Return the replay as the API and the JSON report show it, with the findings."""
        names = ("trials", "slots", "epochs", "seconds", "saved", "short_epochs", "short_best")
        return {
            "scheduler": self.scheduler.to_json(),
            **{name: getattr(self, name) for name in names},
            "stopping": self.stopping.to_json(),
            "short_run": self.short_run.to_json(),
            "resumes": self.resumes,
            "findings": describe(self),
        }


def describe(replay: Replay) -> list[str]:
    """Return the findings in sentences."""
    stopping, short = replay.stopping, replay.short_run
    name = replay.scheduler.name
    orders = (
        "in the job's order of trials"
        if stopping.orders == 1
        else (f"over {stopping.orders} random orders of the trials")
    )
    return [
        f"With the scheduler {name}, {orders}, {100 * replay.saved:.0f} % of the"
        f" {count(replay.epochs, 'epoch')} would have been saved:"
        f" {duration(stopping.seconds)} instead of {duration(replay.seconds)}"
        f" on {count(replay.slots, 'slot')}. {_winners(stopping)}",
        f"The simplest way to stop, {count(replay.short_epochs, 'epoch')} for every trial and then"
        f" the best {replay.short_best} to the end, takes {short.epochs:.0f} epochs."
        f" {_winners(short)}",
        *([] if replay.resumes else [_FROM_THE_START]),
    ]


def _winners(replayed: Replayed) -> str:
    if replayed.median_rank is None:
        return "It ends without a trial that could be ranked."
    if replayed.found_best == replayed.orders:
        return "It finds the same best trial" + (" every time." if replayed.orders > 1 else ".")
    if replayed.orders == 1:
        return f"The trial that it calls best is number {replayed.worst_rank} of the job."
    return (
        f"It finds the same best trial in {replayed.found_best} of {replayed.orders}. The trial"
        f" that it calls best is number {replayed.median_rank:g} of the job in the median, number"
        f" {replayed.worst_rank} at worst."
    )
