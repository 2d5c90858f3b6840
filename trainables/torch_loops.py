"""Many optimizer steps as one piece of torch code, for :mod:`trainables.torch_compiled`.

``torch.func.grad_and_value`` of the loss and the update rule form the body of the higher-order
operator ``scan``, so the compiler sees the whole loop. The graph depends on network, batch size and
kind of update alone: learning rate, L2 decay, dropout and Adam's bias corrections are tensor
inputs, so new values need no new code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from trainables.torch_models import Architecture, Weights, initial_weights, logits_above, loss
from trainables.torch_optimizers import Optimizer, OptimizerName, update
from trainables.torch_steps import Problem

#: Samples, labels, masks and rates, each (iterations, steps of a block, ...).
Blocks = tuple[Tensor, Tensor, Weights, Tensor]
#: Takes weights, moments and blocks; returns weights, moments and losses (iterations, steps).
Loop = Callable[[Weights, Weights, Blocks], tuple[Weights, Weights, Tensor]]

#: The weights change buffers between blocks, so a block has several steps; each makes compiling
#: longer.
_STEPS = 4
#: A delayed update of the first layer costs about the same for any number of steps; in a deeper
#: network it is a smaller part of the whole, and the code of a step is longer.
_DELAYED_STEPS, _DELAYED_STEPS_DEEP = 16, 8


@dataclass(frozen=True, slots=True)
class Graph:
    """Everything that the loop's code depends on.

    ``delayed``: the first layer is updated once per block, see :func:`_delayed_block`.
    """

    architecture: Architecture
    optimizer: OptimizerName
    batch_size: int
    delayed: bool

    @classmethod
    def of(cls, problem: Problem) -> Graph:
        """Return the graph for a problem: delayed where that is exact and faster.

        Without hidden layers it is not faster: the weights stay in the first-level cache.
        """
        architecture, rule = problem.architecture, problem.optimizer
        exact = rule.name == "sgd" and rule.l2_decay == 0 and problem.batch_size == 1
        return cls(architecture, rule.name, problem.batch_size, exact and architecture.layers > 0)

    @property
    def steps(self) -> int:
        """Steps in one block."""
        if not self.delayed:
            return _STEPS
        return _DELAYED_STEPS if self.architecture.layers == 1 else _DELAYED_STEPS_DEEP

    def loop(self) -> Loop:
        """Return the loop, not compiled."""
        from torch._higher_order_ops.scan import scan

        block = _delayed_block if self.delayed else _block

        def train(
            weights: Weights, moments: Weights, blocks: Blocks
        ) -> tuple[Weights, Weights, Tensor]:
            count = len(weights)
            carry, losses = scan(partial(block, self), (*weights, *moments), blocks)
            return carry[:count], carry[count:], losses

        return train

    def example(self, iterations: int) -> tuple[Weights, Weights, Blocks]:
        """Return arguments of the loop's shapes and dtypes."""
        rule = Optimizer(self.optimizer, 0.01)
        weights = initial_weights(self.architecture, torch.Generator())
        batch = [self.batch_size] if self.batch_size > 1 else []
        shape = (iterations, self.steps, *batch)
        masks = torch.ones(*shape, self.architecture.hidden_size)
        blocks = (
            torch.zeros(*shape, self.architecture.features),
            torch.zeros(shape, dtype=torch.int64),
            tuple(masks.clone() for _ in range(self.architecture.layers)),
            rule.rates(1, iterations * self.steps).view(iterations, self.steps, -1),
        )
        return weights, rule.initial_moments(weights), blocks


def _block(graph: Graph, carry: Weights, block: Blocks) -> tuple[Weights, Tensor]:
    """Run one optimizer step after another."""
    count = 2 * graph.architecture.layers + 2
    weights, moments = carry[:count], carry[count:]
    x, labels, masks, rates = block
    losses = []
    for step in range(graph.steps):
        dropout = tuple(mask[step] for mask in masks)

        def objective(at: Weights, step: int = step, dropout: Weights = dropout) -> Tensor:
            return loss(graph.architecture, at, x[step], labels[step], dropout)

        gradients, value = torch.func.grad_and_value(objective)(weights)
        weights, moments = update(graph.optimizer, weights, moments, gradients, rates[step])
        losses.append(value)
    return (*weights, *moments), torch.stack(losses)


def _delayed_block(graph: Graph, carry: Weights, block: Blocks) -> tuple[Weights, Tensor]:
    """Run steps of plain SGD on single samples, and update the first layer once at the end.

    Algebraically the same as step after step: the first layer is affine, so with delta_s the
    gradient at its output z_s, times the learning rate, the weights of step t give
    z_t = W x_t + b - sum over s < t of delta_s (x_s . x_t + 1). Three matrix products replace a
    matrix-vector and an outer product per step.
    """
    w, b, above = carry[0], carry[1], carry[2:]
    x, labels, masks, rates = block
    gram = x @ x.T + 1
    z = functional.linear(x, w, b)  # rows: the steps to come
    deltas, losses = [], []
    for step in range(graph.steps):
        dropout = tuple(mask[step] for mask in masks)

        def objective(
            at: tuple[Tensor, Weights], step: int = step, dropout: Weights = dropout
        ) -> Tensor:
            scores = logits_above(graph.architecture, at[1], at[0], dropout)
            return functional.cross_entropy(scores, labels[step])

        (gradient, gradients), value = torch.func.grad_and_value(objective)((z[0], above))
        above, _ = update("sgd", above, (), gradients, rates[step])
        delta = rates[step, 0] * gradient
        z = z[1:] - gram[step, step + 1 :, None] * delta
        deltas.append(delta)
        losses.append(value)
    steps = torch.stack(deltas)
    return (w - steps.T @ x, b - steps.sum(dim=0), *above), torch.stack(losses)
