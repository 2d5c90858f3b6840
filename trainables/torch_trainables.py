"""Logistic regression and feed-forward networks by automatic differentiation (Q4), in float32.

One ``torch.Generator`` per trial, seeded with the trial's seed, draws the initial weights; then for
each epoch a permutation of the training images and, some hundred samples at a time, the dropout
masks. It stays on the CPU, so a GPU sees the same draws. Nothing here reads or sets torch's global
random state or its number of threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from trainables.contract import Report
from trainables.datasets.types import ImageData
from trainables.parameters import TorchFeedforwardParameters, TorchLogisticRegressionParameters
from trainables.torch_devices import Images, choose_device, denormals_flushed
from trainables.torch_engines import Engine, cache_folder, choose_engine
from trainables.torch_models import Architecture, accuracy, dropout_mask, scaled
from trainables.torch_optimizers import Optimizer
from trainables.torch_steps import Batches, Problem, State

#: Samples handed to an engine at once: their float32 pixels (1.6 MB at 784) stay in the cache.
STRETCH_SAMPLES = 512


def train_logistic_regression(
    config: Mapping[str, Any], data: ImageData, report: Report, *, epochs: int, seed: int
) -> None:
    """Train multinomial logistic regression (Q4.1); a :class:`trainables.contract.Train`.

    Reports ``train_loss`` (mean cross-entropy in nats over the epoch's samples, each before its
    update), ``validation_accuracy`` and ``test_accuracy``. Raises ``pydantic.ValidationError`` for
    a parameter that :class:`~trainables.parameters.TorchLogisticRegressionParameters` refuses, and
    :class:`~trainables.contract.DeviceUnavailable` for ``device`` "cuda" without a GPU.
    """
    parameters = TorchLogisticRegressionParameters(**config)
    architecture = Architecture(data.x_train.shape[1], len(data.classes))
    _train(architecture, parameters, 0.0, data, report, epochs=epochs, seed=seed)


def train_feedforward(
    config: Mapping[str, Any], data: ImageData, report: Report, *, epochs: int, seed: int
) -> None:
    """Train a feed-forward network with dropout (Q4.2, Q4.3); a :class:`trainables.contract.Train`.

    Reports ``train_loss`` (mean cross-entropy in nats over the epoch's samples, each before its
    update and with dropout on), ``validation_accuracy`` and ``test_accuracy`` (dropout off).
    Raises ``pydantic.ValidationError`` for a parameter that
    :class:`~trainables.parameters.TorchFeedforwardParameters` refuses, and
    :class:`~trainables.contract.DeviceUnavailable` for ``device`` "cuda" without a GPU.
    """
    p = TorchFeedforwardParameters(**config)
    architecture = Architecture(
        data.x_train.shape[1], len(data.classes), p.layers, p.hidden_size, p.activation
    )
    _train(architecture, p, p.dropout, data, report, epochs=epochs, seed=seed)


def _train(
    architecture: Architecture,
    parameters: TorchLogisticRegressionParameters | TorchFeedforwardParameters,
    dropout: float,
    data: ImageData,
    report: Report,
    *,
    epochs: int,
    seed: int,
) -> None:
    optimizer = Optimizer(parameters.optimizer, parameters.learning_rate, parameters.l2_decay)
    problem = Problem(architecture, parameters.batch_size, optimizer)
    device = choose_device(parameters.device)
    images = Images.of(data, device)
    generator = torch.Generator().manual_seed(seed)
    state = State.initial(problem, generator, device)
    steps = epochs * -(-len(data.y_train) // problem.batch_size)
    engine = choose_engine(problem, device, steps, cache_folder())
    for epoch in range(1, epochs + 1):
        with denormals_flushed():
            batches = epoch_batches(problem, dropout, images, generator)
            state, loss = _train_epoch(engine, state, batches)
        at = architecture, state.weights
        metrics = {
            "train_loss": loss,
            "validation_accuracy": accuracy(
                *at, images.x_validation, images.y_validation, images.scale
            ),
            "test_accuracy": accuracy(*at, images.x_test, images.y_test, images.scale),
        }
        report(epoch, metrics, engine=engine.name)


def _train_epoch(engine: Engine, state: State, stretches: Iterator[Batches]) -> tuple[State, float]:
    """Train on all batches; return the new state and the mean loss over their samples."""
    device = state.weights[0].device
    total, samples = torch.zeros((), dtype=torch.float64, device=device), 0
    for batches in stretches:
        state, losses = engine.run(state, batches)
        total += losses.sum(dtype=torch.float64) * batches.labels.shape[1]
        samples += batches.labels.numel()
    return state, total.item() / samples


def epoch_batches(
    problem: Problem, dropout: float, images: Images, generator: torch.Generator
) -> Iterator[Batches]:
    """Yield the training images once, in a new random order, some hundred samples at a time.

    A last batch that is not full comes alone.
    """
    size = problem.batch_size
    count = len(images.y_train)
    order = torch.randperm(count, generator=generator).to(images.y_train.device)
    full = count - count % size
    stretch = max(STRETCH_SAMPLES // size, 1) * size
    for start in range(0, full, stretch):
        chosen = order[start : min(start + stretch, full)]
        yield _gather(problem.architecture, size, dropout, images, chosen, generator)
    if full < count:
        rest = order[full:]
        yield _gather(problem.architecture, len(rest), dropout, images, rest, generator)


def _gather(
    architecture: Architecture,
    size: int,
    dropout: float,
    images: Images,
    chosen: Tensor,
    generator: torch.Generator,
) -> Batches:
    steps = len(chosen) // size
    x = scaled(images.x_train.index_select(0, chosen), images.scale)
    labels = images.y_train.index_select(0, chosen)
    shape = (steps, size, architecture.hidden_size)
    masks = tuple(
        dropout_mask(shape, dropout, generator).to(x.device) for _ in range(architecture.layers)
    )
    return Batches(x.view(steps, size, -1), labels.view(steps, size), masks)
