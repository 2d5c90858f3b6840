"""Time the numpy engines against the plain loops.

Run from the repository root: ``OMP_NUM_THREADS=1 python -m benchmarks.numpy_engines``. The speed of
a machine drifts, so only ratios count: both are timed in turn, back to back, on the same samples
from the same first weights, and the ratio is taken pair by pair. Times are this process's CPU time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.engines import ames, fashion_mnist, main
from benchmarks.records import EngineRow
from trainables import numpy_linear_engine, numpy_reference
from trainables.datasets.types import ClassificationData, RegressionData
from trainables.numpy_compiler import aligned, aligned_zeros
from trainables.numpy_models import Network, initial_network, with_bias
from trainables.numpy_network_engine import DelayedNetwork

RATE = 0.001
SEED = 42
#: Images of the partial epochs: 50 MB in float64, larger than any cache.
IMAGES = 8000

Pair = tuple[Callable[[], object], Callable[[], object]]


@dataclass(frozen=True)
class Workload:
    """A model; ``pair`` gives its plain and its fast partial epoch, each from fresh weights."""

    name: str
    steps: int
    pair: Callable[[], Pair]


def regression_workloads(data: RegressionData) -> list[Workload]:
    """Return the models of Q2; the linear one trains ten epochs, since one is too short to time."""
    x, y = data.x_train, data.y_train
    rows, features = x.shape
    stream = np.random.RandomState(SEED)
    biased, lined = with_bias(x), aligned(with_bias(x))
    once = stream.permutation(rows)
    often = np.concatenate([stream.permutation(rows) for _ in range(10)])

    def linear() -> Pair:
        plain, fast = np.zeros(features + 1), aligned_zeros(1, features + 1)[0]
        engine = numpy_linear_engine.linear_regression_epoch
        return (
            lambda: numpy_reference.linear_regression_epoch(plain, biased, y, often, RATE),
            lambda: engine(fast, lined, y, often, RATE),
        )

    def neural() -> Pair:
        plain, fast = _networks(features, 150, 1)
        return (
            lambda: numpy_reference.neural_regression_epoch(plain, x, y, once, RATE),
            lambda: fast.neural_regression_epoch(x, y, once, RATE),
        )

    return [
        Workload("Ames linear regression, 349", len(often), linear),
        Workload("Ames network, 348-150-1", len(once), neural),
    ]


def image_workloads(data: ClassificationData) -> list[Workload]:
    """Return the models of Q3, on the first images."""
    pixels, labels, scale = np.array(data.x_train[:IMAGES]), data.y_train[:IMAGES], data.scale
    features, classes = pixels.shape[1], len(data.classes)
    scaled = np.multiply(pixels, scale, dtype=np.float64)
    biased = with_bias(scaled)
    order = np.random.RandomState(SEED).permutation(len(pixels))
    few = order[:1000]
    plain_loop, engine = numpy_reference, numpy_linear_engine

    def perceptron() -> Pair:
        plain, fast = np.zeros((classes, features + 1)), aligned_zeros(classes, features + 1)
        return (
            lambda: plain_loop.perceptron_epoch(plain, biased, labels, order),
            lambda: engine.perceptron_epoch(fast, pixels, scale, labels, order),
        )

    def logistic() -> Pair:
        plain, fast = np.zeros((classes, features + 1)), aligned_zeros(classes, features + 1)
        return (
            lambda: plain_loop.logistic_regression_epoch(plain, biased, labels, order, RATE),
            lambda: engine.logistic_regression_epoch(fast, pixels, scale, labels, order, RATE),
        )

    def mlp() -> Pair:
        plain, fast = _networks(features, 200, classes)
        return (
            lambda: plain_loop.mlp_epoch(plain, scaled, labels, few, RATE),
            lambda: fast.mlp_epoch(pixels, scale, labels, few, RATE),
        )

    return [
        Workload("perceptron, 10x785", len(order), perceptron),
        Workload("logistic regression, 10x785", len(order), logistic),
        Workload("network, 784-200-10", len(few), mlp),
    ]


def _networks(features: int, hidden: int, outputs: int) -> tuple[Network, DelayedNetwork]:
    stream = np.random.RandomState(SEED)
    network = initial_network(stream, features=features, hidden=hidden, outputs=outputs)
    return network, DelayedNetwork.of(network)


def measure(workload: Workload, repeats: int) -> EngineRow:
    """Time ``repeats`` pairs, after one that compiles."""
    pairs = [tuple(map(_seconds, workload.pair())) for _ in range(repeats + 1)][1:]
    plain, fast = ([s / workload.steps * 1e6 for s in times] for times in zip(*pairs, strict=True))
    return EngineRow.of(workload.name, "compiled", plain, fast)


def _seconds(partial_epoch: Callable[[], object]) -> float:
    started = time.process_time()
    partial_epoch()
    return time.process_time() - started


def run(quick: bool) -> list[EngineRow]:
    """Measure every workload; ``quick`` takes 3 repeats instead of 15.

    BLAS must be held to one thread. Raises :class:`trainables.contract.DatasetUnavailable` without
    Fashion-MNIST.
    """
    workloads = regression_workloads(ames()) + image_workloads(fashion_mnist())
    return [measure(workload, 3 if quick else 15) for workload in workloads]


if __name__ == "__main__":
    main("Time the numpy engines against the plain loops.", run)
