"""The update rules against torch's own, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainables.torch_optimizers import Optimizer, OptimizerName, update, update_in_place


@pytest.mark.parametrize("decay", [0.0, 0.02])
@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_updates_are_those_of_torch(name: OptimizerName, decay: float) -> None:
    generator = torch.Generator().manual_seed(3)
    start = tuple(
        torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((3, 2), (3,))
    )
    rule = Optimizer(name, 0.05, decay)
    theirs = [weight.clone().requires_grad_() for weight in start]
    kind = torch.optim.SGD if name == "sgd" else torch.optim.Adam
    optimizer = kind(theirs, lr=0.05, weight_decay=decay)
    weights, moments = start, rule.initial_moments(start)
    in_place = tuple(weight.clone() for weight in start)
    moments_in_place = rule.initial_moments(in_place)
    rates = rule.rates(1, 20)
    for step in range(20):
        gradients = tuple(
            torch.randn(w.shape, generator=generator, dtype=torch.float64) for w in start
        )
        for weight, gradient in zip(theirs, gradients, strict=True):
            weight.grad = gradient.clone()
        optimizer.step()
        weights, moments = update(name, weights, moments, gradients, rates[step])
        update_in_place(name, in_place, moments_in_place, gradients, rates[step])
    for ours, also_ours, expected in zip(weights, in_place, theirs, strict=True):
        # The rates are float32: a relative error of 6e-8 a step.
        np.testing.assert_allclose(ours, expected.detach(), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(also_ours, expected.detach(), rtol=1e-5, atol=1e-6)


def test_rates_of_adam_by_hand() -> None:
    """Step 2: 0.1 / (1 - 0.9^2), decay, 1 / sqrt(1 - 0.999^2)."""
    expected = [0.1 / 0.19, 0.3, 1 / np.sqrt(1 - 0.999**2)]
    assert Optimizer("adam", 0.1, 0.3).rates(2, 1).tolist() == [pytest.approx(expected, rel=1e-6)]
    assert Optimizer("sgd", 0.1, 0.3).rates(5, 2).tolist() == [pytest.approx([0.1, 0.3])] * 2
