"""The plain loops against central differences, torch's autograd and cases worked by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple

import numpy as np
import pytest
import torch
from torch.nn import functional

from trainables import numpy_reference as plain
from trainables.numpy_models import FloatArray, Network

FEATURES, HIDDEN, CLASSES, LABEL, TARGET = 5, 4, 3, 1, 0.7

#: A model: its parameters, the loss of torch for them, and the gradients by hand.
Case = tuple[list[FloatArray], Callable[..., torch.Tensor], Callable[..., list[FloatArray]]]


def _x() -> FloatArray:
    return np.random.RandomState(1).standard_normal(FEATURES)


def _hidden_layer(
    x: torch.Tensor, w1: torch.Tensor, b1: torch.Tensor, w2: torch.Tensor, b2: torch.Tensor
) -> torch.Tensor:
    return w2 @ torch.relu(w1 @ x + b1) + b2


def _network_shapes(outputs: int) -> list[tuple[int, ...]]:
    return [(HIDDEN, FEATURES), (HIDDEN,), (outputs, HIDDEN), (outputs,)]


def _case(name: str) -> Case:
    x = _x()
    tx = torch.from_numpy(x)
    label = torch.tensor(LABEL)
    draw = np.random.RandomState(2).standard_normal
    match name:
        case "linear_regression":
            return (
                [draw(FEATURES)],
                lambda w: 0.5 * (w @ tx - TARGET) ** 2,
                lambda w: [plain.linear_regression_gradient(w, x, TARGET)],
            )
        case "logistic_regression":
            return (
                [draw((CLASSES, FEATURES))],
                lambda w: functional.cross_entropy(w @ tx, label),
                lambda w: [plain.logistic_regression_gradient(w, x, LABEL)[1]],
            )
        case "neural_regression":
            return (
                [draw(shape) for shape in _network_shapes(1)],
                lambda *w: 0.5 * ((_hidden_layer(tx, *w) - TARGET) ** 2).sum(),
                lambda *w: list(astuple(plain.neural_regression_gradients(Network(*w), x, TARGET))),
            )
        case _:
            return (
                [draw(shape) for shape in _network_shapes(CLASSES)],
                lambda *w: functional.cross_entropy(_hidden_layer(tx, *w), label),
                lambda *w: list(astuple(plain.mlp_gradients(Network(*w), x, LABEL)[1])),
            )


MODELS = ("linear_regression", "logistic_regression", "neural_regression", "mlp")


@pytest.mark.parametrize("name", MODELS)
def test_gradients_equal_autograd(name: str) -> None:
    parameters, loss, gradients = _case(name)
    leaves = [torch.tensor(parameter, requires_grad=True) for parameter in parameters]
    expected = torch.autograd.grad(loss(*leaves), leaves)
    for ours, theirs in zip(gradients(*parameters), expected, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", MODELS)
def test_gradients_equal_central_differences(name: str) -> None:
    """``(f(w + h) - f(w - h)) / 2h``, whose error is of the order h^2."""
    parameters, loss, gradients = _case(name)
    step = 1e-5

    def value() -> float:
        return float(loss(*[torch.from_numpy(parameter) for parameter in parameters]))

    for parameter, gradient in zip(parameters, gradients(*parameters), strict=True):
        numeric = np.zeros_like(parameter)
        for index in np.ndindex(parameter.shape):
            kept = parameter[index]
            parameter[index] = kept + step
            above = value()
            parameter[index] = kept - step
            numeric[index] = (above - value()) / (2 * step)
            parameter[index] = kept
        np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-8)


def test_losses_equal_torch() -> None:
    scores = np.array([0.3, -1.2, 2.0])
    expected = functional.cross_entropy(torch.from_numpy(scores), torch.tensor(LABEL))
    assert plain.cross_entropy(scores, LABEL)[0] == pytest.approx(float(expected), rel=1e-15)


def test_cross_entropy_of_huge_scores_is_finite() -> None:
    loss, gradient = plain.cross_entropy(np.array([1000.0, 0.0, -1000.0]), 2)
    assert loss == 2000.0
    np.testing.assert_array_equal(gradient, [1.0, 0.0, -1.0])


def test_one_logistic_step_by_hand() -> None:
    # Weights 0: p = (1/2, 1/2), loss ln 2; gradient for label 0: (-1/2, 1/2) x^T with x = (2, 1).
    # One step of size 0.1 gives rows (0.1, 0.05) and (-0.1, -0.05).
    weights = np.zeros((2, 2))
    x, labels = np.array([[2.0, 1.0]]), np.array([0])
    loss = plain.logistic_regression_epoch(weights, x, labels, np.array([0]), 0.1)
    assert loss == pytest.approx(np.log(2.0), rel=1e-15)
    np.testing.assert_allclose(weights, [[0.1, 0.05], [-0.1, -0.05]], rtol=1e-15)


def test_one_network_step_by_hand() -> None:
    # x = (1, 2); w1 x + b1 = (1, -2) so h = (1, 0); z = 3 h1 + 5 h2 + 0 = 3; target 1: z - y = 2.
    # dw2 = 2 (1, 0), db2 = 2; d = 2 (3, 5) * (1, 0) = (6, 0); dw1 = d x^T = ((6, 12), (0, 0)).
    network = Network(
        w1=np.array([[1.0, 0.0], [0.0, -1.0]]),
        b1=np.zeros(2),
        w2=np.array([[3.0, 5.0]]),
        b2=np.zeros(1),
    )
    plain.neural_regression_epoch(
        network, np.array([[1.0, 2.0]]), np.array([1.0]), np.array([0]), 0.5
    )
    np.testing.assert_array_equal(network.w1, [[-2.0, -6.0], [0.0, -1.0]])
    np.testing.assert_array_equal(network.b1, [-3.0, 0.0])
    np.testing.assert_array_equal(network.w2, [[2.0, 5.0]])
    np.testing.assert_array_equal(network.b2, [-1.0])


def test_linear_regression_steps_without_factor_two() -> None:
    # w = 0, x = (3, 1), y = 2: the gradient of 1/2 (w.x - y)^2 is -2 (3, 1), so w = 0.1 * (6, 2).
    weights = np.zeros(2)
    plain.linear_regression_epoch(
        weights, np.array([[3.0, 1.0]]), np.array([2.0]), np.array([0]), 0.1
    )
    np.testing.assert_allclose(weights, [0.6, 0.2], rtol=1e-15)


def test_perceptron_gives_a_tie_to_the_lowest_class() -> None:
    # Weights 0: all scores tie, so class 0 is predicted. The first sample (label 0) is right; the
    # second (label 2) is a mistake: row 2 gains x, row 0 loses it.
    weights = np.zeros((3, 2))
    x, labels = np.array([[1.0, 1.0], [2.0, 1.0]]), np.array([0, 2])
    assert plain.perceptron_epoch(weights, x, labels, np.array([0, 1])) == 0.5
    np.testing.assert_array_equal(weights, [[-2.0, -1.0], [0.0, 0.0], [2.0, 1.0]])


def test_loss_is_the_mean_before_each_update_in_the_given_order() -> None:
    x, labels = np.array([[1.0, 1.0], [-2.0, 1.0]]), np.array([0, 1])
    weights, rate = np.zeros((2, 2)), 0.5
    first, gradient = plain.logistic_regression_gradient(weights, x[1], 1)
    second, _ = plain.logistic_regression_gradient(weights - rate * gradient, x[0], 0)
    loss = plain.logistic_regression_epoch(weights, x, labels, np.array([1, 0]), rate)
    assert loss == (first + second) / 2
