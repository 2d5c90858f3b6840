"""What deciding costs: time and memory of a search of many configurations with ASHA."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from benchmarks.machine import peak_memory_bytes
from benchmarks.searches.ours import OurSearch
from benchmarks.searches.tables import declared
from search_spaces import Range, Scheduler
from service.search.scheduler import Action

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
    losses = random.Random(0)
    before = peak_memory_bytes()
    search = OurSearch(space, seed=0, trials=configurations)
    clock = _Clock()
    while (segment := clock.time(search.next)) is not None:
        epoch, action = segment.epochs_done, Action.CONTINUE
        while action is Action.CONTINUE and epoch < EPOCHS:
            epoch, loss = epoch + 1, losses.random()
            action = clock.report(search, segment.number, epoch, loss)
    return Decisions(
        configurations,
        clock.calls,
        round(clock.total / clock.calls * 1e6, 1),
        round(clock.slowest * 1e3, 1),
        peak_memory_bytes() - before,
    )


class _Clock:
    """Times calls, in seconds."""

    def __init__(self) -> None:
        self.calls, self.total, self.slowest = 0, 0.0, 0.0

    def time(self, call: Callable[[], T]) -> T:
        started = time.perf_counter()
        answer = call()
        seconds = time.perf_counter() - started
        self.calls += 1
        self.total += seconds
        self.slowest = max(self.slowest, seconds)
        return answer

    def report(self, search: OurSearch, number: int, epoch: int, loss: float) -> Action:
        return self.time(lambda: search.report(number, epoch, loss))
