"""Problems, batches and the plain loop, for the tests of the torch engines."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainables import torch_reference
from trainables.torch_engines import Engine
from trainables.torch_models import Architecture, Weights, dropout_mask
from trainables.torch_steps import Batches, Problem, State

CPU = torch.device("cpu")
ONE_HIDDEN = Architecture(features=12, classes=4, layers=1, hidden_size=8)
TWO_HIDDEN = Architecture(features=12, classes=4, layers=2, hidden_size=8, activation="tanh")


class Replay(nn.Module):
    """A dropout layer whose masks are given: (steps, batch, hidden_size), one after the other."""

    def __init__(self, masks: Tensor) -> None:
        super().__init__()
        self._masks = iter(masks)

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden * next(self._masks)


def random_batches(problem: Problem, steps: int, seed: int = 3) -> Batches:
    g, size, shape = torch.Generator().manual_seed(seed), problem.batch_size, problem.architecture
    x = torch.rand(steps, size, shape.features, generator=g)
    labels = (x[..., : shape.classes]).argmax(dim=-1)
    masks = tuple(
        dropout_mask((steps, size, shape.hidden_size), 0.3, g) for _ in range(shape.layers)
    )
    return Batches(x, labels, masks)


def start(problem: Problem, seed: int = 1) -> State:
    return State.initial(problem, torch.Generator().manual_seed(seed), CPU)


def train_plainly(problem: Problem, batches: Batches) -> tuple[Weights, Tensor]:
    masks = iter(batches.masks)
    model = torch_reference.network(problem.architecture, lambda: Replay(next(masks)))
    drawn = nn.utils.parameters_to_vector(start(problem).weights)
    nn.utils.vector_to_parameters(drawn, model.parameters())
    optimizer = torch_reference.torch_optimizer(model, problem.optimizer)
    losses = torch_reference.train_epoch(
        model, optimizer, zip(batches.x, batches.labels, strict=True)
    )
    return tuple(p.detach() for p in model.parameters()), torch.tensor(losses)


def assert_same_training(engine: Engine, problem: Problem, *stretches: int) -> None:
    """Train the engine over stretches of that many steps, and the plain loop over all of them."""
    batches = random_batches(problem, sum(stretches))
    expected_weights, expected_losses = train_plainly(problem, batches)
    state, losses, done = start(problem), [], 0
    for steps in stretches:
        state, part = engine.run(state, batches[done : done + steps])
        losses.append(part)
        done += steps
    assert state.steps == sum(stretches)
    # At 500 steps on 784 pixels 2e-7 to 9e-6 is usual; weights and losses here are of order 1.
    torch.testing.assert_close(torch.cat(losses), expected_losses, rtol=1e-5, atol=1e-5)
    initial = start(problem).weights
    for weight, expected, at_start in zip(state.weights, expected_weights, initial, strict=True):
        torch.testing.assert_close(weight, expected, rtol=1e-5, atol=1e-5)
        assert (expected - at_start).abs().max() > 1e-3
