"""Runs of searches, kept one a line in a file that later runs are added to."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from benchmarks.searches.methods import Entry
from benchmarks.searches.problems import Problem
from benchmarks.searches.simulated import simulate

Item = TypeVar("Item")
Measured = TypeVar("Measured")


@dataclass(frozen=True, slots=True)
class Run:
    """One search to be measured; ``trainings`` is its budget in full trainings."""

    problem: str
    method: str
    seed: int
    workers: int
    trainings: float


@dataclass(frozen=True, slots=True)
class Result:
    """What a run reached.

    ``incumbents`` holds pairs of the budget used so far, in full trainings, and the true regret of
    the best trial since then; ``seconds`` is what deciding cost in real time.
    """

    run: Run
    incumbents: tuple[tuple[float, float], ...]
    configurations: int
    finished: int
    seconds: float

    def regret(self, budget: float) -> float:
        """Return the regret after a budget; 1, a typical configuration's, before the first loss."""
        reached = [regret for since, regret in self.incumbents if since <= budget + 1e-9]
        return reached[-1] if reached else 1.0

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON, on one level."""
        members = asdict(self)
        return {**members.pop("run"), **members}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Read the JSON of :meth:`to_json`."""
        run = Run(**{name: raw[name] for name in Run.__dataclass_fields__})
        incumbents = tuple((since, regret) for since, regret in raw["incumbents"])
        return cls(run, incumbents, raw["configurations"], raw["finished"], raw["seconds"])


def measure(run: Run, problem: Problem, entry: Entry) -> Result:
    """Simulate a run."""
    started = time.perf_counter()
    method = entry.make(problem, run.seed, run.trainings)
    with closing(method):
        outcome = simulate(
            method, problem, seed=run.seed, workers=run.workers, trainings=run.trainings
        )
    steps = tuple((round(one.since, 4), round(one.regret, 6)) for one in outcome.incumbents)
    seconds = round(time.perf_counter() - started, 3)
    return Result(run, steps, outcome.configurations, outcome.finished, seconds)


class ResultFile:
    """Results in a file of JSON lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.results = list(self._read())

    def _read(self) -> Iterator[Result]:
        if self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                yield Result.from_json(json.loads(line))

    def missing(self, runs: Iterable[Run]) -> list[Run]:
        """Return the runs that the file lacks."""
        done = {result.run for result in self.results}
        return [run for run in runs if run not in done]

    def add(self, result: Result) -> None:
        """Append a result."""
        self.results.append(result)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(result.to_json()) + "\n")


def in_processes(
    one: Callable[[Item], Measured], items: Iterable[Item], *, processes: int
) -> Iterator[Measured]:
    """Yield what ``one`` returns for each item, as they end, called in so many new processes.

    ``one`` is pickled. What it raises is raised here, and the rest is given up.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        futures = [pool.submit(one, item) for item in items]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)
