"""Mean regrets over seeds and data sets, with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.searches.methods import Entry
from benchmarks.searches.runs import Result

RESAMPLES = 2000
#: Points of a drawn curve.
POINTS = 60


@dataclass(frozen=True, slots=True)
class Regrets:
    """Mean regret of a method after each of several budgets.

    ``low`` and ``high`` bound 95 % of the means of resampled seeds (percentile bootstrap; data sets
    are fixed).
    """

    budgets: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A method on a collection of data sets.

    ``at`` holds the budgets of the table, ``curve`` those of the plot; ``by_problem`` the means of
    each data set after the table's budgets. ``seeds`` is the smallest number of seeds that a data
    set has.
    """

    family: str
    method: str
    workers: int
    seeds: int
    configurations: float
    seconds: float
    at: Regrets
    curve: Regrets | None
    by_problem: Mapping[str, tuple[float, ...]]

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Read the JSON of :meth:`to_json`."""
        regrets = {
            name: Regrets(**{key: tuple(values) for key, values in raw[name].items()})
            for name in ("at", "curve")
            if raw[name]
        }
        means = {name: tuple(values) for name, values in raw["by_problem"].items()}
        return cls(**{**raw, "curve": None, **regrets, "by_problem": means})


#: The results of a method: by data set, then by seed.
Found = Mapping[str, Mapping[int, Sequence[Result]]]


def rows(
    results: Iterable[Result], entries: Iterable[Entry], budgets: Sequence[float]
) -> list[Row]:
    """Return a row for each method in results of one collection.

    All rows are over the same data sets and seeds, as methods with the same seed often draw the
    same configurations: a seed counts if every method has it with all budgets. Only methods that
    are drawn, and that have no run for each budget, have a curve.
    """
    by_method: dict[str, list[Result]] = {}
    for result in results:
        by_method.setdefault(result.run.method, []).append(result)
    usable = {
        entry: found
        for entry in entries
        if (found := _complete(by_method.get(entry.name, ()), entry, budgets))
    }
    if not usable:
        return []
    common = {
        name: sorted(set.intersection(*(set(found.get(name, ())) for found in usable.values())))
        for name in sorted(set.union(*map(set, usable.values())))
    }
    shared = {name: seeds for name, seeds in common.items() if seeds}
    if not shared:
        return []
    return [
        _row({n: {s: found[n][s] for s in seeds} for n, seeds in shared.items()}, entry, budgets)
        for entry, found in usable.items()
    ]


def _complete(results: Iterable[Result], entry: Entry, budgets: Sequence[float]) -> Found:
    """Return a method's results where they have all budgets."""
    found: dict[str, dict[int, list[Result]]] = {}
    for result in results:
        found.setdefault(result.run.problem, {}).setdefault(result.run.seed, []).append(result)
    complete = {
        name: {s: kept for s, of in seeds.items() if (kept := _runs_for(of, entry, budgets))}
        for name, seeds in found.items()
    }
    return {name: seeds for name, seeds in complete.items() if seeds}


def _runs_for(
    results: Sequence[Result], entry: Entry, budgets: Sequence[float]
) -> list[Result] | None:
    """Return the run of each budget, None if one is missing."""
    if entry.one_budget:
        by_budget = {result.run.trainings: result for result in results}
        found = [by_budget.get(budget) for budget in budgets]
        return None if None in found else [result for result in found if result]
    longest = max(results, key=lambda result: result.run.trainings)
    return [longest] * len(budgets) if longest.run.trainings >= budgets[-1] else None


def _row(results: Found, entry: Entry, budgets: Sequence[float]) -> Row:
    tables = {
        name: np.array([
            [run.regret(budget) for run, budget in zip(runs, budgets, strict=True)]
            for runs in seeds.values()
        ])
        for name, seeds in results.items()
    }  # fmt: skip
    longest = {name: [runs[-1] for runs in seeds.values()] for name, seeds in results.items()}
    whole = [result for found in longest.values() for result in found]
    curve = None
    if entry.is_drawn and not entry.one_budget:
        grid = [float(point) for point in np.linspace(0, budgets[-1], POINTS + 1)[1:]]
        drawn = [np.array([[r.regret(b) for b in grid] for r in of]) for of in longest.values()]
        curve = regrets(drawn, grid)
    run = whole[0].run
    return Row(
        family=run.problem.partition("/")[0],
        method=run.method,
        workers=run.workers,
        seeds=min(map(len, tables.values())),
        configurations=round(float(np.mean([one.configurations for one in whole])), 1),
        seconds=round(float(np.mean([one.seconds for one in whole])), 2),
        at=regrets(list(tables.values()), budgets),
        curve=curve,
        by_problem={name: _rounded(table.mean(axis=0)) for name, table in tables.items()},
    )


def regrets(tables: Sequence[NDArray[np.float64]], budgets: Sequence[float]) -> Regrets:
    """Return the mean over data sets of their means over seeds, with bootstrap intervals.

    Each table of ``tables`` is a data set's: seeds x budgets.
    """
    random = np.random.default_rng(0)
    means = np.mean([table.mean(axis=0) for table in tables], axis=0)
    resampled = np.zeros((RESAMPLES, len(budgets)))
    for table in tables:
        drawn = random.integers(len(table), size=(RESAMPLES, len(table)))
        resampled += table[drawn].mean(axis=1) / len(tables)
    low, high = np.quantile(resampled, (0.025, 0.975), axis=0)
    return Regrets(tuple(map(float, budgets)), _rounded(means), _rounded(low), _rounded(high))


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in values)
