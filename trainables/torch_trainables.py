"""Logistic regression and feed-forward networks by automatic differentiation (Q4), in float32.

One ``torch.Generator`` per trial, seeded with the trial's seed, draws the initial weights; then for
each epoch a permutation of the training images and, some hundred samples at a time, the dropout
masks. It stays on the CPU, so a GPU sees the same draws. Nothing here reads or sets torch's global
random state or its number of threads. :mod:`trainables.torch_states` makes and reads the states,
which are also the models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from trainables import contract
from trainables.contract import Report
from trainables.datasets.types import ClassificationData
from trainables.parameters import TorchFeedforwardParameters, TorchLogisticRegressionParameters
from trainables.resume import whole
from trainables.torch_devices import Images, choose_device, denormals_flushed
from trainables.torch_engines import Engine, cache_folder, choose_engine
from trainables.torch_models import Architecture, Weights, accuracy, dropout_mask, scaled
from trainables.torch_optimizers import Optimizer
from trainables.torch_states import restore, to_state
from trainables.torch_steps import Batches, Problem, State

#: Samples handed to an engine at once: their float32 pixels (1.6 MB at 784) stay in the cache.
STRETCH_SAMPLES = 512


def train_logistic_regression(
    config: Mapping[str, Any],
    data: ClassificationData,
    report: Report,
    *,
    epochs: int,
    seed: int,
    resume: contract.State | None = None,
) -> None:
    """Train multinomial logistic regression (Q4.1); a :class:`trainables.contract.Train`.

    Reports ``train_loss`` (mean cross-entropy in nats over the epoch's samples, each before its
    update), ``validation_accuracy`` and ``test_accuracy``. Raises ``pydantic.ValidationError`` for
    a parameter that :class:`~trainables.parameters.TorchLogisticRegressionParameters` refuses,
    :class:`~trainables.contract.DeviceUnavailable` for ``device`` "cuda" without a GPU, and
    :class:`~trainables.state_files.StateError` for a state of another configuration.
    """
    parameters = TorchLogisticRegressionParameters(**config)
    architecture = Architecture(data.x_train.shape[1], len(data.classes))
    trial = _Trial("torch_logistic_regression", architecture, parameters, 0.0, epochs, seed)
    trial.train(data, report, resume)


def train_feedforward(
    config: Mapping[str, Any],
    data: ClassificationData,
    report: Report,
    *,
    epochs: int,
    seed: int,
    resume: contract.State | None = None,
) -> None:
    """Train a feed-forward network with dropout (Q4.2, Q4.3); a :class:`trainables.contract.Train`.

    Reports ``train_loss`` (mean cross-entropy in nats over the epoch's samples, each before its
    update and with dropout on), ``validation_accuracy`` and ``test_accuracy`` (dropout off).
    Raises ``pydantic.ValidationError`` for a parameter that
    :class:`~trainables.parameters.TorchFeedforwardParameters` refuses,
    :class:`~trainables.contract.DeviceUnavailable` for ``device`` "cuda" without a GPU, and
    :class:`~trainables.state_files.StateError` for a state of another configuration.
    """
    p = TorchFeedforwardParameters(**config)
    architecture = Architecture(
        data.x_train.shape[1], len(data.classes), p.layers, p.hidden_size, p.activation
    )
    trial = _Trial("torch_feedforward", architecture, p, p.dropout, epochs, seed)
    trial.train(data, report, resume)


@dataclass(frozen=True, slots=True)
class _Trial:
    """What the two trainables hand to their common training."""

    trainable: str
    architecture: Architecture
    parameters: TorchLogisticRegressionParameters | TorchFeedforwardParameters
    dropout: float
    epochs: int
    seed: int

    def train(
        self, data: ClassificationData, report: Report, resume: contract.State | None
    ) -> None:
        """Train and report every epoch, from the first on or after the state ``resume``."""
        p = self.parameters
        optimizer = Optimizer(p.optimizer, p.learning_rate, p.l2_decay)
        problem = Problem(self.architecture, p.batch_size, optimizer)
        device = choose_device(p.device)
        images = Images.of(data, device)
        generator = torch.Generator().manual_seed(self.seed)
        if resume is None:
            done, state = 0, State.initial(problem, generator, device)
        else:
            state = restore(resume, self.trainable, problem, generator, device)
            done = whole(resume, "epoch", self.epochs)
        # All epochs count, so that a resumed trial is trained by the same engine.
        steps = self.epochs * -(-len(data.y_train) // problem.batch_size)
        engine = choose_engine(problem, device, steps, cache_folder())
        for epoch in range(done + 1, self.epochs + 1):
            with denormals_flushed():
                batches = epoch_batches(problem, self.dropout, images, generator)
                state, loss = _train_epoch(engine, state, batches)
            metrics = {"train_loss": loss, **_accuracies(self.architecture, state.weights, images)}
            current = partial(to_state, self.trainable, epoch, problem, state, generator)
            report(epoch, metrics, engine=engine.name, state=current)


def _accuracies(architecture: Architecture, weights: Weights, images: Images) -> dict[str, float]:
    at, scale = (architecture, weights), images.scale
    held_out = {
        "validation_accuracy": (images.x_validation, images.y_validation),
        "test_accuracy": (images.x_test, images.y_test),
    }
    return {name: accuracy(*at, x, y, scale) for name, (x, y) in held_out.items() if len(y)}


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
