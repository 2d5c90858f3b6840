"""Asynchronous Hyperband: brackets of ASHA that begin to compare at different epochs.

Brackets and their sizes are those of Hyperband (Li et al., "Hyperband: A Novel Bandit-Based
Approach to Hyperparameter Optimization", JMLR 2018, Algorithm 1). Each runs ASHA instead of
successive halving (Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from itertools import accumulate

from search_spaces import rung_epochs
from service.search.asha import Asha, Candidate, StoppingAsha
from service.search.scheduler import Action, Promotion

#: Multiples of it, modulo 1, spread evenly whatever their number (Knuth, TAOCP 3, section 6.4).
_GOLDEN = (math.sqrt(5) - 1) / 2


def bracket_shares(brackets: int, reduction_factor: int) -> tuple[float, ...]:
    """Return which part of all trials belongs to each bracket, the one that stops most first.

    The parts are such that all brackets train about the same number of epochs (Li et al. 2018,
    Algorithm 1, line 3: a bracket that can reduce ``s`` times has ``reduction_factor**s / (s + 1)``
    trials, as a multiple of the same number).
    """
    sizes = [reduction_factor**s / (s + 1) for s in reversed(range(brackets))]
    return tuple(size / sum(sizes) for size in sizes)


class Hyperband:
    """Hedges against rungs that come too early: some trials are first compared later, or never.

    The first bracket compares at the epochs ``min_epochs * reduction_factor**k`` from k = 0 on, the
    next one from k = 1 on, and so forth; the last one trains its trials to the last epoch at once.
    A trial's bracket follows from its number alone. Trials are compared within their bracket.
    ``stops`` says that they are stopped rather than paused and promoted.

    Raises:
        ValueError: If ``min_epochs`` or ``epochs`` is below 1, or ``reduction_factor`` below 2.
    """

    def __init__(
        self, *, epochs: int, reduction_factor: int = 3, min_epochs: int = 1, stops: bool = False
    ) -> None:
        firsts = rung_epochs(min_epochs, reduction_factor, epochs)
        self._losses: dict[int, dict[int, float]] = {epoch: {} for epoch in firsts}
        make: type[Asha] = StoppingAsha if stops else Asha
        self._brackets = [
            make(
                epochs=epochs,
                reduction_factor=reduction_factor,
                min_epochs=first,
                losses=self._losses,
            )
            for first in firsts
        ]
        shares = bracket_shares(len(firsts), reduction_factor)
        self._bounds = list(accumulate(shares))[:-1]

    def bracket(self, number: int) -> int:
        """Return a trial's bracket, 0 for the one that compares first."""
        return bisect_right(self._bounds, number * _GOLDEN % 1.0)

    def begin(self, number: int) -> int:
        """Take a trial into its bracket; return the epoch up to which it trains there."""
        return self._of(number).begin(number)

    def report(self, number: int, epoch: int, loss: float) -> Action:
        """Return what the trial's bracket makes of it."""
        return self._of(number).report(number, epoch, loss)

    def remove(self, number: int) -> None:
        """Take a trial that has failed out of its bracket."""
        self._of(number).remove(number)

    def end(self, number: int, loss: float) -> None:
        """Take that a trial has succeeded in its bracket."""
        self._of(number).end(number, loss)

    def promote(self, *, running: Collection[int] | None = None) -> Promotion | None:
        """Return the paused trial to promote at the highest epoch in any bracket, the best there.

        Once no new trial is to begin, it is also the best paused one of a bracket of which none is
        ``running`` and none has ended that is as good, as to the constraints: each bracket trains
        one of its own to the end, as successive halving does in the paper's.
        """
        found = _first((bracket, bracket.candidate()) for bracket in self._brackets)
        if found is None and running is not None:
            busy = {self.bracket(number) for number in running}
            found = _first(
                (bracket, candidate)
                for at, bracket in enumerate(self._brackets)
                if at not in busy
                and (candidate := bracket.candidate(any_paused=True)) is not None
                and not bracket.has_end(is_allowed=candidate.is_allowed)
            )
        return found and found[0].go_on(found[1])

    def can_begin(self) -> bool:
        """Return that any number of trials may begin."""
        return True

    def rungs(self) -> Mapping[int, Mapping[int, float]]:
        """Return the losses at the rungs of all brackets, by epoch and number."""
        return self._losses

    def restore(
        self, losses: Mapping[int, Mapping[int, float]], *, running: Collection[int] = ()
    ) -> None:
        """Take the trials of a former run into their brackets."""
        for at, bracket in enumerate(self._brackets):
            own = {n: by_epoch for n, by_epoch in losses.items() if self.bracket(n) == at}
            bracket.restore(own, running=running)

    def _of(self, number: int) -> Asha:
        return self._brackets[self.bracket(number)]


def _first(
    candidates: Iterable[tuple[Asha, Candidate | None]],
) -> tuple[Asha, Candidate] | None:
    """Return the bracket and the trial to promote first, None if there is none."""
    found = [(bracket, candidate) for bracket, candidate in candidates if candidate is not None]
    return min(found, key=lambda each: each[1].order, default=None)
