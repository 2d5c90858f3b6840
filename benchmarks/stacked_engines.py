"""Time a step of stacked trials against a step of one alone: on a GPU where there is one.

    OMP_NUM_THREADS=1 python -m benchmarks.stacked_engines [--quick] [--output FILE]

Every workload is the network 784-200-10 on Fashion-MNIST, in stacks that differ in their learning
rates. One alone trains on the CPU with the engine that a long job would give it, compiled for small
batches, and where there is a GPU on that as well, which is a stack of 1. It and the stacks take
turns within one process; what is told is the time of a step over the number of trials that made it:
wall time where there is a GPU, else process time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import torch

from benchmarks.engines import fashion_mnist, main
from benchmarks.records import EngineRow
from benchmarks.torch_engines import CLASSES, FEATURES, HIDDEN, Train, stack_training
from trainables.torch_devices import Images, choose_device, denormals_flushed
from trainables.torch_engines import FEWEST_COMPILED_STEPS, cache_folder, stack_engine
from trainables.torch_models import Architecture
from trainables.torch_optimizers import Optimizer
from trainables.torch_stacked import StackedEngine
from trainables.torch_steps import Problem

STACKS = (1, 16, 64, 256)
#: On the CPU a trial's step takes no less time in a larger stack; --quick leaves those out.
_QUICK_STACKS = (1, 16)
#: Steps in a turn of a stack, and of one alone on a GPU.
_STEPS = 16


@dataclass(frozen=True, slots=True)
class Workload:
    """A training to time; one alone on the CPU makes ``alone_steps`` in a turn."""

    batch_size: int
    optimizer: Optimizer
    alone_steps: int

    @property
    def name(self) -> str:
        """What the table calls it."""
        return f"{self.optimizer.name}, batch size {self.batch_size}"


_SGD, _ADAM = Optimizer("sgd", 0.01), Optimizer("adam", 0.001)
WORKLOADS = (Workload(1, _SGD, 2_048), Workload(1, _ADAM, 2_048), Workload(64, _SGD, 128))


def run(quick: bool) -> list[EngineRow]:
    """Time every workload; return a row per workload and stack.

    Raises :class:`trainables.contract.DatasetUnavailable` without Fashion-MNIST.
    """
    data = fashion_mnist()
    places = {"CPU": Images.of(data, torch.device("cpu"))}
    gpu = choose_device("auto")
    if gpu.type == "cuda":
        places[torch.cuda.get_device_name()] = Images.of(data, gpu)
    stacks = _QUICK_STACKS if quick and len(places) == 1 else STACKS
    repeats = 3 if quick else 5
    with denormals_flushed():
        return [row for workload in WORKLOADS for row in rows(workload, places, stacks, repeats)]


def rows(
    workload: Workload, places: Mapping[str, Images], stacks: tuple[int, ...], repeats: int
) -> list[EngineRow]:
    """Time a workload in stacks of these sizes, ``repeats`` turns after one that warms up.

    One alone trains in every place, the stacks in the last one. A place's name is shown.
    """
    problem = Problem(
        Architecture(FEATURES, CLASSES, 1, HIDDEN), workload.batch_size, workload.optimizer
    )
    where, images = list(places.items())[-1]
    clock = time.perf_counter if images.x_train.is_cuda else time.process_time
    alone = {
        place: partial(_us_per_step, _alone(problem, there), _alone_steps(workload, there), clock)
        for place, there in places.items()
    }
    stacked = {
        size: partial(_us_per_step, _stack(problem, size, images), _STEPS, clock) for size in stacks
    }
    times = {pair: list[tuple[float, float]]() for pair in product(places, stacks)}
    for _ in range(repeats + 1):
        for size, stack in stacked.items():
            us = stack() / size
            for place, one in alone.items():
                times[place, size].append((one(), us))
    return [
        EngineRow.of(
            f"{workload.name}: stacks on {where}, alone on {place}",
            f"{size} stacked",
            *zip(*turns[1:], strict=True),
        )
        for (place, size), turns in times.items()
    ]


def _alone_steps(workload: Workload, images: Images) -> int:
    return _STEPS if images.x_train.is_cuda else workload.alone_steps


def _alone(problem: Problem, images: Images) -> Train:
    engine = stack_engine([problem], images.x_train.device, FEWEST_COMPILED_STEPS, cache_folder())
    return stack_training([problem], engine, images)


def _stack(problem: Problem, size: int, images: Images) -> Train:
    rates = [problem.optimizer.learning_rate * (1 + member / size) for member in range(size)]
    problems = [
        replace(problem, optimizer=replace(problem.optimizer, learning_rate=rate)) for rate in rates
    ]
    return stack_training(problems, StackedEngine(problems), images)


def _us_per_step(train: Train, steps: int, clock: Callable[[], float]) -> float:
    start = clock()
    train(steps)
    return (clock() - start) / steps * 1e6


if __name__ == "__main__":
    main("Time stacked trials against one alone.", run, baseline="alone")
