"""How often a search's winner is truly the best, and what it costs to find that out.

Many random searches over a table: each configuration is trained with one seed, then the best five
are trained again, with all seeds of the table or in the service's rounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.searches.tables import losses_of
from benchmarks.tables import markdown_table
from service.search.confirming import Confirmation

CONFIGURATIONS = 100
TOP = 5


@dataclass(frozen=True, slots=True)
class Choice:
    """How a winner was chosen.

    ``hits``: the share of searches whose winner was the true best of the configurations.
    ``trainings``: how many more trainings it took, the mean. ``lost``: by how much the winner's
    true loss is above the best one's, in parts of the distance from that to the median, the mean.
    """

    hits: float
    trainings: float
    lost: float


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The choices in ``searches`` searches on one data set, by what was done."""

    dataset: str
    searches: int
    choices: Mapping[str, Choice]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Read the JSON of :meth:`to_json`."""
        choices = {name: Choice(**choice) for name, choice in raw["choices"].items()}
        return cls(raw["dataset"], raw["searches"], choices)


def measure(dataset: str, searches: int) -> Confirmed:
    """Measure one data set of HPOBench-NN; raise ``BenchmarkError`` without its table."""
    losses = losses_of("hpobench", dataset)
    return measure_table(dataset, losses.reshape(-1, losses.shape[-1]), searches)


def measure_table(dataset: str, losses: NDArray[np.float64], searches: int) -> Confirmed:
    """Measure a table of losses, configurations x seeds."""
    random = np.random.default_rng(0)
    found: dict[str, list[tuple[float, float, float]]] = {}
    for _ in range(searches):
        size = min(CONFIGURATIONS, len(losses))
        drawn = losses[random.choice(len(losses), size, replace=False)]
        true = drawn.mean(axis=1)
        scale = float(np.median(true) - true.min()) or 1.0
        seed = int(random.integers(drawn.shape[1]))
        for name, (winner, trainings) in _winners(drawn, seed).items():
            lost = float(true[winner] - true.min())
            found.setdefault(name, []).append((lost == 0, trainings, lost / scale))
    choices = {
        name: Choice(*(round(float(mean), 4) for mean in np.mean(rows, axis=0)))
        for name, rows in found.items()
    }
    return Confirmed(dataset, searches, choices)


def _winners(drawn: NDArray[np.float64], seed: int) -> dict[str, tuple[int, int]]:
    """Return the winner and the number of further trainings, by what was done."""
    order = [int(place) for place in np.argsort(drawn[:, seed], kind="stable")[:TOP]]
    seeds = drawn.shape[1]
    return {
        "one seed": (order[0], 0),
        f"top {TOP}, all {seeds} seeds": (
            min(order, key=lambda place: drawn[place].mean()),
            TOP * seeds,
        ),
        f"top {TOP}, in rounds": _in_rounds(drawn, order, seed),
    }


def _in_rounds(drawn: NDArray[np.float64], order: list[int], seed: int) -> tuple[int, int]:
    """Confirm as the service does; the seed of the search comes last."""
    seeds = [(seed + 1 + place) % drawn.shape[1] for place in range(drawn.shape[1])]
    confirmation = Confirmation(seeds, order)
    values: dict[int, list[float]] = {place: [] for place in order}
    while (pair := confirmation.next()) is not None:
        place, with_seed = pair
        loss = float(drawn[place, with_seed])
        values[place].append(loss)
        confirmation.report(place, with_seed, loss)
    winner = min(confirmation.left, key=lambda place: float(np.mean(values[place])))
    return winner, sum(map(len, values.values()))


def markdown(confirmed: Iterable[Confirmed]) -> str:
    """Return a table with a line for each data set: how often the winner is the true best."""
    rows = list(confirmed)
    names = list(rows[0].choices)
    return markdown_table(
        ("data set", *names, "trainings in rounds"),
        (
            (
                row.dataset,
                *(f"{row.choices[name].hits:.0%}" for name in names),
                f"{row.choices[names[-1]].trainings:.1f} instead of "
                f"{row.choices[names[1]].trainings:.0f}",
            )
            for row in rows
        ),
    )
