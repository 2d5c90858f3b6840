"""Logistic regression and feed-forward networks by automatic differentiation (Q4), in float32.

Trials train in stacks, one alone in a stack of one. One ``torch.Generator`` per stack, seeded with
the trials' seed, draws in this order: the initial weights; then for each epoch a permutation of the
training images and, stretch by stretch, the dropout masks. So each member sees what it would see
alone, on any device. Nothing here reads or sets torch's global random state or its number of
threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from trainables.contract import Report, StackReport
from trainables.datasets.types import ImageData
from trainables.parameters import (
    DeviceName,
    Parameters,
    TorchFeedforwardParameters,
    TorchLogisticRegressionParameters,
)
from trainables.torch_devices import Images, choose_device, denormals_flushed
from trainables.torch_engines import cache_folder, stack_engine
from trainables.torch_models import Architecture, accuracies, dropout_mask, scaled
from trainables.torch_optimizers import Optimizer
from trainables.torch_stacked import initial_state
from trainables.torch_steps import Batches, Engine, Problem, State

#: Samples handed to an engine at once: their float32 pixels (1.6 MB at 784) stay in the cache.
STRETCH_SAMPLES = 512

P = TypeVar("P", bound=Parameters)


def train_logistic_regression(
    config: Mapping[str, Any], data: ImageData, report: Report, *, epochs: int, seed: int
) -> None:
    """Train multinomial logistic regression (Q4.1); a :class:`trainables.contract.Train`.

    Reports ``train_loss`` (mean cross-entropy in nats over the epoch's samples, each before its
    update), ``validation_accuracy`` and ``test_accuracy``. Raises ``pydantic.ValidationError`` for
    a parameter that :class:`~trainables.parameters.TorchLogisticRegressionParameters` refuses, and
    :class:`~trainables.contract.DeviceUnavailable` for ``device`` "cuda" without a GPU.
    """
    train_logistic_regression_stack([config], data, _alone(report), epochs=epochs, seed=seed)


def train_logistic_regression_stack(
    configs: Sequence[Mapping[str, Any]],
    data: ImageData,
    report: StackReport,
    *,
    epochs: int,
    seed: int,
) -> None:
    """Do so for several; a :class:`trainables.contract.TrainStack`.

    Raises ``ValueError`` for configurations that cannot train together.
    """
    members = _validated(TorchLogisticRegressionParameters, configs)
    architecture = Architecture(data.x_train.shape[1], len(data.classes))
    stack = _stack(architecture, members, [0.0] * len(members))
    _train(stack, data, report, epochs=epochs, seed=seed)


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
    train_feedforward_stack([config], data, _alone(report), epochs=epochs, seed=seed)


def train_feedforward_stack(
    configs: Sequence[Mapping[str, Any]],
    data: ImageData,
    report: StackReport,
    *,
    epochs: int,
    seed: int,
) -> None:
    """Do so for several; a :class:`trainables.contract.TrainStack`.

    Raises ``ValueError`` for configurations that cannot train together.
    """
    members = _validated(TorchFeedforwardParameters, configs)
    first = members[0]
    architecture = Architecture(
        data.x_train.shape[1], len(data.classes), first.layers, first.hidden_size, first.activation
    )
    stack = _stack(architecture, members, [member.dropout for member in members])
    _train(stack, data, report, epochs=epochs, seed=seed)


def _alone(report: Report) -> StackReport:
    return lambda epoch, metrics: report(epoch, metrics[0])


def _validated(model: type[P], configs: Sequence[Mapping[str, Any]]) -> list[P]:
    members = [model.model_validate(dict(config)) for config in configs]
    if len({member.stack_key() for member in members}) > 1:
        names = ", ".join(sorted(model.stackable))
        raise ValueError(f"the trials of a stack may differ in {names} alone")
    return members


@dataclass(frozen=True, slots=True)
class Stack:
    """Trials that train together: a problem and a dropout probability for each, and where."""

    problems: Sequence[Problem]
    dropouts: Sequence[float]
    device: DeviceName


def _stack(
    architecture: Architecture,
    members: Sequence[TorchLogisticRegressionParameters] | Sequence[TorchFeedforwardParameters],
    dropouts: Sequence[float],
) -> Stack:
    problems = [
        Problem(architecture, p.batch_size, Optimizer(p.optimizer, p.learning_rate, p.l2_decay))
        for p in members
    ]
    return Stack(problems, dropouts, members[0].device)


def _train(stack: Stack, data: ImageData, report: StackReport, *, epochs: int, seed: int) -> None:
    device = choose_device(stack.device)
    images = Images.of(data, device)
    dropout = torch.tensor(stack.dropouts, dtype=torch.float64, device=device)
    problem = stack.problems[0]
    generator = torch.Generator().manual_seed(seed)
    state = initial_state(problem, len(stack.problems), generator, device)
    steps = epochs * -(-len(data.y_train) // problem.batch_size)
    engine = stack_engine(stack.problems, device, steps, cache_folder())
    for epoch in range(1, epochs + 1):
        with denormals_flushed():
            state, losses = _train_epoch(engine, problem, state, dropout, images, generator)
        report(epoch, _metrics(problem.architecture, state, losses, images))


def _train_epoch(
    engine: Engine,
    problem: Problem,
    state: State,
    dropout: Tensor,
    images: Images,
    generator: torch.Generator,
) -> tuple[State, list[float]]:
    """Train on every image once; return the new state and each member's mean loss."""
    total = torch.zeros(len(dropout), dtype=torch.float64, device=dropout.device)
    for batches in epoch_batches(problem, dropout, images, generator):
        state, losses = engine.run(state, batches)
        total += losses.sum(dim=0, dtype=torch.float64) * batches.labels.shape[1]
    mean_losses: list[float] = (total / len(images.y_train)).tolist()
    return state, mean_losses


def epoch_batches(
    problem: Problem, dropout: Tensor, images: Images, generator: torch.Generator
) -> Iterator[Batches]:
    """Yield the training images once, in a new random order, some hundred samples at a time.

    ``dropout``, (members,) float64, are the probabilities. A last batch that is not full comes
    alone.
    """
    size = problem.batch_size
    count = len(images.y_train)
    order = torch.randperm(count, generator=generator).to(dropout.device)
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
    dropout: Tensor,
    images: Images,
    chosen: Tensor,
    generator: torch.Generator,
) -> Batches:
    steps = len(chosen) // size
    x = scaled(images.x_train.index_select(0, chosen), images.scale)
    labels = images.y_train.index_select(0, chosen)
    shape = (steps, 1, size, architecture.hidden_size)
    masks = tuple(
        dropout_mask(shape, dropout[:, None, None], generator) for _ in range(architecture.layers)
    )
    return Batches(x.view(steps, size, -1), labels.view(steps, size), masks)


def _metrics(
    architecture: Architecture, state: State, losses: Sequence[float], images: Images
) -> list[dict[str, float]]:
    """Return each member's metrics after an epoch with these mean losses."""
    at = architecture, state.weights
    validation = accuracies(*at, images.x_validation, images.y_validation, images.scale)
    test = accuracies(*at, images.x_test, images.y_test, images.scale)
    columns = zip(losses, validation, test, strict=True)
    return [
        {"train_loss": loss, "validation_accuracy": shown, "test_accuracy": unseen}
        for loss, shown, unseen in columns
    ]
