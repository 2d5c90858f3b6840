"""Time the torch engines against the plain loop: process CPU time per step, one thread.

    python -m benchmarks.torch_engines [--quick] [--output FILE] [--data FOLDER]

Every workload is a network on 784-pixel images with batch size 1. Plain loop and engines take
turns on partial epochs within one process, because a machine's speed drifts by more than they
differ between runs; the medians count. An engine's time includes picking the samples, drawing the
dropout masks and scaling the pixels, as the plain loop's includes its ``DataLoader``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, count, islice, repeat
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from trainables import datasets, torch_reference
from trainables.datasets.types import ImageData
from trainables.torch_compiled import CompiledEngine
from trainables.torch_engines import cache_folder
from trainables.torch_models import Architecture, initial_weights, scaled
from trainables.torch_optimizers import Optimizer
from trainables.torch_steps import EagerEngine, Engine, Problem, State
from trainables.torch_trainables import epoch_batches

_FEATURES, _CLASSES, _HIDDEN, _DROPOUT = 784, 10, 200, 0.3
#: Adam's moments take about a thousand steps to become denormal, which is what slows it down.
_WARM_UP_STEPS = 2_048

#: Runs that many steps more.
Train = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Workload:
    """A training to time; ``target`` is the ratio to the plain loop that is asked of it."""

    name: str
    layers: int
    optimizer: Optimizer
    target: float
    plain_flushes_denormals: bool = False


_SGD, _ADAM = Optimizer("sgd", 0.01), Optimizer("adam", 0.001)
WORKLOADS = (
    Workload("logistic regression, SGD", 0, _SGD, 28),
    Workload("one hidden layer, SGD", 1, _SGD, 14),
    Workload("one hidden layer, Adam", 1, _ADAM, 16),
    Workload("one hidden layer, Adam, plain loop flushing", 1, _ADAM, 10, True),
    Workload("two hidden layers, SGD", 2, _SGD, 8.5),
    Workload("three hidden layers, SGD", 3, _SGD, 7),
)


def noise_images(rows: int) -> ImageData:
    """Return random images, half of whose pixels are 0, for timing where there are no real ones."""
    random = np.random.RandomState(0)
    x = random.randint(0, 256, (rows, _FEATURES)) * random.randint(0, 2, (rows, _FEATURES))
    images, labels = x.astype(np.uint8), random.randint(0, _CLASSES, rows).astype(np.int64)
    names = tuple(str(label) for label in range(_CLASSES))
    return ImageData("noise", images, labels, images, labels, images, labels, 1 / 256, names)


def run(quick: bool, data: ImageData | None = None) -> list[dict[str, Any]]:
    """Time every workload; return a row per workload and engine.

    A row holds ``workload``, ``engine``, ``us_per_step``, ``plain_us_per_step``, ``ratio`` (how
    many times faster than the plain loop) and the ``target``. ``data`` defaults to noise.
    """
    data = noise_images(10_000) if data is None else data
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [row for workload in WORKLOADS for row in _rows(workload, data, quick)]
    finally:
        torch.set_num_threads(threads)


def _rows(workload: Workload, data: ImageData, quick: bool) -> list[dict[str, Any]]:
    plain_steps, engine_steps, repeats = (500, 1_024, 3) if quick else (1_000, 5_120, 7)
    problem = Problem(
        Architecture(_FEATURES, _CLASSES, workload.layers, _HIDDEN), 1, workload.optimizer
    )
    trainings = {
        "plain": (_plain(problem, data), plain_steps, workload.plain_flushes_denormals),
        "eager": (_engine(problem, EagerEngine(problem), data), engine_steps, True),
        "compiled": (_engine(problem, _compiled(problem), data), engine_steps, True),
    }
    for train, _, flush in trainings.values():
        _seconds(train, _WARM_UP_STEPS, flush=flush)
    times: dict[str, list[float]] = {name: [] for name in trainings}
    for _ in range(repeats):
        for name, (train, steps, flush) in trainings.items():
            times[name].append(_seconds(train, steps, flush=flush) / steps * 1e6)
    per_step = {name: statistics.median(taken) for name, taken in times.items()}
    return [_row(workload, name, per_step) for name in ("eager", "compiled")]


def _row(workload: Workload, engine: str, per_step: dict[str, float]) -> dict[str, Any]:
    return {
        "workload": workload.name,
        "engine": engine,
        "us_per_step": round(per_step[engine], 2),
        "plain_us_per_step": round(per_step["plain"], 2),
        "ratio": round(per_step["plain"] / per_step[engine], 2),
        "target": workload.target if engine == "compiled" else None,
    }


def _compiled(problem: Problem) -> CompiledEngine:
    return CompiledEngine(problem, cache_folder())


def _plain(problem: Problem, data: ImageData) -> Train:
    """Return the plain loop; the model, like an engine's state, lives on from call to call."""
    model = torch_reference.network(problem.architecture, lambda: nn.Dropout(_DROPOUT))
    optimizer = torch_reference.torch_optimizer(model, problem.optimizer)
    x, labels = scaled(np.array(data.x_train), data.scale), torch.from_numpy(np.array(data.y_train))
    loader = torch_reference.samples(x, labels, 1, torch.Generator().manual_seed(0))
    batches = chain.from_iterable(repeat(loader))
    return lambda steps: torch_reference.train_epoch(model, optimizer, islice(batches, steps))


def _engine(problem: Problem, engine: Engine, data: ImageData) -> Train:
    generator = torch.Generator().manual_seed(0)
    weights = initial_weights(problem.architecture, generator)
    state = State(weights, problem.optimizer.initial_moments(weights))
    epochs = (epoch_batches(problem, _DROPOUT, data, generator) for _ in count())
    stretches = chain.from_iterable(epochs)

    def train(steps: int) -> None:
        nonlocal state
        last = state.steps + steps
        while state.steps < last:
            state, losses = engine.run(state, next(stretches)[: last - state.steps])
            losses.sum(dtype=torch.float64).item()

    return train


def _seconds(train: Train, steps: int, *, flush: bool) -> float:
    torch.set_flush_denormal(flush)
    try:
        start = time.process_time()
        train(steps)
        return time.process_time() - start
    finally:
        torch.set_flush_denormal(False)


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a Markdown table."""
    columns = list(rows[0])
    lines = [" | ".join(columns), " | ".join("---" for _ in columns)]
    lines += [
        " | ".join("" if row[name] is None else str(row[name]) for name in columns) for row in rows
    ]
    return "\n".join(f"| {line} |" for line in lines)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter repeats")
    parser.add_argument("--output", type=Path, help="write the rows as JSON to this file")
    parser.add_argument("--data", type=Path, help="data folder with fashion_mnist; else noise")
    arguments = parser.parse_args()
    folder = arguments.data
    data = cast("ImageData", datasets.load("fashion_mnist", folder)) if folder else None
    rows = run(arguments.quick, data)
    print(table(rows))
    if arguments.output:
        arguments.output.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
