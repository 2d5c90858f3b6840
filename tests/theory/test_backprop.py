"""The gradients of docs/theory/backprop.typ: autodiff, central differences, the trained code."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainables.numpy_models import Network
from trainables.numpy_reference import mlp_gradients, neural_regression_gradients

FEATURES, HIDDEN = 6, 5


def forward(W1, b1, W2, b2, x):
    h = np.maximum(W1 @ x + b1, 0)
    return h, W2 @ h + b2


def squared_error(z, y):
    """Return the loss and delta_2."""
    return 0.5 * np.sum((z - y) ** 2), z - y


def cross_entropy(z, y):
    """Return the loss and delta_2."""
    exponentials = np.exp(z - z.max())
    s = exponentials / exponentials.sum()
    return -np.log(s[y]), s - np.eye(len(z))[y]


def gradients(loss, W1, b1, W2, b2, x, y):
    """Return the text's gradients for W1, b1, W2 and b2."""
    h, z = forward(W1, b1, W2, b2, x)
    delta_2 = loss(z, y)[1]
    delta_1 = (W2.T @ delta_2) * (W1 @ x + b1 > 0)
    return np.outer(delta_1, x), delta_1, np.outer(delta_2, h), delta_2


CASES = [
    pytest.param(squared_error, 1, np.array([1.5]), id="Q2.2b"),
    pytest.param(cross_entropy, 10, 7, id="Q3.2b"),
]


def random_parameters(outputs, seed=42):
    """Return W1, b1, W2, b2 and an input, with some hidden units on and some off."""
    rng = np.random.default_rng(seed)
    shapes = ((HIDDEN, FEATURES), HIDDEN, (outputs, HIDDEN), outputs, FEATURES)
    *parameters, x = (rng.normal(size=shape) for shape in shapes)
    on = parameters[0] @ x + parameters[1] > 0
    assert on.any()
    assert not on.all()
    return parameters, x


@pytest.mark.parametrize(("loss", "outputs", "y"), CASES)
def test_gradients_against_autodiff(loss, outputs, y):
    parameters, x = random_parameters(outputs)
    W1, b1, W2, b2 = tensors = [torch.tensor(p, requires_grad=True) for p in parameters]
    z = W2 @ torch.relu(W1 @ torch.tensor(x) + b1) + b2
    if loss is squared_error:
        value = 0.5 * (z - torch.tensor(y)).square().sum()
    else:
        value = torch.nn.functional.cross_entropy(z, torch.tensor(y))
    value.backward()
    assert value.item() == pytest.approx(loss(forward(*parameters, x)[1], y)[0])
    for by_hand, tensor in zip(gradients(loss, *parameters, x, y), tensors, strict=True):
        np.testing.assert_allclose(by_hand, tensor.grad.numpy(), atol=1e-13)


@pytest.mark.parametrize(("loss", "outputs", "y"), CASES)
def test_gradients_against_central_differences(loss, outputs, y, central_difference):
    parameters, x = random_parameters(outputs)
    for place, by_hand in enumerate(gradients(loss, *parameters, x, y)):

        def value(parameter, place=place):
            changed = [*parameters[:place], parameter, *parameters[place + 1 :]]
            return loss(forward(*changed, x)[1], y)[0]

        by_difference = central_difference(value, parameters[place])
        np.testing.assert_allclose(by_hand, by_difference, atol=1e-7)


@pytest.mark.parametrize(("loss", "outputs", "y"), CASES)
def test_the_program_takes_these_gradients(loss, outputs, y):
    parameters, x = random_parameters(outputs)
    network = Network(*parameters)
    if loss is squared_error:
        taken = neural_regression_gradients(network, x, y)
    else:
        taken = mlp_gradients(network, x, y)[1]
    expected = Network(*gradients(loss, *parameters, x, y))
    for name in ("w1", "b1", "w2", "b2"):
        np.testing.assert_allclose(getattr(taken, name), getattr(expected, name), atol=1e-13)


def test_a_unit_at_exactly_zero_passes_no_gradient_in_the_program():
    network = Network(np.zeros((1, 1)), np.zeros(1), np.ones((1, 1)), np.zeros(1))
    assert neural_regression_gradients(network, np.ones(1), 3.0).w1 == 0


def test_the_example_of_the_text(theory_text, matrices):
    text = theory_text("backprop")
    x, W1, b1, W2, dW2, dW1, db1 = matrices(text)
    parameters = (W1, b1, W2, np.array([-1]))
    assert "b_2 = -1 $" in text
    h, z = forward(*parameters, x)
    loss, delta_2 = squared_error(z, 3)
    a = W1 @ x + b1
    told = (
        f"give $a = ({a[0]}, {a[1]})$, $h = ({h[0]}, {h[1]})$, $z = {z[0]}$ and $L = {loss:g}$. "
        f"Backward, $delta_2 = {delta_2[0]}$, $W_2^top delta_2 = ({W2[0, 0] * delta_2[0]}, "
        f"{W2[0, 1] * delta_2[0]})$ and $delta_1 = ({db1[0]}, {db1[1]})$"
    )
    assert told in text
    expected = (dW1, db1, dW2, np.array([2]))
    for by_formula, printed in zip(
        gradients(squared_error, *parameters, x, 3), expected, strict=True
    ):
        np.testing.assert_array_equal(by_formula, printed)
    assert "(partial b_2) = 2 ," in text
