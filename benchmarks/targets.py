"""Our targets, and whether the measurements reach them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from benchmarks.records import Part

#: By workload: the engine's demanded speed as a multiple of the plain loop's, and the goal.
ENGINES = {
    "Ames linear regression, 349": (9.0, 14.0),
    "Ames network, 348-150-1": (18.0, 30.0),
    "perceptron, 10x785": (1.5, 4.5),
    "logistic regression, 10x785": (3.5, 11.0),
    "network, 784-200-10": (12.0, 20.0),
    "logistic regression, SGD": (28.0, 60.0),
    "one hidden layer, SGD": (14.0, 25.0),
    "one hidden layer, Adam": (16.0, 35.0),
    "one hidden layer, Adam, plain loop flushing": (10.0, 20.0),
    "two hidden layers, SGD": (8.5, 13.0),
    "three hidden layers, SGD": (7.0, 10.0),
}
#: By figure: its upper limit.
LIMITS = {
    "12 x q2_neural_regression, 150 epochs: service / (training seconds / 2)": 1.10,
    "12 x q4_feedforward, 20 epochs: service / (training seconds / 2)": 1.10,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The median and range of a ratio that has a target.

    With ``goal`` None, ``demanded`` is an upper limit, else a lower one.
    """

    name: str
    demanded: float
    goal: float | None
    reached: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """Return what the median reaches: "goal", "target" or "missed"."""
        if self.goal is None:
            return "target" if self.reached <= self.demanded else "missed"
        if self.reached >= self.goal:
            return "goal"
        return "target" if self.reached >= self.demanded else "missed"


def outcomes(parts: Iterable[Part]) -> list[Outcome]:
    """Return the outcome of each target that the parts have a measurement for."""
    return [outcome for part in parts for outcome in (*_engines(part), *_limits(part))]


def _engines(part: Part) -> Iterator[Outcome]:
    for row in part.engines:
        if row.engine == "compiled" and row.workload in ENGINES:
            demanded, goal = ENGINES[row.workload]
            yield Outcome(row.workload, demanded, goal, row.ratio, row.ratio_low, row.ratio_high)


def _limits(part: Part) -> Iterator[Outcome]:
    for figure in part.figures:
        if figure.name in LIMITS:
            low, high = min(figure.values), max(figure.values)
            yield Outcome(figure.name, LIMITS[figure.name], None, figure.median, low, high)
