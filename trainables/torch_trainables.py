"""Logistic regression and feed-forward networks by automatic differentiation (Q4), in float32.

One ``torch.Generator`` per trial, seeded with the trial's seed, draws in this order: the initial
weights; then for each epoch a permutation of the training images and, stretch by stretch, the
dropout masks. Nothing here reads or sets torch's global random state or its number of threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from trainables.contract import Report
from trainables.datasets.types import ImageData
from trainables.parameters import TorchFeedforwardParameters, TorchLogisticRegressionParameters
from trainables.torch_engines import cache_folder, choose_engine
from trainables.torch_models import Architecture, accuracy, dropout_mask, initial_weights, scaled
from trainables.torch_optimizers import Optimizer
from trainables.torch_steps import Batches, Engine, Problem, State

#: Samples handed to an engine at once: their float32 pixels (1.6 MB at 784) stay in the cache.
STRETCH_SAMPLES = 512


def train_logistic_regression(
    config: Mapping[str, Any], data: ImageData, report: Report, *, epochs: int, seed: int
) -> None:
    """Train multinomial logistic regression (Q4.1); a :class:`trainables.contract.Train`.

    Reports ``train_loss`` (mean cross-entropy in nats over the epoch's samples, each before its
    update), ``validation_accuracy`` and ``test_accuracy``. Raises ``pydantic.ValidationError`` for
    a parameter that :class:`~trainables.parameters.TorchLogisticRegressionParameters` refuses.
    """
    p = TorchLogisticRegressionParameters.model_validate(dict(config))
    architecture = Architecture(data.x_train.shape[1], len(data.classes))
    optimizer = Optimizer(p.optimizer, p.learning_rate, p.l2_decay)
    problem = Problem(architecture, p.batch_size, optimizer)
    _train(problem, 0.0, data, report, epochs=epochs, seed=seed)


def train_feedforward(
    config: Mapping[str, Any], data: ImageData, report: Report, *, epochs: int, seed: int
) -> None:
    """Train a feed-forward network with dropout (Q4.2, Q4.3); a :class:`trainables.contract.Train`.

    Reports ``train_loss`` (mean cross-entropy in nats over the epoch's samples, each before its
    update and with dropout on), ``validation_accuracy`` and ``test_accuracy`` (dropout off).
    Raises ``pydantic.ValidationError`` for a parameter that
    :class:`~trainables.parameters.TorchFeedforwardParameters` refuses.
    """
    p = TorchFeedforwardParameters.model_validate(dict(config))
    architecture = Architecture(
        data.x_train.shape[1], len(data.classes), p.layers, p.hidden_size, p.activation
    )
    optimizer = Optimizer(p.optimizer, p.learning_rate, p.l2_decay)
    problem = Problem(architecture, p.batch_size, optimizer)
    _train(problem, p.dropout, data, report, epochs=epochs, seed=seed)


def _train(
    problem: Problem, dropout: float, data: ImageData, report: Report, *, epochs: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    weights = initial_weights(problem.architecture, generator)
    state = State(weights, problem.optimizer.initial_moments(weights))
    steps = epochs * -(-len(data.y_train) // problem.batch_size)
    engine = choose_engine(problem, steps, cache_folder())
    for epoch in range(1, epochs + 1):
        with _denormals_flushed():
            state, train_loss = _train_epoch(engine, problem, state, dropout, data, generator)
        report(epoch, {"train_loss": train_loss, **_accuracies(problem, state, data)})


def _train_epoch(
    engine: Engine,
    problem: Problem,
    state: State,
    dropout: float,
    data: ImageData,
    generator: torch.Generator,
) -> tuple[State, float]:
    """Train on every image once; return the new state and the mean loss over the images."""
    total = 0.0
    for batches in epoch_batches(problem, dropout, data, generator):
        state, losses = engine.run(state, batches)
        total += float(losses.sum(dtype=torch.float64)) * batches.labels.shape[1]
    return state, total / len(data.y_train)


def epoch_batches(
    problem: Problem, dropout: float, data: ImageData, generator: torch.Generator
) -> Iterator[Batches]:
    """Yield the training images once, in a new random order, some hundred samples at a time.

    A last batch that is not full comes alone.
    """
    size = problem.batch_size
    order = torch.randperm(len(data.y_train), generator=generator).numpy()
    full = len(order) - len(order) % size
    stretch = max(STRETCH_SAMPLES // size, 1) * size
    for start in range(0, full, stretch):
        chosen = order[start : min(start + stretch, full)]
        yield _gather(problem.architecture, size, dropout, data, chosen, generator)
    if full < len(order):
        rest = order[full:]
        yield _gather(problem.architecture, len(rest), dropout, data, rest, generator)


def _gather(
    architecture: Architecture,
    size: int,
    dropout: float,
    data: ImageData,
    chosen: np.ndarray[Any, np.dtype[np.int64]],
    generator: torch.Generator,
) -> Batches:
    steps = len(chosen) // size
    # Via asarray: taking from a memory map's subclass would wrap every row.
    x = scaled(np.asarray(data.x_train).take(chosen, axis=0), data.scale)
    labels = torch.from_numpy(np.asarray(data.y_train).take(chosen))
    shape = (steps, size, architecture.hidden_size)
    masks = tuple(dropout_mask(shape, dropout, generator) for _ in range(architecture.layers))
    return Batches(x.view(steps, size, -1), labels.view(steps, size), masks)


def _accuracies(problem: Problem, state: State, data: ImageData) -> dict[str, float]:
    def measure(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> float:
        return accuracy(problem.architecture, state.weights, x, y, data.scale)

    return {
        "validation_accuracy": measure(data.x_validation, data.y_validation),
        "test_accuracy": measure(data.x_test, data.y_test),
    }


@contextmanager
def _denormals_flushed() -> Iterator[None]:
    """Treat denormal numbers as 0 in this thread: moments of dead pixels are full of them."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
