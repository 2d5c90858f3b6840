"""What deciding costs: time and memory of a search of many configurations with ASHA."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from benchmarks.machine import peak_memory_bytes
from benchmarks.searches.ours import make_search
from benchmarks.searches.tables import declared
from results.states import TrialState
from search_spaces import Range, Scheduler
from service.search.scheduler import Action
from service.search.search import Search, Step
from service.search.simulation import simulate

T = TypeVar("T")

EPOCHS = 27


@dataclass(frozen=True, slots=True)
class Decisions:
    """A search of ``configurations`` that were all begun, and each trained as far as ASHA says.

    ``decisions`` are the steps that were asked for and the epochs that were reported; their mean
    time is in microseconds, that of the slowest in milliseconds. ``memory_bytes`` is by how much
    the process's peak memory grew.
    """

    configurations: int
    decisions: int
    mean_us: float
    slowest_ms: float
    memory_bytes: int

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


def measure(configurations: int) -> Decisions:
    """Run a search of one worker on random losses, in a process that did nothing else before."""
    space = declared("decisions", {"x": Range(0.0, 1.0, 0.5)}, epochs=EPOCHS)
    space = replace(space, scheduler=Scheduler("asha"), trials=configurations)
    before = peak_memory_bytes()
    search = _Timed(make_search(space, seed=0, trials=configurations))
    simulate(search, _Random(), epochs=EPOCHS, workers=1)
    return Decisions(
        configurations,
        search.calls,
        round(search.total / search.calls * 1e6, 1),
        round(search.slowest * 1e3, 1),
        peak_memory_bytes() - before,
    )


class _Random:
    """Trials with random losses."""

    def __init__(self) -> None:
        self._random = random.Random(0)

    def metrics(self, trial: Step, epoch: int) -> Mapping[str, float]:  # noqa: ARG002
        """Return the next loss."""
        return {"loss": self._random.random()}

    def seconds(self, trial: Step, epoch: int) -> float:  # noqa: ARG002
        """Return one second for each epoch."""
        return float(epoch)


class _Timed:
    """A search of which every call is timed, in seconds; an end counts with its report."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self.calls, self.total, self.slowest = 0, 0.0, 0.0

    def next(self, *, nothing_runs: bool) -> Step | None:
        """Return the next step."""
        return self._time(lambda: self._search.next(nothing_runs=nothing_runs))

    def report(
        self, number: int, epoch: int, metrics: Mapping[str, float], seconds: float
    ) -> Action:
        """Pass a report on."""
        return self._time(lambda: self._search.report(number, epoch, metrics, seconds))

    def end(self, number: int, state: TrialState, metrics: Mapping[str, float]) -> None:
        """Pass an end on."""
        self.calls -= 1
        self._time(lambda: self._search.end(number, state, metrics))

    def _time(self, call: Callable[[], T]) -> T:
        started = time.perf_counter()
        answer = call()
        seconds = time.perf_counter() - started
        self.calls += 1
        self.total += seconds
        self.slowest = max(self.slowest, seconds)
        return answer
