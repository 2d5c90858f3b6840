"""A rung: an epoch after which trials are compared, with their losses in order.

Which epochs these are says :func:`search_spaces.rung_epochs`.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Mapping


class Rung:
    """The trials that have reached one epoch; some of them are paused there.

    Of equal losses the trial with the lower number is better; a loss that is not finite is worse
    than any other. Each call takes O(log n) comparisons for n trials (inserting moves pointers).
    ``losses`` may be shared with rungs of other trials at the same epoch.
    """

    __slots__ = ("_losses", "_order", "_paused")

    def __init__(self, losses: dict[int, float] | None = None) -> None:
        self._losses = {} if losses is None else losses
        #: (loss, number), best first: of all trials, and of those that are paused here.
        self._order: list[tuple[float, int]] = []
        self._paused: list[tuple[float, int]] = []

    @property
    def losses(self) -> Mapping[int, float]:
        """The losses by trial, those of rungs that share them too; infinity for one not finite."""
        return self._losses

    def add(self, number: int, loss: float) -> None:
        """Take a trial's loss at this rung, in place of a former one."""
        if number in self._losses:
            self.remove(number)
        key = (loss if math.isfinite(loss) else math.inf, number)
        self._losses[number] = key[0]
        insort(self._order, key)

    def pause(self, number: int) -> None:
        """Let a trial, whose loss is known, wait here."""
        insort(self._paused, (self._losses[number], number))

    def remove(self, number: int) -> None:
        """Forget a trial, if it is known."""
        loss = self._losses.pop(number, None)
        if loss is not None:
            _discard(self._order, (loss, number))
            _discard(self._paused, (loss, number))

    def is_among_best(self, number: int, reduction_factor: int) -> bool:
        """Whether a trial is one of the best ``n // reduction_factor`` of the ``n`` trials here."""
        key = (self._losses[number], number)
        best = len(self._order) // reduction_factor
        return key[0] < math.inf and bisect_left(self._order, key, hi=best) < best

    def best_paused(self) -> tuple[float, int] | None:
        """Return the loss and number of the best paused trial with a finite loss, None if none."""
        if not self._paused or self._paused[0][0] == math.inf:
            return None
        return self._paused[0]

    def resume(self, number: int) -> None:
        """Take a trial that goes on out of those paused here."""
        _discard(self._paused, (self._losses[number], number))

    def __len__(self) -> int:
        return len(self._order)


def _discard(keys: list[tuple[float, int]], key: tuple[float, int]) -> None:
    at = bisect_left(keys, key)
    if at < len(keys) and keys[at] == key:
        del keys[at]
