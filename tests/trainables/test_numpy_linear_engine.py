"""The fast epochs of the linear models against the plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.trainables.numpy_problems import (
    SCALE,
    STEPS,
    TOLERANCE,
    assert_close,
    random_images,
    random_regression,
)
from trainables import numpy_linear_engine as linear
from trainables import numpy_reference as plain
from trainables.numpy_compiler import aligned, aligned_zeros
from trainables.numpy_models import with_bias


@pytest.mark.parametrize(("pixels", "classes"), [(1, 2), (90, 10), (91, 1)])
def test_perceptron_is_bitwise_the_plain_loop(pixels: int, classes: int) -> None:
    x, labels = random_images(pixels=pixels, classes=classes)
    inputs, order = with_bias(x * SCALE), np.random.RandomState(6).permutation(STEPS)
    weights, fast = np.zeros((classes, pixels + 1)), aligned_zeros(classes, pixels + 1)
    for _ in range(3):
        expected = plain.perceptron_epoch(weights, inputs, labels, order)
        assert linear.perceptron_epoch(fast, x, SCALE, labels, order) == expected
    np.testing.assert_array_equal(fast[:, : pixels + 1], weights)


def test_logistic_regression_agrees_with_the_plain_loop() -> None:
    x, labels = random_images()
    order = np.random.RandomState(6).permutation(STEPS)
    weights, fast = np.zeros((10, 91)), aligned_zeros(10, 91)
    expected = plain.logistic_regression_epoch(weights, with_bias(x * SCALE), labels, order, 0.01)
    loss = linear.logistic_regression_epoch(fast, x, SCALE, labels, order, 0.01)
    assert loss == pytest.approx(expected, rel=TOLERANCE)
    assert_close(fast[:, :91], weights)


def test_linear_regression_agrees_with_the_plain_loop() -> None:
    x, y = random_regression()
    order = np.random.RandomState(6).permutation(STEPS)
    weights, fast = np.zeros(46), aligned_zeros(1, 46)
    plain.linear_regression_epoch(weights, with_bias(x), y, order, 0.01)
    linear.linear_regression_epoch(fast[0], aligned(with_bias(x)), y, order, 0.01)
    assert_close(fast[0, :46], weights)


def test_a_class_without_samples_is_trained_away_from() -> None:
    x, _ = random_images(classes=3)
    labels = np.random.RandomState(6).randint(0, 2, STEPS)
    weights = aligned_zeros(3, 91)
    loss = linear.logistic_regression_epoch(weights, x, SCALE, labels, np.arange(STEPS), 0.01)
    assert math.isfinite(loss)
    assert weights[2, 90] < 0 < weights[:2, 90].max()


def test_huge_scores_give_a_finite_loss() -> None:
    x, labels = np.full((1, 90), 255, dtype=np.uint8), np.array([1])
    weights = aligned_zeros(2, 91)
    weights[0, :91] = 100.0
    loss = linear.logistic_regression_epoch(weights, x, SCALE, labels, np.array([0]), 0.1)
    assert loss == pytest.approx(100.0 * (90 * 255 / 256 + 1), rel=1e-14)
