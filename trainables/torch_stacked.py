"""Several trials of one architecture as one: the engine of a GPU, and of stacks anywhere.

Weights and moments have a leading dimension, the stack's members. The members share their seed and
so their batches; dropout masks differ where their probabilities do. Shapes: ``Batches.x`` (steps,
batch, features) and ``labels`` (steps, batch) of all members, each mask (steps, members, batch,
hidden_size), the losses (steps, members). Loss and update rule are those of one trial, mapped over
the members by ``torch.func.vmap``, so that no member's numbers reach another's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from trainables.torch_models import Architecture, Weights, initial_weights, loss
from trainables.torch_optimizers import OptimizerName, update
from trainables.torch_steps import Batches, Engine, Problem, State


def initial_state(
    problem: Problem, members: int, generator: torch.Generator, device: torch.device
) -> State:
    """Return a stack's state before its first step: all members begin with the same weights."""
    drawn = initial_weights(problem.architecture, generator)
    weights = tuple(w.to(device).expand(members, *w.shape).clone() for w in drawn)
    return State(weights, problem.optimizer.initial_moments(weights))


class StackedEngine:
    """Trains all members step by step, on whatever device their weights are.

    The ``problems`` differ in learning rate and L2 decay alone; raises ``ValueError`` for others.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        kinds = {(p.architecture, p.batch_size, p.optimizer.name) for p in problems}
        if len(kinds) > 1:
            raise ValueError(
                "the trials of a stack have one architecture, batch size and optimizer; "
                f"these have several: {sorted(map(str, kinds))}"
            )
        self._optimizers = [problem.optimizer for problem in problems]
        step = partial(_step, first.architecture, first.optimizer.name)
        self._step = torch.func.vmap(step, in_dims=(0, 0, None, None, 0, 0))

    def run(self, state: State, batches: Batches) -> tuple[State, Tensor]:
        """See :meth:`trainables.torch_steps.Engine.run`, with the shapes of a stack."""
        steps = len(batches)
        if batches.labels.shape[1] == 1:
            batches = batches.as_single_samples()
        weights, moments, losses = state.weights, state.moments, []
        rates = self._rates(state.steps + 1, steps).to(weights[0].device)
        for step in range(steps):
            masks = tuple(mask[step] for mask in batches.masks)
            weights, moments, value = self._step(
                weights, moments, batches.x[step], batches.labels[step], masks, rates[step]
            )
            losses.append(value)
        return State(weights, moments, state.steps + steps), torch.stack(losses)

    def _rates(self, first: int, steps: int) -> Tensor:
        """Return the members' :meth:`~trainables.torch_optimizers.Optimizer.rates`, side by side.

        Shape (steps, members, 2 or 3).
        """
        return torch.stack([one.rates(first, steps) for one in self._optimizers], dim=1)


def _step(
    architecture: Architecture,
    optimizer: OptimizerName,
    weights: Weights,
    moments: Weights,
    x: Tensor,
    labels: Tensor,
    masks: Weights,
    rates: Tensor,
) -> tuple[Weights, Weights, Tensor]:
    """Make one member's step; return its weights, its moments and its loss before the update."""

    def objective(at: Weights) -> Tensor:
        return loss(architecture, at, x, labels, masks)

    gradients, value = torch.func.grad_and_value(objective)(weights)
    return *update(optimizer, weights, moments, gradients, rates), value


class StackOfOne:
    """An engine for one trial, as the engine of a stack with that one member."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, state: State, batches: Batches) -> tuple[State, Tensor]:
        """See :meth:`trainables.torch_steps.Engine.run`, with the shapes of a stack."""
        alone = State(_first(state.weights), _first(state.moments), state.steps)
        masks = tuple(mask[:, 0] for mask in batches.masks)
        after, losses = self._engine.run(alone, Batches(batches.x, batches.labels, masks))
        return State(_stacked(after.weights), _stacked(after.moments), after.steps), losses[:, None]


def _first(stack: Weights) -> Weights:
    return tuple(tensor[0] for tensor in stack)


def _stacked(tensors: Weights) -> Weights:
    return tuple(tensor[None] for tensor in tensors)
