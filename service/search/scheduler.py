"""What a scheduler is: it decides how far each trial trains.

A scheduler knows trials by their numbers and their values by epoch. The values are losses: lower is
better. It is pure: the same calls give the same answers, so that a search which is taken over
promotes the same trials as one that was not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

#: Losses from here on are those of trials that violate a constraint: they are behind all others.
FORBIDDEN = 1e200


class Action(StrEnum):
    """What becomes of a trial after an epoch that it has reported."""

    CONTINUE = "continue"
    #: It waits with a checkpoint until it is promoted, if it ever is.
    PAUSE = "pause"
    #: It has ended.
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Promotion:
    """A paused trial that goes on, up to and including epoch ``until``."""

    number: int
    until: int


class Scheduler(Protocol):
    """Decides how far each trial trains."""

    def begin(self, number: int) -> int:
        """Take a trial; return the epoch up to which it trains before it may pause.

        The trial is new, or one of a former run that has not ended. For one of these that is paused
        at a rung, return the epoch that it has reached.
        """

    def report(self, number: int, epoch: int, loss: float) -> Action:
        """Take a trial's loss after an epoch.

        PAUSE is answered only at the epoch up to which the trial was to train, and never at the
        last one of all.
        """

    def remove(self, number: int) -> None:
        """Take out a trial that has failed: it is never promoted."""

    def end(self, number: int, loss: float) -> None:
        """Take that a trial has succeeded, with its last loss: at the last epoch, or by itself."""

    def promote(self, *, running: Collection[int] | None = None) -> Promotion | None:
        """Return a paused trial that is good enough to go on now, None if there is none.

        ``running`` is given once no new trial is to begin: those that are on their way. Then the
        best paused trial goes on of those that are compared with each other and of which none runs,
        unless one of them has ended and is as good, as to the constraints.
        """

    def can_begin(self) -> bool:
        """Whether a new trial may begin now."""

    def rungs(self) -> Mapping[int, Mapping[int, float]]:
        """Return the losses at each epoch at which trials are compared: by epoch, then by number.

        The last epoch of all is one of them. The mapping is no copy: it follows what is reported.
        """

    def restore(
        self, losses: Mapping[int, Mapping[int, float]], *, running: Collection[int] = ()
    ) -> None:
        """Take the trials of a former run before any other call: their losses by epoch, by number.

        ``losses`` holds every epoch that a trial has reported. ``running`` are those that were
        training then, or waited for a slot to go on: where the last epoch of such a trial is that
        of a rung, it had been promoted from there. A trial that is not one of them and whose last
        epoch is that of a rung is paused there. The others go on by ``begin``.
        """


class RunToTheEnd:
    """The scheduler called ``none``: every trial trains all its ``epochs``."""

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        self._ends: dict[int, float] = {}

    def begin(self, number: int) -> int:  # noqa: ARG002 - the protocol's signature
        """Return the last epoch."""
        return self._epochs

    def report(self, number: int, epoch: int, loss: float) -> Action:
        """Go on."""
        if epoch == self._epochs:
            self._ends[number] = loss
        return Action.CONTINUE

    def remove(self, number: int) -> None:
        """Forget the trial."""
        self._ends.pop(number, None)

    def end(self, number: int, loss: float) -> None:
        """Do nothing: all train to their ends."""

    def promote(
        self,
        *,
        running: Collection[int] | None = None,  # noqa: ARG002 - the protocol's signature
    ) -> Promotion | None:
        """Return None: no trial pauses."""
        return None

    def can_begin(self) -> bool:
        """Return that any number of trials may run."""
        return True

    def rungs(self) -> Mapping[int, Mapping[int, float]]:
        """Return the losses at the last epoch."""
        return {self._epochs: self._ends}

    def restore(
        self,
        losses: Mapping[int, Mapping[int, float]],
        *,
        running: Collection[int] = (),  # noqa: ARG002 - the protocol's signature
    ) -> None:
        """Take the losses of trials that have trained all epochs."""
        for number, by_epoch in losses.items():
            if self._epochs in by_epoch:
                self._ends[number] = by_epoch[self._epochs]
