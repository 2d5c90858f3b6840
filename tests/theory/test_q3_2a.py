"""Q3.2a: XOR, the ReLU interpolant and the collapse of linear activations, as the text has them."""

from __future__ import annotations

from itertools import combinations, pairwise, product

import numpy as np
import pytest
import torch

XOR_INPUTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
XOR_POSITIVE = np.array([False, True, True, False])


def relu(t):
    return np.maximum(t, 0)


def test_xor_network_of_the_text(theory_text, matrices):
    text = theory_text("q3_2a")
    W1, b1, w2 = matrices(text)[:3]
    hidden = relu(XOR_INPUTS @ W1.T + b1)
    scores = hidden @ w2 - 0.5
    np.testing.assert_array_equal(scores > 0, XOR_POSITIVE)
    for x, h, score, positive in zip(XOR_INPUTS, hidden, scores, XOR_POSITIVE, strict=True):
        sign = "positive" if positive else "negative"
        row = f"$({x[0]}, {x[1]})$, ${x.sum()}$, $({h[0]}, {h[1]})$, ${score:+.1f}$, [{sign}]"
        assert row in text


def test_no_linear_score_separates_xor():
    # f(0,1) + f(1,0) = f(0,0) + f(1,1) for every affine f, so both sums cannot differ in sign.
    rng = np.random.default_rng(42)
    weights, biases = rng.normal(0, 3, (2000, 2)), rng.normal(0, 3, 2000)
    scores = XOR_INPUTS @ weights.T + biases
    np.testing.assert_allclose(scores[1] + scores[2], scores[0] + scores[3], atol=1e-12)
    assert not ((scores > 0) == XOR_POSITIVE[:, None]).all(axis=0).any()


def test_no_linear_scores_separate_the_middle_of_three_points_on_a_line():
    rng = np.random.default_rng(42)
    weights, biases = rng.normal(0, 3, (2000, 2)), rng.normal(0, 3, (2000, 2))
    scores = np.array([-1.0, 0.5, 2.0])[:, None, None] * weights + biases
    predicted = scores.argmax(axis=-1)  # (points, models)
    assert not ((predicted[0] == predicted[2]) & (predicted[0] != predicted[1])).any()
    assert (predicted[0] != predicted[2]).any()


def test_three_points_of_zeros_and_ones_are_always_separable():
    # Affinely independent points: any three scores, so any three labels, are reached.
    for points in combinations(product((0, 1), repeat=3), 3):
        assert np.linalg.matrix_rank(np.column_stack([points, np.ones(3)])) == 3


def test_logistic_regression_on_xor_learns_nothing():
    # The loss is convex (Q1.5) and its gradient vanishes at zero weights: zero is its minimum.
    theta = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    extended = torch.tensor(np.column_stack([XOR_INPUTS, np.ones(4)]))
    target = torch.tensor(XOR_POSITIVE, dtype=torch.float64)
    torch.nn.functional.binary_cross_entropy_with_logits(extended @ theta, target).backward()
    assert theta.grad.tolist() == [0, 0, 0]


def test_a_linear_class_region_is_convex():
    rng = np.random.default_rng(42)
    W, b = rng.normal(size=(5, 2)), rng.normal(size=5)
    points = rng.uniform(-5, 5, (300, 2))
    classes = np.argmax(points @ W.T + b, axis=1)
    for label in np.unique(classes):
        members = points[classes == label]
        middles = (members[:, None] + members[None, :]) / 2
        assert (np.argmax(middles @ W.T + b, axis=-1) == label).all()


def interpolant(f, units, x):
    """Evaluate the text's ReLU network with ``units`` hidden units at ``x`` (points,)."""
    slopes = units * np.diff(f(np.arange(units + 1) / units))
    changes = np.diff(slopes, prepend=0)
    return f(0.0) + relu(x[:, None] - np.arange(units) / units) @ changes


def test_relu_interpolant_keeps_its_error_bound():
    x = np.linspace(0, 1, 5001)

    def wave(t):
        return np.sin(2 * np.pi * t)

    for units in (4, 16, 64):
        error = np.abs(interpolant(wave, units, x) - wave(x)).max()
        bound = (2 * np.pi) ** 2 / (8 * units**2)
        assert bound / 4 < error <= bound


def test_linear_activations_collapse_to_one_affine_map(theory_text, matrices):
    W1, b1, W2, b2, W, offset = matrices(theory_text("q3_2a"))[-6:]
    np.testing.assert_array_equal(W2 @ W1, W)
    np.testing.assert_array_equal(W2 @ b1 + b2, offset)
    x = np.random.default_rng(42).normal(size=(50, 2))
    two_layers = (x @ W1.T + b1) @ W2.T + b2
    np.testing.assert_allclose(two_layers, x @ W.T + offset, atol=1e-13)


def test_three_linear_layers_collapse_too():
    rng = np.random.default_rng(42)
    torch.manual_seed(42)
    layers = [torch.nn.Linear(m, n, dtype=torch.float64) for m, n in ((6, 9), (9, 4), (4, 3))]
    W, b = np.eye(6), np.zeros(6)
    for layer in layers:
        W = layer.weight.detach().numpy() @ W
        b = layer.weight.detach().numpy() @ b + layer.bias.detach().numpy()
    x = rng.normal(size=(20, 6))
    deep = torch.nn.Sequential(*layers)(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(deep, x @ W.T + b, atol=1e-13)


def softmax(scores):
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def linear_layers(W, units):
    """Return (K, units) and (units, D) whose product is ``W`` less its last row in every row.

    Of the singular values only the ``units`` largest are kept.
    """
    left, values, right = np.linalg.svd(W - W[-1])
    return left[:, :units] * values[:units], right[:units]


@pytest.mark.parametrize(("classes", "features"), [(10, 20), (10, 4), (2, 7)])
def test_enough_linear_units_express_every_logistic_regression(classes, features):
    rng = np.random.default_rng(42)
    W, b = rng.normal(size=(classes, features)), rng.normal(size=classes)
    x = rng.normal(size=(50, features))
    units = min(classes - 1, features)
    W2, W1 = linear_layers(W, units)
    np.testing.assert_allclose(softmax(x @ W1.T @ W2.T + b), softmax(x @ W.T + b), atol=1e-13)
    W2, W1 = linear_layers(W, units - 1)
    assert np.abs(softmax(x @ W1.T @ W2.T + b) - softmax(x @ W.T + b)).max() > 0.01


def test_a_narrow_linear_layer_at_any_depth_limits_the_rank_of_the_score_differences():
    rng = np.random.default_rng(42)

    def rank(*widths):
        W = np.linalg.multi_dot([rng.normal(size=shape) for shape in pairwise(widths)])
        return np.linalg.matrix_rank(W[:-1] - W[-1])

    assert rank(10, 200, 784) == rank(10, 9, 784) == 9
    assert rank(10, 30, 8, 30, 20) == rank(10, 8, 9, 10, 20) == 8
