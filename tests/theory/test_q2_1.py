"""Q2.1: the squared error of an affine model is convex, with the Hessian that the text gives."""

from __future__ import annotations

import numpy as np
import torch

RNG_SEED = 42


def squared_error(theta, phi, y):
    """Return 1/2 ||W^T phi + b - y||^2 for ``theta`` (D + 1, K), whose last row is the bias."""
    return 0.5 * np.sum((theta[:-1].T @ phi + theta[-1] - y) ** 2)


def random_problem(rng, features=4, outputs=3):
    return rng.normal(size=(features + 1, outputs)), rng.normal(size=features), rng.normal(size=3)


def torch_squared_error(phi, y):
    extended, target = torch.tensor(np.append(phi, 1)), torch.tensor(y)
    # Columns of theta one after the other, as in the text's (theta_1, ..., theta_K).
    return lambda t: 0.5 * ((t.reshape(len(y), -1) @ extended - target) ** 2).sum()


def test_gradient_and_hessian_against_autodiff():
    rng = np.random.default_rng(RNG_SEED)
    for _ in range(20):
        theta, phi, y = random_problem(rng)
        extended = np.append(phi, 1)
        columns = torch.tensor(theta.T.ravel(), requires_grad=True)
        torch_squared_error(phi, y)(columns).backward()
        gradient = np.outer(theta.T @ extended - y, extended).ravel()
        np.testing.assert_allclose(gradient, columns.grad.numpy(), atol=1e-13)
        hessian = torch.autograd.functional.hessian(torch_squared_error(phi, y), columns.detach())
        expected = np.kron(np.eye(3), np.outer(extended, extended))
        np.testing.assert_allclose(hessian.numpy(), expected, atol=1e-13)
        assert np.linalg.eigvalsh(expected).min() >= -1e-13


def test_gradient_against_central_differences(central_difference):
    theta, phi, y = random_problem(np.random.default_rng(RNG_SEED))
    extended = np.append(phi, 1)
    by_difference = central_difference(lambda t: squared_error(t, phi, y), theta)
    np.testing.assert_allclose(np.outer(extended, theta.T @ extended - y), by_difference, atol=1e-7)


def test_convex_along_random_segments():
    rng = np.random.default_rng(RNG_SEED)
    for _ in range(500):
        first, phi, y = random_problem(rng)
        second, weight = rng.normal(size=first.shape), rng.uniform()
        middle = squared_error(weight * first + (1 - weight) * second, phi, y)
        ends = weight * squared_error(first, phi, y) + (1 - weight) * squared_error(second, phi, y)
        assert middle <= ends + 1e-12


def test_normal_equations_give_the_global_minimum():
    rng = np.random.default_rng(RNG_SEED)
    Phi = np.column_stack([rng.normal(size=(30, 4)), np.ones(30)])
    y = rng.normal(size=30)
    solution = np.linalg.solve(Phi.T @ Phi, Phi.T @ y)
    least = np.sum((Phi @ solution - y) ** 2)
    others = solution + rng.normal(size=(200, 5))
    assert np.linalg.eigvalsh(Phi.T @ Phi).min() > 0
    assert all(np.sum((Phi @ other - y) ** 2) > least for other in others)


def test_dependent_columns_give_a_line_of_minima(theory_text):
    extended = np.array([2.0, 1.0])
    hessian = np.outer(extended, extended)
    np.testing.assert_array_equal(hessian, [[4, 2], [2, 1]])
    np.testing.assert_allclose(np.linalg.eigvalsh(hessian), [0, 5], atol=1e-14)
    for w in (-1.0, 0.0, 2.5):
        theta = np.array([[w], [3 - 2 * w]])
        assert squared_error(theta, np.array([2.0]), np.array([3.0])) == 0
    text = theory_text("q2_1")
    assert "$ mat(4, 2; 2, 1) $ has the eigenvalues 0 and 5" in text
    assert "$2 w + b = 3$" in text
