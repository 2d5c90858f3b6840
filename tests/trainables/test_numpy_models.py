"""First values, scores and measures of the numpy models."""

from __future__ import annotations

import numpy as np

from tests.trainables.synthetic import regression_data
from trainables.numpy_models import (
    accuracy,
    analytic_weights,
    initial_network,
    linear_scores,
    rmse,
    with_bias,
)


def test_initial_weights_are_drawn_first_layer_first_around_a_tenth() -> None:
    network = initial_network(np.random.RandomState(42), features=784, hidden=200, outputs=10)
    normals = np.random.RandomState(42).standard_normal(784 * 200 + 200 * 10)
    np.testing.assert_allclose(network.w1.ravel(), 0.1 + 0.1 * normals[:156_800], rtol=1e-13)
    np.testing.assert_allclose(network.w2.ravel(), 0.1 + 0.1 * normals[156_800:], rtol=1e-13)
    assert not network.b1.any()
    assert not network.b2.any()


def test_accuracy_gives_a_tie_to_the_lowest_class_and_takes_every_chunk() -> None:
    pixels = np.zeros((5000, 2), dtype=np.uint8)
    labels = np.arange(5000) % 4
    assert accuracy(lambda part: np.zeros((len(part), 4)), pixels, 1 / 256, labels) == 0.25


def test_accuracy_sees_scaled_pixels() -> None:
    weights = np.array([[0.0, 0.0, 0.5], [1.0, 0.0, 0.0]])  # class 1 where x0 > 1/2
    pixels = np.array([[127, 9], [129, 9]], dtype=np.uint8)
    labels = np.array([0, 1])
    assert accuracy(lambda x: linear_scores(weights, x), pixels, 1 / 256, labels) == 1.0


def test_analytic_weights_are_the_pseudo_inverse_where_features_repeat() -> None:
    data = regression_data()
    x = np.hstack([data.x_train, data.x_train[:, :2]])
    expected = np.linalg.pinv(with_bias(x)) @ data.y_train
    np.testing.assert_allclose(analytic_weights(x, data.y_train), expected, rtol=1e-10)


def test_rmse_by_hand() -> None:
    assert rmse(np.array([1.0, 2.0]), np.array([4.0, -2.0])) == np.sqrt((9 + 16) / 2)
