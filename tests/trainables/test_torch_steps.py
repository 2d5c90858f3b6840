"""The eager engine against the plain loop, on the same weights, order and dropout masks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.trainables.torch_problems import (
    ONE_HIDDEN,
    TWO_HIDDEN,
    assert_same_training,
    random_batches,
    start,
)
from trainables.numpy_models import Network
from trainables.numpy_reference import mlp_epoch
from trainables.torch_models import Architecture
from trainables.torch_optimizers import Optimizer, OptimizerName
from trainables.torch_steps import EagerEngine, Problem

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("decay", [0.0, 0.01])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("size", [1, 7, 64])
def test_eager_equals_plain(optimizer: OptimizerName, size: int, decay: float) -> None:
    problem = Problem(ONE_HIDDEN, size, Optimizer(optimizer, 0.01, decay))
    assert_same_training(EagerEngine(problem), problem, 60, 40)


@pytest.mark.parametrize("architecture", [Architecture(12, 4), TWO_HIDDEN])
def test_eager_equals_plain_for_other_depths(architecture: Architecture) -> None:
    problem = Problem(architecture, 1, Optimizer("sgd", 0.05))
    assert_same_training(EagerEngine(problem), problem, 200)


def test_eager_equals_the_numpy_network() -> None:
    problem = Problem(ONE_HIDDEN, 1, Optimizer("sgd", 0.05))
    batches = replace(random_batches(problem, 300), masks=())
    network = Network(*(w.double().numpy() for w in start(problem).weights))
    x, labels = batches.x.squeeze(1).double().numpy(), batches.labels.squeeze(1).numpy()
    mean_loss = mlp_epoch(network, x, labels, np.arange(300), 0.05)
    state, losses = EagerEngine(problem).run(start(problem), batches)
    assert losses.mean().item() == pytest.approx(mean_loss, rel=1e-5)
    expected = (network.w1, network.b1, network.w2, network.b2)
    for weight, by_hand in zip(state.weights, expected, strict=True):
        np.testing.assert_allclose(weight.numpy(), by_hand, rtol=1e-5, atol=1e-5)
