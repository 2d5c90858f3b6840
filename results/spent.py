"""What a job has spent, and on what: trials, epochs and seconds of training."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from results.records import TrialRecord
from results.states import Purpose, TrialState


@dataclass(frozen=True, slots=True)
class Amount:
    """Trials that have trained, their epochs, and the seconds that these took, over all slots."""

    trials: int
    epochs: int
    seconds: float

    @classmethod
    def of(cls, trials: Iterable[TrialRecord]) -> Amount:
        """Return what these trials have trained; those that have not begun do not count."""
        begun = [trial for trial in trials if trial.attempt > 0]
        seconds = math.fsum(trial.seconds for trial in begun)
        return cls(len(begun), sum(trial.trained for trial in begun), seconds)

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            self.trials + other.trials, self.epochs + other.epochs, self.seconds + other.seconds
        )


@dataclass(frozen=True, slots=True)
class Spent:
    """What a job has spent.

    ``useful``: search trials that succeeded or may yet. ``stopped``: those that were ended early,
    by a scheduler, a budget or a cancellation. ``failed``: those that failed. ``confirming``:
    trials that ran the best configurations again. ``repeated``: what was trained when a process
    was lost or a trial failed, and was trained again; its trials count in the others as well, its
    epochs and seconds do not.
    """

    useful: Amount
    stopped: Amount
    failed: Amount
    confirming: Amount
    repeated: Amount

    @property
    def total(self) -> Amount:
        """Everything; each trial counts once."""
        parts = (self.useful, self.stopped, self.failed, self.confirming)
        lost = Amount(0, self.repeated.epochs, self.repeated.seconds)
        return sum(parts, start=lost)


def spent(
    trials: Iterable[TrialRecord], repeated: Mapping[int, tuple[int, float]] | None = None
) -> Spent:
    """Return what the trials of a job have spent.

    ``repeated`` is what :meth:`results.store.Store.repeated` returns; nothing where it is left out.
    """
    kinds: dict[str, list[TrialRecord]] = {}
    for trial in trials:
        kinds.setdefault(_kind(trial), []).append(trial)
    lost = (repeated or {}).values()
    return Spent(
        useful=Amount.of(kinds.get("useful", ())),
        stopped=Amount.of(kinds.get("stopped", ())),
        failed=Amount.of(kinds.get("failed", ())),
        confirming=Amount.of(kinds.get("confirming", ())),
        repeated=Amount(len(lost), sum(e for e, _ in lost), math.fsum(s for _, s in lost)),
    )


def _kind(trial: TrialRecord) -> str:
    if trial.purpose is Purpose.CONFIRM:
        return "confirming"
    if trial.state in (TrialState.STOPPED, TrialState.CANCELLED):
        return "stopped"
    return "failed" if trial.state is TrialState.FAILED else "useful"
