"""Population-based training: how far its trials train, and which of them are replaced by copies.

Jaderberg et al., "Population Based Training of Neural Networks" (2017, arXiv:1711.09846), with
truncation selection. The population is compared when all its trials wait at the same epoch, so
that what is decided does not depend on which trial was faster.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import search_spaces
from service.search.scheduler import Action, Promotion


@dataclass(frozen=True, slots=True)
class Selection:
    """Who is replaced after an epoch: the trials ``worst``, by copies of some among ``best``.

    There are ``copies``: they also take the places of trials that have failed.
    """

    epoch: int
    worst: Sequence[int]
    best: Sequence[int]
    copies: int


class Pbt:
    """Pauses every trial after each ``interval`` epochs, until it is decided who is replaced.

    :meth:`select` decides, and lets the others go on.

    Raises:
        ValueError: If ``epochs`` is below 1.
    """

    def __init__(self, declared: search_spaces.Scheduler, *, epochs: int) -> None:
        if epochs < 1:
            raise ValueError(f"epochs must be at least 1, got {epochs}")
        self._population, self._replaced = declared.population, declared.replaced
        self._interval, self._last = declared.interval, epochs
        self._losses: dict[int, dict[int, float]] = {
            epoch: {} for epoch in (*range(self._interval, epochs, self._interval), epochs)
        }
        #: The epoch up to which each trial trains before it may pause.
        self._until: dict[int, int] = {}
        self._released: deque[int] = deque()
        #: The epochs after which it was decided who is replaced.
        self._decided: set[int] = set()

    def join(self, number: int, epoch: int) -> None:
        """Take a trial that goes on from another one's state after ``epoch``, a decision's."""
        self._decided.add(epoch)
        self._until[number] = self._after(epoch)

    def begin(self, number: int) -> int:
        """Take a trial; return the epoch up to which it trains."""
        return self._until.setdefault(number, self._after(0))

    def report(self, number: int, epoch: int, loss: float) -> Action:
        """Take a trial's loss after an epoch: at the one up to which it was to train, it pauses."""
        if epoch not in self._losses or epoch < self._until[number]:
            return Action.CONTINUE
        self._losses[epoch][number] = loss
        return Action.CONTINUE if epoch == self._last else Action.PAUSE

    def remove(self, number: int) -> None:
        """Forget a trial that has failed."""
        for losses in self._losses.values():
            losses.pop(number, None)

    def end(self, number: int, loss: float) -> None:
        """Do nothing: no trial waits for others to end."""

    def promote(
        self,
        *,
        running: Collection[int] | None = None,  # noqa: ARG002 - the protocol's signature
    ) -> Promotion | None:
        """Return a trial that stays in the population after the last decision, None if none waits.

        The others of the population wait with it until all have come to the epoch.
        """
        if not self._released:
            return None
        number = self._released.popleft()
        return Promotion(number, self._until[number])

    def can_begin(self) -> bool:
        """Return that any number of trials may run."""
        return True

    def rungs(self) -> Mapping[int, Mapping[int, float]]:
        """Return the losses at the epochs where the population is compared, and at the last."""
        return self._losses

    def restore(
        self, losses: Mapping[int, Mapping[int, float]], *, running: Collection[int] = ()
    ) -> None:
        """Take the losses of the trials of a former run, after the copies by :meth:`join`.

        A trial waits at the epoch of which it was not yet decided who is replaced: none has gone on
        from there, and none has joined there.
        """
        lasts = {number: max(by_epoch) for number, by_epoch in losses.items() if by_epoch}
        self._decided |= {last for number, last in lasts.items() if number in running}
        furthest = max((*lasts.values(), *self._decided), default=0)
        for number, last in lasts.items():
            for epoch in self._losses.keys() & losses[number].keys():
                self._losses[epoch][number] = losses[number][epoch]
            is_decided = last < furthest or last in self._decided
            self._until[number] = self._after(last) if is_decided else last

    def select(self, waiting: Collection[int], epoch: int, *, done: int) -> Selection:
        """Return who is replaced now that the trials ``waiting`` have all come to ``epoch``.

        The others are let go on by :meth:`promote`. ``done`` trials of the population have ended
        well and keep their places; those that have failed have left theirs.
        """
        losses = self._losses[epoch]
        known = [n for n in waiting if math.isfinite(losses.get(n, math.inf))]
        ordered = sorted(waiting, key=lambda n: (losses.get(n, math.inf), n))
        empty = max(0, self._population - done - len(ordered))
        replaced = min(max(0, self._replaced - empty), len(ordered) // 2) if known else 0
        staying = ordered[: len(ordered) - replaced]
        best = [n for n in staying if n in known][: self._replaced]
        copies = min(empty, self._replaced) + replaced if best else 0
        for number in sorted(staying):
            self._until[number] = self._after(epoch)
            self._released.append(number)
        self._decided.add(epoch)
        return Selection(epoch, ordered[len(staying) :], best, copies)

    def _after(self, epoch: int) -> int:
        """Return the next epoch at which trials pause, or the last one."""
        return min(epoch - epoch % self._interval + self._interval, self._last)
