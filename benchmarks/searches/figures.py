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


def rows(
    results: Iterable[Result], entries: Iterable[Entry], budgets: Sequence[float]
) -> list[Row]:
    """Return a row for each method in results of one collection, over the same data sets.

    A seed counts if it has all budgets, a data set if every method that has one has it. Only
    methods that are drawn, and that have no run for each budget, have a curve.
    """
    found: dict[str, dict[str, list[Result]]] = {}
    for result in results:
        problems = found.setdefault(result.run.method, {})
        problems.setdefault(result.run.problem, []).append(result)
    usable: dict[Entry, set[str]] = {}
    for entry in entries:
        problems = found.get(entry.name, {})
        names = {n for n, of in problems.items() if len(_table(of, budgets, entry.one_budget))}
        if names:
            usable[entry] = names
    common = sorted(set.intersection(*usable.values())) if usable else []
    if not common:
        return []
    return [_row({n: found[entry.name][n] for n in common}, entry, budgets) for entry in usable]


def _row(results: Mapping[str, Sequence[Result]], entry: Entry, budgets: Sequence[float]) -> Row:
    tables = {name: _table(found, budgets, entry.one_budget) for name, found in results.items()}
    curve = None
    if entry.is_drawn and not entry.one_budget:
        grid = [float(point) for point in np.linspace(0, budgets[-1], POINTS + 1)[1:]]
        drawn = [_table(found, grid, one_budget=False) for found in results.values()]
        curve = regrets(drawn, grid)
    whole = [one for found in results.values() for one in found if one.run.trainings >= budgets[-1]]
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


def _table(
    results: Sequence[Result], budgets: Sequence[float], one_budget: bool
) -> NDArray[np.float64]:
    """Return regrets, seeds x budgets, of the seeds that have all of them."""
    by_seed: dict[int, list[Result]] = {}
    for result in results:
        by_seed.setdefault(result.run.seed, []).append(result)
    table = []
    for found in by_seed.values():
        if one_budget:
            planned = {result.run.trainings: result for result in found}
            if set(budgets) <= set(planned):
                table.append([planned[budget].regret(budget) for budget in budgets])
        elif longest := [one for one in found if one.run.trainings >= budgets[-1]]:
            table.append([longest[0].regret(budget) for budget in budgets])
    return np.array(table, dtype=np.float64).reshape(-1, len(budgets))


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
