"""ASHA: asynchronous successive halving, by promotion and by stopping.

Promotion is Algorithm 2 of Li et al., "A System for Massively Parallel Hyperparameter Tuning"
(MLSys 2020, arXiv:1810.05934). Stopping, for trainables that cannot resume, is the stopping type in
Klein et al., "Model-based Asynchronous Hyperparameter and Neural Architecture Search" (2020,
arXiv:2003.10865).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Collection, Mapping
from typing import NamedTuple

from search_spaces import rung_epochs
from service.search.rung import Rung
from service.search.scheduler import FORBIDDEN, Action, Promotion


class Candidate(NamedTuple):
    """A paused trial that could go on from its rung."""

    epoch: int
    loss: float
    number: int

    @property
    def is_allowed(self) -> bool:
        """Whether it keeps the constraints."""
        return self.loss < FORBIDDEN

    @property
    def order(self) -> tuple[bool, int, float, int]:
        """The key that sorts the one to promote first.

        It is one that keeps the constraints, at the highest epoch, then the best.
        """
        return not self.is_allowed, -self.epoch, self.loss, self.number


class Asha:
    """Pauses every trial at each rung and promotes the best ``1 / reduction_factor`` of a rung.

    The rungs are the epochs ``min_epochs * reduction_factor**k`` and the last one, ``epochs``. The
    best paused trial of the highest rung that has one to promote goes on first. ``losses``, by
    epoch and number, may be shared with schedulers of other trials.

    Raises:
        ValueError: If ``min_epochs`` or ``epochs`` is below 1, or ``reduction_factor`` below 2.
    """

    def __init__(
        self,
        *,
        epochs: int,
        reduction_factor: int = 3,
        min_epochs: int = 1,
        losses: Mapping[int, dict[int, float]] | None = None,
    ) -> None:
        self._factor = reduction_factor
        self._epochs = rung_epochs(min_epochs, reduction_factor, epochs)
        self._losses = losses or {epoch: {} for epoch in self._epochs}
        self._rungs = {epoch: Rung(self._losses[epoch]) for epoch in self._epochs}
        #: The last losses of trials that have succeeded.
        self._ends: dict[int, float] = {}
        #: The epoch at which each trial is compared next; it passes the rungs before.
        self._next: dict[int, int] = {}

    def begin(self, number: int) -> int:
        """Take a new trial, which trains up to the first rung, or one that was interrupted.

        A trial of a former run that is paused has no more to train: the epoch is its last one.
        """
        return self._next.setdefault(number, self._epochs[0])

    def report(self, number: int, epoch: int, loss: float) -> Action:
        """Take a trial's loss after an epoch: at the rung up to which it was to train, it pauses.

        A trial that was started again passes the rungs from which it had been promoted; its first
        loss counts there.
        """
        rung = self._rungs.get(epoch)
        if rung is None or epoch < self._next[number]:
            return Action.CONTINUE
        rung.add(number, loss)
        if epoch == self._epochs[-1]:
            return Action.CONTINUE
        rung.pause(number)
        return Action.PAUSE

    def remove(self, number: int) -> None:
        """Take a trial that has failed out of all rungs."""
        for rung in self._rungs.values():
            rung.remove(number)
        self._next.pop(number, None)
        self._ends.pop(number, None)

    def end(self, number: int, loss: float) -> None:
        """Take that a trial has succeeded, at the last epoch or by itself."""
        self._ends[number] = loss

    def promote(self, *, running: Collection[int] | None = None) -> Promotion | None:
        """Return the best paused trial of the highest rung that has one among its best.

        Once no new trial is to begin and none is ``running``, any paused trial may go on unless one
        has ended that is as good, as to the constraints.
        """
        found = self.candidate()
        if found is None and running is not None and not running:
            found = self.candidate(any_paused=True)
            if found is not None and self.has_end(is_allowed=found.is_allowed):
                return None
        return found and self.go_on(found)

    def can_begin(self) -> bool:
        """Return that any number of trials may begin."""
        return True

    def rungs(self) -> Mapping[int, Mapping[int, float]]:
        """Return the losses at each rung, by epoch and number; they follow what is reported."""
        return self._losses

    def restore(
        self, losses: Mapping[int, Mapping[int, float]], *, running: Collection[int] = ()
    ) -> None:
        """Take the trials of a former run: their losses by epoch, by number.

        A trial waits at a rung if that is its last epoch and it was not ``running`` when the former
        run ended. The others go on by :meth:`begin`.
        """
        for number, by_epoch in losses.items():
            for epoch in self._epochs:
                if epoch in by_epoch:
                    self._rungs[epoch].add(number, by_epoch[epoch])
            if by_epoch:
                self._place(number, max(by_epoch), is_running=number in running)

    def has_end(self, *, is_allowed: bool) -> bool:
        """Whether a trial has succeeded, and keeps the constraints if asked to."""
        return any(loss < FORBIDDEN or not is_allowed for loss in self._ends.values())

    def candidate(self, *, any_paused: bool = False) -> Candidate | None:
        """Return the best paused trial of the highest rung that has one among its best.

        With ``any_paused`` it need not be among the best. One that keeps the constraints goes
        before all that do not.
        """
        factor = 1 if any_paused else self._factor
        candidates = (
            Candidate(epoch, *found)
            for epoch, rung in self._rungs.items()
            if epoch != self._epochs[-1]
            and (found := rung.best_paused()) is not None
            and rung.is_among_best(found[1], factor)
        )
        return min(candidates, key=lambda candidate: candidate.order, default=None)

    def go_on(self, candidate: Candidate) -> Promotion:
        """Promote a candidate."""
        self._rungs[candidate.epoch].resume(candidate.number)
        until = self._epochs[bisect_right(self._epochs, candidate.epoch)]
        self._next[candidate.number] = until
        return Promotion(candidate.number, until)

    def _place(self, number: int, last: int, *, is_running: bool) -> None:
        """Let a trial of a former run wait where it is, or go on."""
        if last >= self._epochs[-1]:
            self._next[number] = self._epochs[-1]
        elif last in self._rungs and not is_running:
            self._next[number] = last
            self._rungs[last].pause(number)
        else:
            self._next[number] = self._epochs[bisect_right(self._epochs, last)]


class StoppingAsha(Asha):
    """Stops every trial that is not among the best ``1 / reduction_factor`` when it is at a rung.

    A trial is compared with those that have reached the rung before it. It goes on where they are,
    with it, fewer than ``reduction_factor``. Nothing pauses, so trainables need not resume.
    """

    def begin(self, number: int) -> int:
        """Return the last epoch."""
        self._next.setdefault(number, 1)
        return self._epochs[-1]

    def report(self, number: int, epoch: int, loss: float) -> Action:
        """Take a trial's loss after an epoch: STOP at a rung where it is not among the best.

        A trial that was started again passes the rungs where it had gone on.
        """
        rung = self._rungs.get(epoch)
        if rung is None or epoch < self._next[number]:
            return Action.CONTINUE
        rung.add(number, loss)
        is_good = len(rung) < self._factor or rung.is_among_best(number, self._factor)
        if epoch < self._epochs[-1] and not (is_good and math.isfinite(loss)):
            return Action.STOP
        self._next[number] = epoch + 1
        return Action.CONTINUE

    def _place(self, number: int, last: int, *, is_running: bool) -> None:  # noqa: ARG002
        """Note that a trial of a former run had gone on from every epoch that it reported.

        One that was stopped has ended: that is recorded together with the report.
        """
        self._next[number] = last + 1
