"""Time the decisions of a search of 10,000 configurations with ASHA, and measure its memory.

Losses are random, so that nothing trains. A decision is to answer what trains next, a promotion or
a new trial, and what becomes of it at its rung. CPU time of the thread counts.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator
from random import Random

from benchmarks.records import Figure
from results.records import TrialRecord
from results.spec import JobSpec
from results.states import TrialState
from search_spaces import SearchSpace
from service.search.asha import Asha
from service.search.budget import BudgetTracker
from service.search.search import Search

CONFIGURATIONS = 10_000
#: With the reduction factor 3, rungs at 1, 3, 9, 27 and 81.
EPOCHS = 81


def of_scheduler(configurations: int) -> Iterator[None]:
    """Run the scheduler alone; yield after each decision."""
    asha, losses, begun = Asha(epochs=EPOCHS), Random(0), 0
    while True:
        promotion = asha.promote(running=() if begun == configurations else None)
        if promotion is not None:
            number, until = promotion.number, promotion.until
        elif begun < configurations:
            number, until, begun = begun, asha.begin(begun), begun + 1
        else:
            return
        loss = losses.random()
        asha.report(number, until, loss)
        if until == EPOCHS:
            asha.end(number, loss)
        yield


def of_search(configurations: int) -> Iterator[None]:
    """Run the whole search as the driver does; yield after each decision.

    Only the epochs of rungs are reported.
    """
    search, losses = _search(configurations), Random(0)
    while (step := search.next(nothing_runs=True)) is not None:
        search.report(step.number, step.until, {"loss": losses.random()}, 1.0)
        state = TrialState.SUCCEEDED if step.until == EPOCHS else TrialState.PAUSED
        search.end(step.number, state, {})
        yield


def _search(configurations: int) -> Search:
    space = SearchSpace.from_json({
        "name": "many", "trainable": "t", "dataset": "d", "epochs": EPOCHS, "metric": "loss",
        "mode": "min", "strategy": "grid", "scheduler": "asha",
        "parameters": {"x": {"values": [0, 1]}},
    })  # fmt: skip
    records = [TrialRecord(n, TrialState.QUEUED, {"x": n % 2}, 1) for n in range(configurations)]
    return Search(
        JobSpec(name="many", space=space, trials=configurations, seed=1),
        records,
        {},
        scheduler=Asha(epochs=EPOCHS),
        sampler=None,
        budget=BudgetTracker(space, lambda: 0.0),
    )


def measure(*, quick: bool = False, configurations: int = CONFIGURATIONS) -> list[Figure]:
    """Return the figures; ``quick`` repeats less."""
    figures: list[Figure] = []
    parts: tuple[tuple[str, Callable[[int], Iterator[None]]], ...] = (
        ("the scheduler alone", of_scheduler),
        ("the whole search", of_search),
    )
    for name, run in parts:
        turns = [_times(run, configurations) for _ in range(2 if quick else 5)]
        what = f"ASHA, {configurations:,} configurations, {name}"
        tracemalloc.start()
        for _ in run(configurations):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        figures += [
            Figure(f"{what}: decisions", "", (float(len(turns[0])),)),
            Figure(f"{what}: one decision, median", "µs", tuple(_at(t, 0.5) for t in turns)),
            Figure(f"{what}: one decision, 99 of 100", "µs", tuple(_at(t, 0.99) for t in turns)),
            Figure(f"{what}: memory at most", "MB", (peak / 1e6,)),
        ]
    return figures


def _times(run: Callable[[int], Iterator[None]], configurations: int) -> list[float]:
    """Return the time of each decision in µs, ascending; making the search is not counted."""
    times: list[float] = []
    decisions = run(configurations)
    next(decisions)
    before = time.thread_time_ns()
    for _ in decisions:
        now = time.thread_time_ns()
        times.append((now - before) / 1e3)
        before = time.thread_time_ns()
    return sorted(times)


def _at(times: list[float], share: float) -> float:
    return times[int(share * (len(times) - 1))]
