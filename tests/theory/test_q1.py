"""Q1.1-1.5: every formula of docs/theory/q1.typ against autodiff and central differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

SCORES = arrays(np.float64, st.integers(2, 12), elements=st.floats(-30, 30))
POINTS = np.linspace(-20, 20, 401)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    exponentials = np.exp(z - np.max(z))
    return exponentials / exponentials.sum()


def multinomial_loss(z, label):
    top = np.max(z)
    return top + np.log(np.sum(np.exp(z - top))) - z[label]


def softmax_jacobian(z):
    s = softmax(z)
    return np.diag(s) - np.outer(s, s)


def torch_loss(label):
    return lambda z: torch.nn.functional.cross_entropy(z, torch.tensor(label))


# --- Q1.1 and Q1.2 ---------------------------------------------------------------------------


def test_sigmoid_derivative_is_sigmoid_times_one_minus_sigmoid():
    z = torch.tensor(POINTS, requires_grad=True)
    torch.sigmoid(z).sum().backward()
    by_formula = sigmoid(POINTS) * (1 - sigmoid(POINTS))
    np.testing.assert_allclose(by_formula, z.grad.numpy(), rtol=1e-6, atol=1e-15)
    by_difference = (sigmoid(POINTS + 1e-6) - sigmoid(POINTS - 1e-6)) / 2e-6
    np.testing.assert_allclose(by_formula, by_difference, atol=1e-9)


def test_sigmoid_derivative_is_largest_at_zero_where_it_is_a_quarter():
    slope = sigmoid(POINTS) * (1 - sigmoid(POINTS))
    assert POINTS[np.argmax(slope)] == pytest.approx(0, abs=1e-12)
    assert slope.max() == pytest.approx(0.25)
    assert (slope > 0).all()


def test_binary_loss_derivatives():
    z = torch.tensor(POINTS, requires_grad=True)
    loss = torch.nn.functional.softplus(-z, threshold=100)
    (first,) = torch.autograd.grad(loss.sum(), z, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), z)
    np.testing.assert_allclose(sigmoid(POINTS) - 1, first.detach().numpy(), atol=1e-14)
    np.testing.assert_allclose(
        sigmoid(POINTS) * (1 - sigmoid(POINTS)), second.numpy(), rtol=1e-6, atol=1e-15
    )
    assert (second > 0).all()


def test_binary_loss_pulls_with_a_bounded_force():
    assert sigmoid(30.0) - 1 == pytest.approx(0, abs=1e-12)
    assert sigmoid(-30.0) - 1 == pytest.approx(-1, abs=1e-12)


@given(st.floats(-30, 30), st.floats(-30, 30), st.floats(0, 1))
def test_binary_loss_is_convex_along_segments(a, b, weight):
    def loss(z):
        return np.logaddexp(0, -z)

    middle = loss(weight * a + (1 - weight) * b)
    assert middle <= weight * loss(a) + (1 - weight) * loss(b) + 1e-12


# --- Q1.3 and Q1.4 ---------------------------------------------------------------------------


@settings(deadline=None, max_examples=50)
@given(SCORES)
def test_softmax_jacobian_against_autodiff(z):
    by_torch = torch.autograd.functional.jacobian(lambda t: torch.softmax(t, 0), torch.tensor(z))
    np.testing.assert_allclose(softmax_jacobian(z), by_torch.numpy(), atol=1e-13)
    np.testing.assert_allclose(softmax_jacobian(z).sum(axis=1), 0, atol=1e-15)


def test_softmax_jacobian_against_central_differences(central_difference):
    z = np.random.default_rng(42).normal(0, 2, 10)
    np.testing.assert_allclose(softmax_jacobian(z), central_difference(softmax, z), atol=1e-9)


def test_softmax_jacobian_by_hand():
    # Scores (log 3, 0): s = (3/4, 1/4), so J = 3/16 [[1, -1], [-1, 1]].
    expected = np.array([[3, -3], [-3, 3]]) / 16
    np.testing.assert_allclose(softmax_jacobian(np.array([np.log(3), 0])), expected, atol=1e-15)


@settings(deadline=None, max_examples=50)
@given(SCORES, st.data())
def test_multinomial_gradient_and_hessian_against_autodiff(z, data):
    label = data.draw(st.integers(0, z.size - 1))
    gradient = softmax(z) - np.eye(z.size)[label]
    t = torch.tensor(z, requires_grad=True)
    torch_loss(label)(t).backward()
    np.testing.assert_allclose(gradient, t.grad.numpy(), atol=1e-13)
    hessian = torch.autograd.functional.hessian(torch_loss(label), torch.tensor(z))
    np.testing.assert_allclose(softmax_jacobian(z), hessian.numpy(), atol=1e-13)


def test_multinomial_gradient_and_hessian_against_central_differences(central_difference):
    z, label = np.random.default_rng(42).normal(0, 2, 10), 3

    def gradient(z):
        return softmax(z) - np.eye(10)[label]

    np.testing.assert_allclose(
        gradient(z), central_difference(lambda z: multinomial_loss(z, label), z), atol=1e-8
    )
    np.testing.assert_allclose(softmax_jacobian(z), central_difference(gradient, z), atol=1e-9)


def test_hessian_is_positive_semidefinite_and_singular_along_ones():
    rng = np.random.default_rng(42)
    for _ in range(500):
        z = rng.normal(0, rng.uniform(0.1, 10), rng.integers(2, 13))
        hessian = softmax_jacobian(z)
        assert np.linalg.eigvalsh(hessian).min() >= -1e-15
        np.testing.assert_allclose(hessian @ np.ones(z.size), 0, atol=1e-15)


def test_null_space_is_only_the_constant_vectors():
    eigenvalues = np.linalg.eigvalsh(softmax_jacobian(np.random.default_rng(42).normal(size=8)))
    assert (eigenvalues[1:] > 1e-3).all()


@given(SCORES, st.data())
def test_quadratic_form_is_a_variance(z, data):
    v = data.draw(arrays(np.float64, z.size, elements=st.floats(-5, 5)))
    s = softmax(z)
    variance = np.sum(s * (v - s @ v) ** 2)
    assert v @ softmax_jacobian(z) @ v == pytest.approx(variance, abs=1e-12)


# --- Q1.5 ------------------------------------------------------------------------------------


def dataset_loss(theta, features, labels, classes):
    """Sum the multinomial loss over ``features`` (N, D); ``theta`` (classes, D + 1), bias last."""
    scores = features @ theta[:, :-1].T + theta[:, -1]
    return sum(multinomial_loss(z, y) for z, y in zip(scores, labels, strict=True))


def test_affine_model_is_convex_along_random_segments():
    rng = np.random.default_rng(42)
    features, labels = rng.normal(size=(20, 5)), rng.integers(0, 4, 20)
    for _ in range(200):
        first, second = rng.normal(0, 3, (2, 4, 6))
        weight = rng.uniform()
        middle = dataset_loss(weight * first + (1 - weight) * second, features, labels, 4)
        ends = weight * dataset_loss(first, features, labels, 4)
        ends += (1 - weight) * dataset_loss(second, features, labels, 4)
        assert middle <= ends + 1e-10


def test_a_lower_point_makes_the_loss_lower_arbitrarily_near():
    rng = np.random.default_rng(42)
    features, labels = rng.normal(size=(20, 5)), rng.integers(0, 4, 20)
    for _ in range(50):
        pair = rng.normal(0, 3, (2, 4, 6))
        low, high = sorted(pair, key=lambda theta: dataset_loss(theta, features, labels, 4))
        lowest, highest = (dataset_loss(theta, features, labels, 4) for theta in (low, high))
        for weight in (1, 0.5, 0.1, 1e-3, 1e-6):
            between = dataset_loss(high + weight * (low - high), features, labels, 4)
            assert between <= (1 - weight) * highest + weight * lowest + 1e-10
            assert between < highest


def test_affine_model_hessian_by_the_chain_rule_is_positive_semidefinite():
    rng = np.random.default_rng(42)
    for _ in range(20):
        phi, theta = np.append(rng.normal(size=3), 1), rng.normal(size=(4, 4))
        label = int(rng.integers(4))
        tensor_phi = torch.tensor(phi)
        hessian = torch.autograd.functional.hessian(
            lambda t, p=tensor_phi, y=label: torch_loss(y)(t.reshape(4, 4) @ p),
            torch.tensor(theta.ravel()),
        ).numpy()
        A = np.kron(np.eye(4), phi)  # scores = A vec(theta)
        np.testing.assert_allclose(hessian, A.T @ softmax_jacobian(theta @ phi) @ A, atol=1e-13)
        assert np.linalg.eigvalsh(hessian).min() >= -1e-13


def test_adding_a_vector_to_all_rows_changes_nothing():
    rng = np.random.default_rng(42)
    features, labels, theta = (
        rng.normal(size=(9, 3)),
        rng.integers(0, 3, 9),
        rng.normal(size=(3, 4)),
    )
    shifted = theta + rng.normal(size=4)
    assert dataset_loss(shifted, features, labels, 3) == pytest.approx(
        dataset_loss(theta, features, labels, 3)
    )


def test_separable_data_has_no_minimum():
    features, labels = np.array([[1.0], [-1.0]]), np.array([0, 1])
    losses = [
        dataset_loss(np.array([[scale, 0.0], [-scale, 0.0]]), features, labels, 2)
        for scale in (1, 4, 16)
    ]
    assert losses[0] > losses[1] > losses[2] > 0
    assert losses[2] < 1e-12


def test_convex_in_a_parameter_in_which_the_score_is_not_affine(theory_text):
    def loss(w):
        return torch.nn.functional.softplus(torch.exp(w))

    w = torch.linspace(-5, 3, 81, dtype=torch.float64)
    scores = torch.stack([-torch.exp(w), torch.zeros_like(w)])
    labels = torch.zeros(81, dtype=torch.int64)
    of_scores = torch.nn.functional.cross_entropy(scores.T, labels, reduction="none")
    torch.testing.assert_close(loss(w), of_scores)
    curvature = torch.func.vmap(torch.func.grad(torch.func.grad(loss)))(w)
    assert (curvature > 0).all()
    assert "$z = (-e^w, 0)$ and the label 1 the loss is $log(1 + e^(e^w))$" in theory_text("q1")


def product_loss(u, v):
    return multinomial_loss(np.array([u * v, 0.0]), 0)


def test_product_counterexample_violates_convexity(theory_text):
    ends, middle = product_loss(2, 2), product_loss(0, 0)
    assert product_loss(-2, -2) == ends
    assert middle > ends
    text = theory_text("q1")
    assert f"F(2, 2) = F(-2, -2) = log(1 + e^(-4)) approx {ends:.4f}" in text
    assert f"F(0, 0) = log 2 approx {middle:.4f}" in text


def test_product_counterexample_has_a_saddle_at_the_origin(theory_text):
    def loss(theta):
        return torch.nn.functional.softplus(-theta[0] * theta[1])

    origin = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(origin), origin)
    assert gradient.tolist() == [0, 0]
    hessian = torch.autograd.functional.hessian(loss, origin.detach()).numpy()
    np.testing.assert_allclose(hessian, [[0, -0.5], [-0.5, 0]])
    np.testing.assert_allclose(np.linalg.eigvalsh(hessian), [-0.5, 0.5])
    assert r"mat(0, -1\/2; -1\/2, 0)" in theory_text("q1")


def test_product_counterexample_gradient(central_difference):
    u, v = 0.7, -1.3
    by_difference = central_difference(lambda t: product_loss(*t), np.array([u, v]))
    np.testing.assert_allclose(-sigmoid(-u * v) * np.array([v, u]), by_difference, atol=1e-9)


def test_dead_unit_is_a_local_minimum_that_is_not_global(theory_text):
    def loss(w, c):
        return multinomial_loss(np.array([max(0.0, w + c), 0.0]), 0)

    around = np.random.default_rng(42).uniform(-0.5, 0.5, (100, 2)) - 1
    assert {loss(w, c) for w, c in around} == {loss(-1, -1)}
    assert loss(2, 2) < loss(-1, -1)
    assert f"loss is $log 2 approx {loss(-1, -1):.4f}$ on a whole" in theory_text("q1")
    assert f"At $w = c = 2$ the loss is $log(1 + e^(-4)) approx {loss(2, 2):.4f}$" in theory_text(
        "q1"
    )


def test_polynomial_score_has_a_strict_local_minimum(theory_text):
    def loss(w):
        return multinomial_loss(np.array([w**3 - 3 * w, 0.0]), 0)

    near = np.setdiff1d(np.linspace(-1.5, -0.5, 101), [-1.0])
    assert min(loss(w) for w in near) > loss(-1.0) > loss(3.0)
    text = theory_text("q1")
    assert f"log(1 + e^(-2)) approx {loss(-1.0):.4f}$" in text
    assert np.log1p(np.exp(-18)) == pytest.approx(1.5e-8, rel=0.02)
    assert "log(1 + e^(-18)) approx 1.5 times 10^(-8)$" in text
