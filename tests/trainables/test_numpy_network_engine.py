"""The fast epochs of the networks against the plain loops."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.trainables.numpy_problems import (
    SCALE,
    STEPS,
    TOLERANCE,
    assert_close,
    assert_networks_close,
    centred_network,
    random_images,
    random_regression,
)
from trainables import datasets
from trainables import numpy_reference as plain
from trainables.datasets.types import RegressionData
from trainables.numpy_models import initial_network
from trainables.numpy_network_engine import DelayedNetwork


@pytest.mark.parametrize("hidden", [1, 8, 13])
@pytest.mark.parametrize("samples", [1, 24, 49, STEPS])
def test_mlp_agrees_with_the_plain_loop(hidden: int, samples: int) -> None:
    x, labels = random_images(samples=samples)
    order = np.random.RandomState(6).permutation(samples)
    network = centred_network(90, hidden, 10)
    fast = DelayedNetwork.of(network)
    expected = plain.mlp_epoch(network, x * SCALE, labels, order, 0.01)
    loss = fast.mlp_epoch(x, SCALE, labels, order, 0.01)
    assert loss == pytest.approx(expected, rel=TOLERANCE)
    assert_networks_close(fast, network)


@pytest.mark.parametrize("hidden", [1, 8, 13])
def test_neural_regression_agrees_with_the_plain_loop(hidden: int) -> None:
    x, y = random_regression()
    order = np.random.RandomState(6).permutation(STEPS)
    network = centred_network(45, hidden, 1)
    fast = DelayedNetwork.of(network)
    plain.neural_regression_epoch(network, x, y, order, 0.001)
    fast.neural_regression_epoch(x, y, order, 0.001)
    assert_networks_close(fast, network)


def test_networks_agree_on_the_first_steps_from_the_published_weights() -> None:
    x, labels = random_images(pixels=784, samples=30)
    network = initial_network(np.random.RandomState(42), features=784, hidden=200, outputs=10)
    fast = DelayedNetwork.of(network)
    order = np.arange(30)
    expected = plain.mlp_epoch(network, x * SCALE, labels, order, 0.001)
    assert fast.mlp_epoch(x, SCALE, labels, order, 0.001) == pytest.approx(expected, rel=1e-12)
    assert_networks_close(fast, network)


@pytest.mark.slow
def test_the_network_of_the_homework_agrees_at_its_real_size() -> None:
    """From centered weights: from the published ones 500 steps are chaotic, see above."""
    x, labels = random_images(pixels=784)
    order = np.random.RandomState(6).permutation(STEPS)
    network = centred_network(784, 200, 10)
    fast = DelayedNetwork.of(network)
    expected = plain.mlp_epoch(network, x * SCALE, labels, order, 0.001)
    assert fast.mlp_epoch(x, SCALE, labels, order, 0.001) == pytest.approx(expected, rel=TOLERANCE)
    assert_networks_close(fast, network)


@pytest.mark.slow
def test_the_regression_network_agrees_on_ames_from_the_published_weights(tmp_path: Path) -> None:
    data = datasets.load("ames", tmp_path)
    assert isinstance(data, RegressionData)
    stream = np.random.RandomState(42)
    network = initial_network(stream, features=348, hidden=150, outputs=1)
    order = stream.permutation(len(data.y_train))[:STEPS]
    fast = DelayedNetwork.of(network)
    plain.neural_regression_epoch(network, data.x_train, data.y_train, order, 0.001)
    fast.neural_regression_epoch(data.x_train, data.y_train, order, 0.001)
    assert_networks_close(fast, network)


def test_one_fast_step_follows_the_gradient_of_autograd() -> None:
    x, labels = random_images(samples=1)
    fast = DelayedNetwork.of(centred_network(90, 13, 10))
    before = fast.view()
    leaves = [
        torch.tensor(array, requires_grad=True)
        for array in (before.w1, before.b1, before.w2, before.b2)
    ]
    w1, b1, w2, b2 = leaves
    scores = w2 @ torch.relu(w1 @ torch.from_numpy(x[0] * SCALE) + b1) + b2
    loss = functional.cross_entropy(scores, torch.tensor(labels[0]))
    gradients = torch.autograd.grad(loss, leaves)
    reported = fast.mlp_epoch(x, SCALE, labels, np.array([0]), 0.5)
    assert reported == pytest.approx(loss.item(), rel=1e-14)
    after = fast.view()
    for leaf, gradient, array in zip(
        leaves, gradients, (after.w1, after.b1, after.w2, after.b2), strict=True
    ):
        assert_close(array, (leaf - 0.5 * gradient).detach().numpy(), 1e-14)


def test_surplus_hidden_units_stay_zero() -> None:
    x, labels = random_images()
    fast = DelayedNetwork.of(centred_network(90, 13, 10))
    fast.mlp_epoch(x, SCALE, labels, np.arange(STEPS), 0.01)
    assert fast.w1.shape == (90, 16)
    assert not fast.w1[:, 13:].any()
    assert not fast.b1[13:].any()
    assert not fast.w2[:, 13:].any()


def test_black_images_train_the_biases_alone() -> None:
    labels = np.array([0, 1, 1])
    fast = DelayedNetwork.of(centred_network(90, 8, 2))
    first = fast.view().w1.copy()
    fast.mlp_epoch(np.zeros((3, 90), dtype=np.uint8), SCALE, labels, np.arange(3), 0.1)
    np.testing.assert_array_equal(fast.view().w1, first)
    assert fast.b2.any()


def test_a_diverged_network_reports_a_loss_that_is_not_finite() -> None:
    x, labels = random_images()
    network = initial_network(np.random.RandomState(42), features=90, hidden=13, outputs=10)
    fast = DelayedNetwork.of(network)
    order = np.arange(STEPS)
    with np.errstate(all="ignore"):
        expected = plain.mlp_epoch(network, x * SCALE, labels, order, 1e200)
    assert not math.isfinite(expected)
    assert not math.isfinite(fast.mlp_epoch(x, SCALE, labels, order, 1e200))


def test_not_a_number_survives_the_relu() -> None:
    x, labels = random_images(samples=1)
    network = centred_network(90, 8, 10)
    network.b1[3] = math.nan
    assert math.isnan(DelayedNetwork.of(network).mlp_epoch(x, SCALE, labels, np.array([0]), 0.1))
