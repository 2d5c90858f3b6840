"""Which runs are measured: collections, data sets, methods, seeds, budgets, workers."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import optuna

from benchmarks.records import BenchmarkError
from benchmarks.searches import grid, lcbench, tables
from benchmarks.searches.methods import Entry, chosen
from benchmarks.searches.others import OTHERS
from benchmarks.searches.ours import OURS
from benchmarks.searches.problems import Problem
from benchmarks.searches.runs import Result, Run, measure

ENTRIES = (*OURS, *OTHERS)
#: Of each collection: the budgets, in full trainings, and how many workers train.
DEFAULTS: Mapping[str, tuple[tuple[float, ...], int]] = {
    "lcbench": ((5, 10, 20), 2),
    "grid": ((5, 10, 20), 2),
    "hpolib": ((25, 50, 100), 1),
    "hpobench": ((25, 50, 100), 1),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured. Without ``budgets`` and ``workers``, each collection has its own.

    ``problems`` are full names, as ``hpolib/protein_structure``; seeds count from 0.
    """

    problems: tuple[str, ...]
    entries: tuple[Entry, ...]
    seeds: int
    budgets: tuple[float, ...] | None = None
    workers: int | None = None

    def families(self) -> list[str]:
        """Return the collections in the order of their first data sets."""
        return list(dict.fromkeys(name.partition("/")[0] for name in self.problems))

    def budgets_of(self, family: str) -> list[float]:
        """Return the budgets in full trainings, the smallest first."""
        return sorted(map(float, self.budgets or DEFAULTS[family][0]))

    def runs(self, family: str) -> list[Run]:
        """Return the runs of a collection, all methods and data sets with seed 0 first."""
        budgets = self.budgets_of(family)
        workers = self.workers or DEFAULTS[family][1]
        has_curves = family in ("lcbench", "grid")
        return [
            Run(problem, entry.name, seed, workers, budget)
            for seed in range(self.seeds)
            for problem in self.problems
            if problem.startswith(f"{family}/")
            for entry in self.entries
            if has_curves or not entry.by_epochs
            for budget in (budgets if entry.one_budget else budgets[-1:])
        ]


def problem_names(named: Iterable[str], folder: Path | None, most: int | None) -> tuple[str, ...]:
    """Return full names of data sets: a collection named alone stands for its first ``most``.

    ``folder`` is LCBench's. Raises :class:`BenchmarkError` for an unknown name.
    """
    names = []
    for name in named:
        family, _, dataset = name.partition("/")
        found = _datasets(family, folder)
        if dataset and dataset not in found:
            raise BenchmarkError(f"{family} has no data set {dataset!r}, but {', '.join(found)}")
        names += [name] if dataset else [f"{family}/{one}" for one in found[:most]]
    return tuple(names)


def _datasets(family: str, folder: Path | None) -> Sequence[str]:
    if family == "lcbench":
        return lcbench.datasets(_given(folder))
    if family == "grid":
        return grid.DATASETS
    if family not in tables.DATASETS:
        known = ", ".join(DEFAULTS)
        raise BenchmarkError(f"there is no collection {family!r}; collections: {known}")
    return tables.DATASETS[family]


def available(folder: Path | None) -> list[str]:
    """Return the collections whose data can be had: all but those whose files are not here."""
    missing = {
        "lcbench": folder is None,
        "grid": not grid.FILE.is_file(),
    }
    return [name for name in DEFAULTS if not missing.get(name, False)]


def _given(folder: Path | None) -> Path:
    if folder is None:
        raise BenchmarkError("lcbench needs --lcbench FOLDER, where its surrogate is")
    return folder


@cache
def load(name: str, folder: Path | None) -> Problem:
    """Return the problem of a full name; raise :class:`BenchmarkError` without its data."""
    family, _, dataset = name.partition("/")
    if family == "lcbench":
        return lcbench.load(_given(folder), dataset)
    return grid.load(dataset) if family == "grid" else tables.load(family, dataset)


def run_one(run: Run, *, folder: Path | None) -> Result:
    """Measure one run, in a process for it."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    (entry,) = chosen(ENTRIES, [run.method])
    return measure(run, load(run.problem, folder), entry)
