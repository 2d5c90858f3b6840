"""Checks what a trainable reports after each epoch and sends it to the driver."""

from __future__ import annotations

import math
import operator
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import SupportsIndex

from service.engine.messages import Epoch
from trainables.contract import Metric, State


class DivergedError(Exception):
    """A metric was NaN or infinite: the training has diverged."""


_LEARNING_RATE = re.compile(r"learning[-_.]?rate|(^|[-_.])lr$", re.IGNORECASE)


def learning_rate_name(names: Iterable[str]) -> str:
    """Return the first of the parameters' names that is a learning rate's, or ""."""
    return next(filter(_LEARNING_RATE.search, names), "")


@dataclass(slots=True)
class Reporter:
    """The ``report`` callable of one trial, a :class:`trainables.contract.Report`.

    ``metric`` is the one that the job compares, which the last epoch must have. ``learning_rate``
    is the name of the parameter to lower when the training diverges, if there is one. Seconds are
    counted from the moment when the reporter was built.
    """

    metric: str
    epochs: int
    send: Callable[[Epoch], None]
    clock: Callable[[], float] = time.monotonic
    learning_rate: str = ""
    reported: int = 0
    names: set[str] = field(default_factory=set)
    started: float = field(init=False)

    def __post_init__(self) -> None:
        """Start the clock."""
        self.started = self.clock()

    def __call__(
        self,
        epoch: int,
        metrics: Mapping[str, float],
        *,
        engine: str = "",
        state: Callable[[], State] | None = None,  # noqa: ARG002 - no checkpoints yet
    ) -> None:
        """Send the metrics of the next epoch.

        Raises :class:`DivergedError` for a value that is not finite, and ``ValueError`` for another
        epoch than the next one, for a name that no metric can have, or if the last epoch lacks the
        job's metric.
        """
        epoch = self._next(epoch)
        values = {name: float(value) for name, value in metrics.items()}
        for name in values.keys() - self.names:
            Metric(name, name, "", "none")  # what no metric can be called is refused here
        self.names |= values.keys()
        if epoch == self.epochs and self.metric not in values:
            raise ValueError(
                f"the trainable reported {sorted(values)} in its last epoch, {epoch}, where the "
                f"job compares {self.metric}: report that metric too"
            )
        for name, value in values.items():
            if not math.isfinite(value):
                advice = f"; try a lower {self.learning_rate}" if self.learning_rate else ""
                raise DivergedError(
                    f"{name} was {value} in epoch {epoch}: the training diverged{advice}"
                )
        seconds = self.clock() - self.started
        self.send(Epoch(epoch, values, values.get(self.metric), seconds, engine))
        self.reported = epoch

    def check_complete(self) -> None:
        """Raise ``ValueError`` unless every epoch has been reported."""
        if self.reported != self.epochs:
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
        if whole != wanted or wanted > self.epochs:
            raise ValueError(
                f"the trainable reported epoch {epoch!r} after {self.reported} of {self.epochs} "
                "epochs: report each of them once, as whole numbers from 1"
            )
        return wanted
