"""The median stopping rule (Golovin et al., "Google Vizier", KDD 2017, section 3.2.1)."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, insort
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from service.search.scheduler import FORBIDDEN, Action, Promotion

#: At most so many epochs are compared, evenly spread where there are more.
MOST_RUNGS = 1000


@dataclass(slots=True)
class _Course:
    """A trial's best loss so far, and the running average of its losses at each compared epoch.

    Epochs at which it violates a constraint have no part in the averages.
    """

    epoch: int = 0
    best: float = math.inf
    total: float = 0.0
    count: int = 0
    averages: dict[int, float] = field(default_factory=dict)

    def add(self, epoch: int, loss: float) -> None:
        self.epoch = epoch
        self.best = min(self.best, loss)
        if loss < FORBIDDEN:
            self.total += loss
            self.count += 1
        if self.count:
            self.averages[epoch] = self.total / self.count


class MedianStopping:
    """Stops a trial whose best loss is worse than the median of the others' running averages.

    After each epoch from ``min_epochs`` on, a trial's best loss so far is compared with the running
    averages, up to this epoch, of the trials that have trained to the last one, ``epochs``. It is
    stopped if it is worse than their median and they are at least ``min_trials``. Nothing pauses,
    so trainables need not resume.

    Raises:
        ValueError: If ``min_epochs``, ``min_trials`` or ``epochs`` is below 1.
    """

    def __init__(self, *, epochs: int, min_epochs: int = 1, min_trials: int = 5) -> None:
        if min(epochs, min_epochs, min_trials) < 1:
            raise ValueError(
                f"epochs, min_epochs and min_trials must be at least 1, got {epochs}, {min_epochs} "
                f"and {min_trials}"
            )
        self._epochs, self._min_epochs, self._min_trials = epochs, min_epochs, min_trials
        step = math.ceil(epochs / MOST_RUNGS)
        self._losses: dict[int, dict[int, float]] = {
            epoch: {} for epoch in (*range(step, epochs, step), epochs)
        }
        self._courses: dict[int, _Course] = {}
        #: The running averages of the trials that have trained to the end, sorted, by epoch.
        self._averages = {epoch: array("d") for epoch in self._losses}

    def begin(self, number: int) -> int:
        """Return the last epoch."""
        self._courses.setdefault(number, _Course())
        return self._epochs

    def report(self, number: int, epoch: int, loss: float) -> Action:
        """Take a trial's loss after an epoch; an epoch that is trained again changes nothing."""
        course = self._courses[number]
        if epoch <= course.epoch or epoch not in self._losses:
            return Action.CONTINUE
        self._add(number, epoch, loss)
        if epoch < self._epochs and course.best > self._limit(epoch):
            return Action.STOP
        return Action.CONTINUE

    def remove(self, number: int) -> None:
        """Forget a trial that has failed."""
        course = self._courses.pop(number, None)
        if course is not None and course.epoch == self._epochs:
            for epoch, average in course.averages.items():
                averages = self._averages[epoch]
                del averages[bisect_left(averages, average)]
        for losses in self._losses.values():
            losses.pop(number, None)

    def end(self, number: int, loss: float) -> None:
        """Do nothing: no trial waits for others to end."""

    def promote(
        self,
        *,
        running: Collection[int] | None = None,  # noqa: ARG002 - the protocol's signature
    ) -> Promotion | None:
        """Return None: no trial pauses."""
        return None

    def can_begin(self) -> bool:
        """Return that any number of trials may begin."""
        return True

    def rungs(self) -> Mapping[int, Mapping[int, float]]:
        """Return the losses at each compared epoch, by epoch and number."""
        return self._losses

    def restore(
        self,
        losses: Mapping[int, Mapping[int, float]],
        *,
        running: Collection[int] = (),  # noqa: ARG002 - the protocol's signature
    ) -> None:
        """Take the trials of a former run: their losses by epoch, by number."""
        for number, by_epoch in losses.items():
            self.begin(number)
            for epoch in sorted(self._losses.keys() & by_epoch.keys()):
                self._add(number, epoch, by_epoch[epoch])

    def _limit(self, epoch: int) -> float:
        """Return the median of the averages at an epoch; infinity where no trial may be stopped."""
        averages = self._averages[epoch]
        n = len(averages)
        if epoch < self._min_epochs or n < self._min_trials:
            return math.inf
        return (averages[(n - 1) // 2] + averages[n // 2]) / 2

    def _add(self, number: int, epoch: int, loss: float) -> None:
        loss = loss if math.isfinite(loss) else math.inf
        course = self._courses[number]
        course.add(epoch, loss)
        self._losses[epoch][number] = loss
        if epoch == self._epochs:
            for reached, average in course.averages.items():
                insort(self._averages[reached], average)
