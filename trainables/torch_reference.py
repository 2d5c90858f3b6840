"""The plain training loop, one module call and one optimizer step after another (Q4).

The engines are tested and timed against it. It is written as in a course hand-in; no job runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from trainables.torch_models import Architecture
from trainables.torch_optimizers import Optimizer


def network(architecture: Architecture, dropout: Callable[[], nn.Module]) -> nn.Sequential:
    """Return the network as modules; ``dropout`` makes the module after each hidden activation."""
    activation = nn.ReLU if architecture.activation == "relu" else nn.Tanh
    modules: list[nn.Module] = []
    sizes = architecture.sizes
    for layer in range(architecture.layers):
        modules += [nn.Linear(sizes[layer], sizes[layer + 1]), activation(), dropout()]
    return nn.Sequential(*modules, nn.Linear(sizes[-2], sizes[-1]))


def torch_optimizer(model: nn.Module, optimizer: Optimizer) -> torch.optim.Optimizer:
    """Return torch's own optimizer of that name over the model's parameters."""
    kind = torch.optim.SGD if optimizer.name == "sgd" else torch.optim.Adam
    return kind(model.parameters(), lr=optimizer.learning_rate, weight_decay=optimizer.l2_decay)


def samples(
    x: Tensor, labels: Tensor, batch_size: int, generator: torch.Generator
) -> DataLoader[tuple[Tensor, ...]]:
    """Return a loader that shuffles ``x`` (images, features), ``labels`` (images,) each epoch."""
    data = TensorDataset(x, labels)
    return DataLoader(data, batch_size=batch_size, shuffle=True, generator=generator)


def train_epoch(
    model: nn.Module, optimizer: torch.optim.Optimizer, batches: Iterable[Sequence[Tensor]]
) -> list[float]:
    """Train on every batch once and return each batch's mean loss before its update."""
    criterion = nn.CrossEntropyLoss()
    losses = []
    model.train()
    for x, labels in batches:
        optimizer.zero_grad()
        loss = criterion(model(x), labels)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    return losses
