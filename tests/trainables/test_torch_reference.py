"""The plain torch loop against gradients and updates written out in float64."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from trainables.torch_models import Architecture
from trainables.torch_optimizers import Optimizer
from trainables.torch_reference import network, samples, torch_optimizer, train_epoch


def test_one_step_of_logistic_regression_by_hand() -> None:
    """Weights 0, two classes: p = (1/2, 1/2), loss ln 2, gradient (-1/2, 1/2) x^T for label 0."""
    model = network(Architecture(2, 2), nn.Identity)
    nn.utils.vector_to_parameters(torch.zeros(6), model.parameters())
    optimizer = torch_optimizer(model, Optimizer("sgd", 0.1))
    (loss,) = train_epoch(model, optimizer, [(torch.tensor([[2.0, 1.0]]), torch.tensor([0]))])
    weight, bias = (p.detach().numpy() for p in model.parameters())
    np.testing.assert_allclose(loss, np.log(2.0), rtol=1e-6)
    np.testing.assert_allclose(weight, [[0.1, 0.05], [-0.1, -0.05]], rtol=1e-6)
    np.testing.assert_allclose(bias, [0.05, -0.05], rtol=1e-6)


def test_the_network_has_dropout_after_each_activation() -> None:
    model = network(Architecture(5, 3, 2, 4, "tanh"), lambda: nn.Dropout(0.3))
    kinds = [type(module) for module in model]
    hidden = [nn.Linear, nn.Tanh, nn.Dropout]
    assert kinds == [*hidden, *hidden, nn.Linear]


def test_samples_are_shuffled_anew_each_epoch_and_all_come() -> None:
    x, labels = torch.arange(10.0)[:, None], torch.arange(10)
    loader = samples(x, labels, 3, torch.Generator().manual_seed(1))
    orders = [torch.cat([batch for _, batch in loader]).tolist() for _ in range(2)]
    assert orders[0] != orders[1]
    assert [sorted(order) for order in orders] == [list(range(10))] * 2
