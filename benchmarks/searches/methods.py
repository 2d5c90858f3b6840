"""A method of search as the tables show it, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from benchmarks.records import BenchmarkError
from benchmarks.searches.problems import Problem
from benchmarks.searches.simulated import Method

#: The first epoch at which trials are compared, in all methods: epoch 1 of LCBench is untrained.
FIRST_RUNG = 2
REDUCTION_FACTOR = 3

#: Makes a method from a problem, a seed and the budget in full trainings.
Make = Callable[[Problem, int, float], Method]


@dataclass(frozen=True, slots=True)
class Entry:
    """A method as the tables show it.

    ``by_epochs``: it ends trials early, so that it needs curves. ``one_budget``: it plans for one
    budget, so that each budget needs a run of its own. ``is_drawn``: it has a curve in the plots.
    """

    name: str
    title: str
    make: Make
    by_epochs: bool = False
    one_budget: bool = False
    is_drawn: bool = False


def chosen(entries: Iterable[Entry], names: Iterable[str]) -> list[Entry]:
    """Return the entries of these names; raise :class:`BenchmarkError` for an unknown one."""
    by_name = {entry.name: entry for entry in entries}
    if unknown := [name for name in names if name not in by_name]:
        known = ", ".join(by_name)
        raise BenchmarkError(f"there is no method {unknown[0]!r}; methods: {known}")
    return [by_name[name] for name in names]
