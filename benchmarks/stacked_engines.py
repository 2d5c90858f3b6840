"""Time a step of stacked trials against a step of one alone: on a GPU where there is one.

    OMP_NUM_THREADS=1 python -m benchmarks.stacked_engines [--quick] [--output FILE]

Every workload is the network 784-200-10 on Fashion-MNIST, in stacks that differ in their learning
rates. One alone trains with the engine that a long job would give it, which on the CPU is compiled
for small batches. It and the stacks take turns within one process; what is told is the time of a
step over the number of trials that made it, on a GPU wall time, on the CPU process time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

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
#: Steps of a stack in a turn.
_STEPS = 16


@dataclass(frozen=True, slots=True)
class Workload:
    """A training to time; one alone makes ``alone_steps`` in a turn."""

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
    device = choose_device("auto")
    images = Images.of(fashion_mnist(), device)
    is_gpu = device.type == "cuda"
    where = torch.cuda.get_device_name() if is_gpu else "CPU"
    stacks = _QUICK_STACKS if quick and not is_gpu else STACKS
    repeats = 3 if quick else 5
    with denormals_flushed():
        return [
            row for workload in WORKLOADS for row in rows(workload, where, stacks, images, repeats)
        ]


def rows(
    workload: Workload, where: str, stacks: tuple[int, ...], images: Images, repeats: int
) -> list[EngineRow]:
    """Time a workload in stacks of these sizes, ``repeats`` turns after one that warms up."""
    problem = Problem(
        Architecture(FEATURES, CLASSES, 1, HIDDEN), workload.batch_size, workload.optimizer
    )
    alone = stack_engine([problem], images.x_train.device, FEWEST_COMPILED_STEPS, cache_folder())
    alone_train = stack_training([problem], alone, images)
    trainings = {size: _stack(problem, size, images) for size in stacks}
    alone_us: dict[int, list[float]] = {size: [] for size in stacks}
    stack_us: dict[int, list[float]] = {size: [] for size in stacks}
    clock = time.perf_counter if images.x_train.is_cuda else time.process_time
    for turn in range(repeats + 1):
        for size, train in trainings.items():
            one = _seconds(alone_train, workload.alone_steps, clock) / workload.alone_steps
            stacked = _seconds(train, _STEPS, clock) / _STEPS / size
            if turn > 0:
                alone_us[size].append(one * 1e6)
                stack_us[size].append(stacked * 1e6)
    return [
        EngineRow.of(f"{workload.name}, {where}", f"{s} stacked", alone_us[s], stack_us[s])
        for s in stacks
    ]


def _stack(problem: Problem, size: int, images: Images) -> Train:
    rates = [problem.optimizer.learning_rate * (1 + member / size) for member in range(size)]
    problems = [
        replace(problem, optimizer=replace(problem.optimizer, learning_rate=rate)) for rate in rates
    ]
    return stack_training(problems, StackedEngine(problems), images)


def _seconds(train: Train, steps: int, clock: Callable[[], float]) -> float:
    start = clock()
    train(steps)
    return clock() - start


if __name__ == "__main__":
    main("Time stacked trials against one alone.", run, baseline="alone")
