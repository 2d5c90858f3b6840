"""How much faster the numpy engines are than the plain loops that they replace.

Run from the repository root: ``OMP_NUM_THREADS=1 python -m benchmarks.numpy_engines``. The speed of
a machine drifts, so only ratios count: both engines are timed in turn, back to back, on the same
samples from the same first weights, and the ratio is that of each pair. Times are the CPU time of
this process. Fashion-MNIST is looked for where ``argbest`` itself does.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from service.settings import Settings
from trainables import datasets, numpy_linear_engine, numpy_reference
from trainables.contract import DatasetUnavailable
from trainables.datasets.types import ImageData, RegressionData
from trainables.numpy_compiler import aligned, aligned_zeros
from trainables.numpy_models import Network, initial_network, with_bias
from trainables.numpy_network_engine import DelayedNetwork

RATE = 0.001
SEED = 42
#: Images that the partial epochs draw from: 50 MB in float64, more than any cache holds.
IMAGES = 8000

Pair = tuple[Callable[[], object], Callable[[], object]]


@dataclass(frozen=True)
class Workload:
    """A model; ``pair`` gives its plain and its fast partial epoch, each from fresh weights."""

    name: str
    steps: int
    pair: Callable[[], Pair]


def regression_workloads(data: RegressionData) -> list[Workload]:
    """Return the models of Q2; the linear one does ten epochs, to be long enough for the clock."""
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


def image_workloads(data: ImageData) -> list[Workload]:
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


def measure(workload: Workload, repeats: int) -> dict[str, Any]:
    """Time ``repeats`` pairs, after one that compiles: medians, and the range of the ratios."""
    pairs = [tuple(map(_seconds, workload.pair())) for _ in range(repeats + 1)][1:]
    plain, fast = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratios = [slow / quick for slow, quick in pairs]
    return {
        "workload": workload.name,
        "plain_us_per_step": plain / workload.steps * 1e6,
        "fast_us_per_step": fast / workload.steps * 1e6,
        "ratio": statistics.median(ratios),
        "ratio_low": min(ratios),
        "ratio_high": max(ratios),
        "steps": workload.steps,
        "repeats": repeats,
    }


def _seconds(partial_epoch: Callable[[], object]) -> float:
    started = time.process_time()
    partial_epoch()
    return time.process_time() - started


def run(quick: bool) -> list[dict[str, Any]]:
    """Measure every workload; ``quick`` takes 3 repeats instead of 15.

    Raises ``RuntimeError`` unless BLAS is held to one thread, which must happen before numpy is
    imported, and :class:`trainables.contract.DatasetUnavailable` without Fashion-MNIST.
    """
    if os.environ.get("OMP_NUM_THREADS") != "1":
        raise RuntimeError("set OMP_NUM_THREADS=1: the plain loops are to be timed on one core")
    settings = Settings()
    ames = datasets.load("ames", settings.datasets_dir)
    images = datasets.load(
        "fashion_mnist", settings.datasets_dir, source=settings.fashion_mnist_dir
    )
    assert isinstance(ames, RegressionData)
    assert isinstance(images, ImageData)
    workloads = regression_workloads(ames) + image_workloads(images)
    return [measure(workload, 3 if quick else 15) for workload in workloads]


def table(rows: list[dict[str, Any]]) -> str:
    """Return the measurements as a Markdown table."""
    lines = [
        "| workload | plain µs/step | fast µs/step | x plain | lowest - highest |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['workload']} | {row['plain_us_per_step']:.2f} | {row['fast_us_per_step']:.3f} "
        f"| {row['ratio']:.1f} | {row['ratio_low']:.1f} - {row['ratio_high']:.1f} |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Print the table; write the measurements to a file if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 repeats instead of 15")
    parser.add_argument("--output", type=Path, help="write the measurements there, as JSON")
    options = parser.parse_args()
    try:
        rows = run(options.quick)
    except (RuntimeError, DatasetUnavailable) as error:
        parser.exit(1, f"{error}\n")
    print(table(rows))
    if options.output:
        options.output.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
