"""The blocks of the loop that is compiled, run uncompiled, against the plain loop."""

from __future__ import annotations

import pytest
import torch

from tests.trainables.torch_problems import (
    ONE_HIDDEN,
    TWO_HIDDEN,
    random_batches,
    start,
    train_plainly,
)
from trainables.torch_loops import Graph, _block, _delayed_block
from trainables.torch_models import Architecture
from trainables.torch_optimizers import Optimizer
from trainables.torch_steps import Problem

pytestmark = pytest.mark.usefixtures("one_thread")
LOGISTIC = Architecture(12, 4)


@pytest.mark.parametrize(
    ("problem", "delayed", "steps"),
    [
        (Problem(ONE_HIDDEN, 1, Optimizer("sgd", 0.1)), True, 16),
        (Problem(TWO_HIDDEN, 1, Optimizer("sgd", 0.1)), True, 8),
        (Problem(LOGISTIC, 1, Optimizer("sgd", 0.1)), False, 4),
        (Problem(ONE_HIDDEN, 1, Optimizer("sgd", 0.1, 0.01)), False, 4),
        (Problem(ONE_HIDDEN, 1, Optimizer("adam", 0.1)), False, 4),
        (Problem(ONE_HIDDEN, 2, Optimizer("sgd", 0.1)), False, 4),
    ],
)
def test_updates_are_delayed_where_that_is_exact(
    problem: Problem, delayed: bool, steps: int
) -> None:
    graph = Graph.of(problem)
    assert (graph.delayed, graph.steps) == (delayed, steps)


@pytest.mark.parametrize(
    "problem",
    [
        Problem(ONE_HIDDEN, 1, Optimizer("sgd", 0.05)),
        Problem(TWO_HIDDEN, 1, Optimizer("sgd", 0.05)),
        Problem(LOGISTIC, 1, Optimizer("sgd", 0.05, 0.01)),
        Problem(TWO_HIDDEN, 1, Optimizer("adam", 0.003, 0.01)),
        Problem(ONE_HIDDEN, 7, Optimizer("sgd", 0.1)),
    ],
    ids=["delayed", "delayed, two layers", "logistic", "Adam", "batches"],
)
def test_blocks_equal_plain(problem: Problem) -> None:
    graph = Graph.of(problem)
    steps = 3 * graph.steps
    batches = random_batches(problem, steps)
    weights, losses = train_plainly(problem, batches)
    state, rates = start(problem), problem.optimizer.rates(1, steps)
    if problem.batch_size == 1:
        batches = batches.as_single_samples()
    carry, found_losses = (*state.weights, *state.moments), []
    run = _delayed_block if graph.delayed else _block
    for first in range(0, steps, graph.steps):
        rows = slice(first, first + graph.steps)
        masks = tuple(mask[rows] for mask in batches.masks)
        block = batches.x[rows], batches.labels[rows], masks, rates[rows]
        carry, part = run(graph, carry, block)
        found_losses.append(part)
    assert len(carry) == len(state.weights) + len(state.moments)
    torch.testing.assert_close(torch.cat(found_losses), losses, rtol=1e-5, atol=1e-5)
    for one, other in zip(carry, weights, strict=False):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_the_example_has_the_shapes_of_the_loop() -> None:
    problem = Problem(ONE_HIDDEN, 7, Optimizer("adam", 0.1))
    graph = Graph.of(problem)
    weights, moments, (x, labels, masks, rates) = graph.example(2)
    assert [tuple(w.shape) for w in weights] == [(8, 12), (8,), (4, 8), (4,)]
    assert len(moments) == 2 * len(weights)
    assert (x.shape, labels.shape) == ((2, 4, 7, 12), (2, 4, 7))
    assert ([m.shape for m in masks], rates.shape) == ([(2, 4, 7, 8)], (2, 4, 3))
