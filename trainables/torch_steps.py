"""The input and output of an engine, and the eager engine.

An engine runs many optimizer steps on some batches; it computes what the plain loop of
:mod:`trainables.torch_reference` computes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from trainables.torch_models import Architecture, Weights, initial_weights, loss
from trainables.torch_optimizers import Optimizer, update_in_place


@dataclass(frozen=True, slots=True)
class Problem:
    """The network, the size of a batch and the update rule."""

    architecture: Architecture
    batch_size: int
    optimizer: Optimizer


@dataclass(frozen=True, slots=True)
class State:
    """Weights, the optimizer's moments and the number of steps done; an engine returns a new one.

    An engine may write over the tensors of the state it is given: do not use it again.
    """

    weights: Weights
    moments: Weights
    steps: int = 0

    @classmethod
    def initial(cls, problem: Problem, generator: torch.Generator, device: torch.device) -> State:
        """Draw the initial weights with the CPU's ``generator`` and put them on the device."""
        drawn = initial_weights(problem.architecture, generator)
        weights = tuple(weight.to(device) for weight in drawn)
        return cls(weights, problem.optimizer.initial_moments(weights))


@dataclass(frozen=True, slots=True)
class Batches:
    """Consecutive batches of one size.

    ``x`` (steps, batch, features) float32; ``labels`` (steps, batch) int64; ``masks`` one
    (steps, batch, hidden_size) float32 tensor of dropout multipliers per hidden layer, or none.
    """

    x: Tensor
    labels: Tensor
    masks: tuple[Tensor, ...]

    def __len__(self) -> int:
        """Return the number of steps."""
        return len(self.labels)

    def __getitem__(self, steps: slice) -> Batches:
        """Return some of the steps, as views."""
        return Batches(self.x[steps], self.labels[steps], tuple(m[steps] for m in self.masks))

    def as_single_samples(self) -> Batches:
        """Return batches of one without their batch dimension: matrix-vector products cost less."""
        masks = tuple(mask.squeeze(-2) for mask in self.masks)
        return Batches(self.x.squeeze(1), self.labels.squeeze(1), masks)


class EagerEngine:
    """Autograd and in-place updates, operator by operator: no compiler, no module, no loader.

    A trial's record shows ``name``.
    """

    def __init__(self, problem: Problem, name: str = "eager") -> None:
        self._problem = problem
        self.name = name

    def run(self, state: State, batches: Batches) -> tuple[State, Tensor]:
        """Return the state after one step per batch, and each batch's mean loss before its update.

        The losses are float32, (steps,). The batches may have any size, each call its own. The
        weights and moments of ``state`` are overwritten.
        """
        optimizer = self._problem.optimizer
        weights = tuple(w.detach().requires_grad_() for w in state.weights)
        losses = torch.empty(len(batches), device=batches.x.device)
        if batches.labels.shape[1] == 1:
            batches = batches.as_single_samples()
        rates = optimizer.rates(state.steps + 1, len(batches))
        for step in range(len(batches)):
            masks = tuple(mask[step] for mask in batches.masks)
            sample = batches.x[step], batches.labels[step], masks
            value = loss(self._problem.architecture, weights, *sample)
            losses[step] = value.detach()
            gradients = torch.autograd.grad(value, weights)
            update_in_place(optimizer.name, weights, state.moments, gradients, rates[step])
        detached = tuple(w.detach() for w in weights)
        return State(detached, state.moments, state.steps + len(batches)), losses
