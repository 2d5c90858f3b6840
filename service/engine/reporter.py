"""Checks what a trainable reports after each epoch and sends it to the driver."""

from __future__ import annotations

import math
import operator
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, SupportsIndex

from service.engine.messages import Epoch, Message, Wish
from trainables.contract import Metric, State


class DivergedError(Exception):
    """A metric was NaN or infinite: the training has diverged."""


class SegmentStop(BaseException):
    """Ends a trainable before its last epoch; no ``except Exception`` of its own may catch it."""


class Driver(Protocol):
    """What a segment sends its messages and states to."""

    def send(self, message: Message) -> None:
        """Send a message to the driver."""

    def wish(self, epoch: int, *, can_resume: bool) -> Wish:
        """Return what is wanted after that epoch, whose state is offered.

        A trial that cannot be resumed is never to stop.
        """

    def keep(self, state: State, epoch: int, seconds: float) -> bool:
        """Store a checkpoint; return whether that went well."""


_LEARNING_RATE = re.compile(r"learning[-_.]?rate|(^|[-_.])lr$", re.IGNORECASE)


def learning_rate_name(names: Iterable[str]) -> str:
    """Return the first of the parameters' names that is a learning rate's, or ""."""
    return next(filter(_LEARNING_RATE.search, names), "")


@dataclass(slots=True)
class Reporter:
    """The ``report`` callable of one segment, a :class:`trainables.contract.Report`.

    ``metrics`` are those that the job compares, which the epoch ``until``, the last of the segment
    (0: of the trial), must have. ``may_stop`` says that a trial may be stopped which offers no
    state. ``learning_rate`` is the name of the parameter to lower when the training diverges, if
    there is one. ``reported`` epochs, in ``seconds`` of training, are done before the segment
    begins. Time is counted from the moment when the reporter was built. ``can_resume`` says whether
    the trainable can go on from its states, ``early_end`` whether it may return before the last
    epoch.
    """

    metrics: Sequence[str]
    epochs: int
    driver: Driver
    clock: Callable[[], float] = time.monotonic
    learning_rate: str = ""
    reported: int = 0
    seconds: float = 0.0
    can_resume: bool = True
    until: int = 0
    may_stop: bool = False
    early_end: bool = False
    resumed_from: int = field(init=False)
    names: set[str] = field(default_factory=set)
    last: Mapping[str, float] = field(default_factory=dict)
    started: float = field(init=False)

    def __post_init__(self) -> None:
        """Start the clock."""
        self.until = self.until or self.epochs
        self.started = self.clock() - self.seconds
        self.resumed_from = self.reported

    def __call__(
        self,
        epoch: int,
        metrics: Mapping[str, float],
        *,
        engine: str = "",
        state: Callable[[], State] | None = None,
    ) -> None:
        """Send the metrics of the next epoch, and store its state if that is wanted.

        Raises :class:`DivergedError` for a value that is not finite, and ``ValueError`` for another
        epoch than the next one, for a name that no metric can have, or if the segment's last epoch
        lacks a metric that the job compares. Raises :class:`SegmentStop` where the segment
        is to end here.
        """
        epoch = self._next(epoch)
        values = {name: float(value) for name, value in metrics.items()}
        self._check(epoch, values)
        seconds = self.clock() - self.started
        self.driver.send(Epoch(epoch, values, seconds, engine))
        self.reported = epoch
        is_to_end = epoch == self.until < self.epochs
        if state is None and not (self.may_stop or is_to_end):
            return
        wish = self.driver.wish(epoch, can_resume=self.can_resume and state is not None)
        stored = False
        if wish.checkpoint and state is not None:
            stored = self.driver.keep(state(), epoch, seconds)
        if wish.end or (wish.stop and stored):
            raise SegmentStop

    def _check(self, epoch: int, values: Mapping[str, float]) -> None:
        for name in values.keys() - self.names:
            Metric(name, name, "", "none")  # what no metric can be called is refused here
        self.names |= values.keys()
        self.last = values
        if epoch in (self.epochs, self.until):
            self._check_last(epoch)
        for name, value in values.items():
            if not math.isfinite(value):
                advice = f"; try a lower {self.learning_rate}" if self.learning_rate else ""
                raise DivergedError(
                    f"{name} was {value} in epoch {epoch}: the training diverged{advice}"
                )

    def _check_last(self, epoch: int) -> None:
        missing = [name for name in self.metrics if name not in self.last]
        if missing:
            raise ValueError(
                f"the trainable reported {sorted(self.last)} in its last epoch, {epoch}, where the "
                f"job compares {missing[0]}: report that metric too"
            )

    def check_complete(self) -> None:
        """Raise ``ValueError`` unless every epoch was reported, or the trainable may end early."""
        if self.early_end and self.reported:
            if self.reported > self.resumed_from:
                self._check_last(self.reported)
        elif self.reported != self.epochs:
            raise ValueError(
                f"the trainable returned after it had reported {self.reported} of {self.epochs} "
                "epochs: report each of them once, by the report that the function is given "
                "(in a trial, ray.tune.report is not connected)"
            )

    def _next(self, epoch: SupportsIndex) -> int:
        """Return the epoch as an int (a user's may be a numpy integer); refuse any but the next."""
        wanted = self.reported + 1
        try:
            whole = operator.index(epoch)
        except TypeError:
            whole = None
        if whole == 1 and wanted == self.resumed_from + 1 > 1:
            raise ValueError(
                f"the trainable was resumed after epoch {self.resumed_from} and reported epoch 1: "
                "with a state to resume, go on from the epoch after resume['epoch']"
            )
        if whole != wanted or wanted > self.epochs:
            raise ValueError(
                f"the trainable reported epoch {epoch!r} after {self.reported} of {self.epochs} "
                "epochs: report each of them once, as whole numbers from 1"
            )
        return wanted
