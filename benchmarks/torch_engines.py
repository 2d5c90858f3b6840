"""Time the torch engines against the plain loop: process CPU time per step, one thread.

    OMP_NUM_THREADS=1 python -m benchmarks.torch_engines [--quick] [--output FILE]

Every workload is a network on Fashion-MNIST, with batch size 1 unless its name has another. Plain
loop and engines take turns on partial epochs within one process, because a machine's speed drifts;
the medians count. An engine's time includes picking the samples, drawing the dropout masks and
scaling the pixels, as the plain loop's includes its ``DataLoader``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain, count, islice, repeat

import torch
from torch import nn

from benchmarks.engines import fashion_mnist, main
from benchmarks.records import EngineRow
from trainables import torch_reference
from trainables.torch_compiled import CompiledEngine
from trainables.torch_devices import Images, denormals_flushed
from trainables.torch_engines import Engine, cache_folder
from trainables.torch_models import Architecture, scaled
from trainables.torch_optimizers import Optimizer
from trainables.torch_steps import Batches, EagerEngine, Problem, State
from trainables.torch_trainables import epoch_batches

FEATURES, CLASSES, HIDDEN, DROPOUT = 784, 10, 200, 0.3
#: Trains for this many more steps.
Train = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Workload:
    """A training to time."""

    name: str
    layers: int
    optimizer: Optimizer
    plain_flushes_denormals: bool = False
    batch_size: int = 1


@dataclass(frozen=True, slots=True)
class Turns:
    """Samples of a turn of the plain loop and of an engine, and the number of turns.

    Adam slows down when its moments become denormal, after about a thousand steps: the first steps
    are not timed.
    """

    plain_samples: int
    engine_samples: int
    repeats: int
    warm_up_samples: int = 2_048


FULL, QUICK = Turns(1_000, 5_120, 7), Turns(500, 1_024, 3)

_SGD, _ADAM = Optimizer("sgd", 0.01), Optimizer("adam", 0.001)
WORKLOADS = (
    Workload("logistic regression, SGD", 0, _SGD),
    Workload("one hidden layer, SGD", 1, _SGD),
    Workload("one hidden layer, Adam", 1, _ADAM),
    Workload("one hidden layer, Adam, plain loop flushing", 1, _ADAM, True),
    Workload("two hidden layers, SGD", 2, _SGD),
    Workload("three hidden layers, SGD", 3, _SGD),
)
#: They show from which batch size on compiling does not pay; --quick leaves them out.
BATCHES = tuple(
    Workload(f"one hidden layer, SGD, batch size {size}", 1, _SGD, batch_size=size)
    for size in (4, 16, 64)
)


def run(quick: bool) -> list[EngineRow]:
    """Time every workload; return a row per workload and engine.

    Raises :class:`trainables.contract.DatasetUnavailable` without Fashion-MNIST.
    """
    images = Images.of(fashion_mnist(), torch.device("cpu"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        turns, workloads = (QUICK, WORKLOADS) if quick else (FULL, WORKLOADS + BATCHES)
        return [row for workload in workloads for row in rows(workload, images, turns)]
    finally:
        torch.set_num_threads(threads)


def rows(workload: Workload, images: Images, turns: Turns) -> list[EngineRow]:
    """Time the plain loop and both engines on one workload; return a row per engine."""
    size = workload.batch_size
    problem = Problem(
        Architecture(FEATURES, CLASSES, workload.layers, HIDDEN), size, workload.optimizer
    )
    trainings = {
        "plain": (_plain(problem, images), turns.plain_samples, workload.plain_flushes_denormals),
        "eager": (_engine(problem, EagerEngine(problem), images), turns.engine_samples, True),
        "compiled": (_engine(problem, _compiled(problem), images), turns.engine_samples, True),
    }
    for train, _, flush in trainings.values():
        _seconds(train, turns.warm_up_samples // size, flush=flush)
    times: dict[str, list[float]] = {name: [] for name in trainings}
    for _ in range(turns.repeats):
        for name, (train, samples, flush) in trainings.items():
            steps = samples // size
            times[name].append(_seconds(train, steps, flush=flush) / steps * 1e6)
    return [
        EngineRow.of(workload.name, name, times["plain"], times[name])
        for name in ("eager", "compiled")
    ]


def _compiled(problem: Problem) -> CompiledEngine:
    return CompiledEngine(problem, cache_folder())


def _plain(problem: Problem, images: Images) -> Train:
    """Return the plain loop; the model keeps its state from call to call, as an engine does."""
    model = torch_reference.network(problem.architecture, lambda: nn.Dropout(DROPOUT))
    optimizer = torch_reference.torch_optimizer(model, problem.optimizer)
    x = scaled(images.x_train, images.scale)
    generator = torch.Generator().manual_seed(0)
    loader = torch_reference.samples(x, images.y_train, problem.batch_size, generator)
    batches = chain.from_iterable(repeat(loader))
    return lambda steps: torch_reference.train_epoch(model, optimizer, islice(batches, steps))


def _engine(problem: Problem, engine: Engine, images: Images) -> Train:
    """Return the training by an engine, from the choice of the images to the last loss."""
    generator = torch.Generator().manual_seed(0)
    state = State.initial(problem, generator, images.x_train.device)
    epochs = (epoch_batches(problem, DROPOUT, images, generator) for _ in count())
    stretches = chain.from_iterable(epochs)
    rest: Batches | None = None

    def train(steps: int) -> None:
        nonlocal state, rest
        last = state.steps + steps
        while state.steps < last:
            batches, wanted = rest or next(stretches), last - state.steps
            state, losses = engine.run(state, batches[:wanted])
            rest = batches[wanted:]
            losses.sum(dtype=torch.float64).item()

    return train


def _seconds(train: Train, steps: int, *, flush: bool) -> float:
    with denormals_flushed() if flush else nullcontext():
        start = time.process_time()
        train(steps)
        return time.process_time() - start


if __name__ == "__main__":
    main("Time the torch engines against the plain loop.", run)
