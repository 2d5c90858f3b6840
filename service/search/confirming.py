"""Which (configuration, seed) runs next to find out whether a search's winner is real.

The best configurations and the default run again, all with the same further seeds, in rounds of one
seed each. After a round a candidate that is clearly worse than the leader drops out, so that most
seeds are spent where it is close (:mod:`results.racing` has the rule and its source).

The trial by which the search chose a candidate does not count: its value is high *because* it
chose, so it flatters every candidate, and most the one that owes its place to luck (selection
bias, or the winner's curse). Only values that had no part in the choice are compared.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from results.racing import Pair, survivors

_SEEDS_IN_ALL = 2**32


class Seeds(Protocol):
    """What this module asks of a declared ``confirm``."""

    @property
    def seeds(self) -> int:
        """With how many seeds each candidate runs at most."""


def confirmation_seeds(confirm: Seeds, seed: int, repeats: int = 1) -> tuple[int, ...]:
    """Return the seeds of a confirmation: those behind the ``repeats`` seeds of the search.

    ``seed`` (0 to 2**32 - 1) is the job's. None of them has had a part in choosing the candidates.
    """
    return tuple((seed + repeats + i) % _SEEDS_IN_ALL for i in range(confirm.seeds))


class Confirmation:
    """Hands out the trials of a confirmation round by round. Pure: it follows from its losses.

    A candidate is a configuration, named by the number of its first trial. Losses are "lower is
    better"; None stands for a trial that failed. A candidate that fails with a seed drops out: a
    winner must train with every seed. :data:`results.racing.NO_RESULT` stands for a trial that
    failed for a reason outside its configuration: its candidate stays in, without that seed.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        candidates: Sequence[int],
        default: int | None = None,
        losses: Mapping[Pair, float | None] | None = None,
        running: Collection[Pair] = (),
    ) -> None:
        """Begin, or go on after a take-over.

        ``candidates`` are in the order in which they run, the search's best first; ``default`` is
        one more, unless it is among them. ``losses`` are what former trials reported and
        ``running`` the pairs whose trials have not ended, by (configuration, seed); with these the
        decisions are the same as without the take-over. Raises ``ValueError`` for no candidates,
        or seeds that repeat.
        """
        if not candidates or len(set(seeds)) < len(seeds):
            raise ValueError(f"no candidates, or seeds that repeat: {candidates}, {seeds}")
        also = () if default is None else (default,)
        self._candidates = tuple(dict.fromkeys([*candidates, *also]))
        self._seeds = tuple(seeds)
        self._losses = dict(losses or {})
        self._handed = {*self._losses, *running}
        self._left = self._candidates
        self._round = 0
        self._advance()

    def next(self) -> Pair | None:
        """Return the next (configuration, seed) to run, None while the round waits or at the end.

        Several may be handed out before the first is reported, but none beyond the round: the next
        seed is only for those that are still in.
        """
        if self.is_over:
            return None
        seed = self._seeds[self._round]
        waiting = [(c, seed) for c in self._left if (c, seed) not in self._handed]
        if not waiting:
            return None
        self._handed.add(waiting[0])
        return waiting[0]

    def report(self, configuration: int, seed: int, loss: float | None) -> None:
        """Take the loss of a trial that has ended, None if it failed, or ``NO_RESULT``."""
        self._losses[configuration, seed] = loss
        self._handed.add((configuration, seed))
        self._advance()

    @property
    def is_over(self) -> bool:
        """Whether all seeds are spent, or at most one candidate is left."""
        return self._round == len(self._seeds) or len(self._left) < 2

    @property
    def at_once(self) -> int:
        """How many trials of the present round have not ended, those that run included."""
        if self.is_over:
            return 0
        seed = self._seeds[self._round]
        return sum((candidate, seed) not in self._losses for candidate in self._left)

    @property
    def left(self) -> tuple[int, ...]:
        """The candidates that have not dropped out, in the order given."""
        return self._left

    @property
    def to_come(self) -> frozenset[Pair]:
        """The pairs that may still end, those that run included.

        It only shrinks: each candidate that drops out takes its further seeds with it.
        """
        seeds = () if self.is_over else self._seeds[self._round :]
        return frozenset((c, s) for s in seeds for c in self._left) - self._losses.keys()

    def _advance(self) -> None:
        """Go on to the next round as long as all of the present one has ended."""
        while not self.is_over:
            seed = self._seeds[self._round]
            if any((candidate, seed) not in self._losses for candidate in self._left):
                return
            self._round += 1
            self._left = survivors(self._left, self._seeds[: self._round], self._losses)
