"""What a search is measured on: a space, and the losses of each of its configurations by epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from search_spaces import SearchSpace, Value

Configuration = Mapping[str, Value]
#: Losses of a training after its epochs 1, 2, ...; lower is better.
Curve = Sequence[float]


@dataclass(frozen=True, slots=True)
class Problem:
    """A table or a surrogate of trainings on one data set.

    ``curve(configuration, seed)`` returns the losses that a training with this seed reports, and
    with seed None the true ones: their mean over all seeds that the table has. A regret of 0 is the
    true final loss ``best``, a regret of 1 is ``typical``.
    """

    name: str
    space: SearchSpace
    curve: Callable[[Configuration, int | None], Curve]
    best: float
    typical: float

    @property
    def family(self) -> str:
        """What comes before the slash in the name: the collection of data sets."""
        return self.name.partition("/")[0]

    def regret(self, configuration: Configuration, epoch: int) -> float:
        """Return the true regret of a configuration that was trained to ``epoch``."""
        loss = self.curve(configuration, None)[epoch - 1]
        return (loss - self.best) / (self.typical - self.best)
