"""Network, loss and initial weights against central differences, numpy formulas and torch.nn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from trainables import torch_reference
from trainables.torch_models import (
    Activation,
    Architecture,
    Weights,
    accuracy,
    dropout_mask,
    initial_weights,
    logits,
    logits_above,
    loss,
)

FloatArray = NDArray[np.float64]
RELU = Architecture(features=7, classes=4, layers=2, hidden_size=5)
TANH = Architecture(features=7, classes=4, layers=2, hidden_size=5, activation="tanh")
LOGISTIC = Architecture(features=7, classes=4)
DROPOUT = 0.3


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def _doubles(architecture: Architecture) -> Weights:
    return tuple(w.double() for w in initial_weights(architecture, _generator()))


def _sample(architecture: Architecture) -> tuple[torch.Tensor, torch.Tensor, Weights]:
    g = _generator()
    x = torch.rand(architecture.features, generator=g, dtype=torch.float64)
    masks = tuple(
        dropout_mask((architecture.hidden_size,), DROPOUT, g).double()
        for _ in range(architecture.layers)
    )
    return x, torch.tensor(2), masks


@pytest.mark.parametrize("architecture", [LOGISTIC, RELU, TANH])
def test_gradient_equals_central_differences(architecture: Architecture) -> None:
    weights, sample = _doubles(architecture), _sample(architecture)
    gradients = torch.func.grad(lambda at: loss(architecture, at, *sample))(weights)
    step = 1e-6
    for w, gradient in zip(weights, gradients, strict=True):
        for index in np.ndindex(tuple(w.shape)):
            kept = w[index].item()
            values = []
            for moved in (kept + step, kept - step):
                w[index] = moved
                values.append(loss(architecture, weights, *sample).item())
            w[index] = kept
            difference = (values[0] - values[1]) / (2 * step)
            assert gradient[index].item() == pytest.approx(difference, abs=1e-8)


def _gradients_by_hand(
    weights: list[FloatArray], x: FloatArray, label: int, masks: list[FloatArray], kind: Activation
) -> tuple[float, list[FloatArray]]:
    """Backpropagation written out: delta = W^T delta * mask * g'(z), dL/dW = delta h^T."""
    inputs, slopes, h = [x], [], x
    for layer, mask in enumerate(masks):
        z = weights[2 * layer] @ h + weights[2 * layer + 1]
        h = (np.maximum(z, 0) if kind == "relu" else np.tanh(z)) * mask
        slopes.append(((z > 0) if kind == "relu" else 1 - np.tanh(z) ** 2) * mask)
        inputs.append(h)
    z = weights[-2] @ h + weights[-1]
    probabilities = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    delta = probabilities - np.eye(len(z))[label]
    gradients = [np.outer(delta, inputs[-1]), delta]
    for layer in reversed(range(len(masks))):
        delta = weights[2 * layer + 2].T @ delta * slopes[layer]
        gradients = [np.outer(delta, inputs[layer]), delta, *gradients]
    return -float(np.log(probabilities[label])), gradients


@pytest.mark.parametrize("architecture", [LOGISTIC, RELU, TANH])
def test_loss_and_gradient_equal_the_formulas(architecture: Architecture) -> None:
    weights, (x, label, masks) = _doubles(architecture), _sample(architecture)
    gradients, value = torch.func.grad_and_value(
        lambda at: loss(architecture, at, x, label, masks)
    )(weights)
    expected_value, expected = _gradients_by_hand(
        [w.numpy() for w in weights],
        x.numpy(),
        int(label),
        [mask.numpy() for mask in masks],
        architecture.activation,
    )
    assert value.item() == pytest.approx(expected_value, rel=1e-13)
    for gradient, by_hand in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(gradient.numpy(), by_hand, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("architecture", [LOGISTIC, RELU, TANH])
def test_a_batch_has_the_mean_loss_of_its_samples(architecture: Architecture) -> None:
    weights, g = _doubles(architecture), _generator()
    x = torch.rand(6, architecture.features, generator=g, dtype=torch.float64)
    labels = torch.randint(4, (6,), generator=g)
    masks = tuple(dropout_mask((6, 5), DROPOUT, g).double() for _ in range(architecture.layers))
    single = [
        loss(architecture, weights, x[i], labels[i], tuple(mask[i] for mask in masks))
        for i in range(6)
    ]
    batch = loss(architecture, weights, x, labels, masks)
    assert batch.item() == pytest.approx(torch.stack(single).mean().item(), rel=1e-13)


def test_logits_above_continue_from_the_first_layer() -> None:
    weights, (x, _, masks) = _doubles(RELU), _sample(RELU)
    z = weights[0] @ x + weights[1]
    whole = logits(RELU, weights, x, masks)
    assert torch.equal(logits_above(RELU, weights[2:], z, masks), whole)


def test_initial_weights_are_those_of_torch_linear() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        expected = list(torch_reference.network(RELU, torch.nn.Identity).parameters())
    for weight, parameter in zip(initial_weights(RELU, _generator()), expected, strict=True):
        assert torch.equal(weight, parameter.detach())


def test_dropout_mask_keeps_the_expected_share_and_the_expected_value() -> None:
    mask = dropout_mask((1_000, 100), DROPOUT, _generator())
    values = mask.unique().tolist()
    assert values == pytest.approx([0, 1 / 0.7])
    # 100,000 draws: the standard error of the share kept is 0.0014, of the mean 0.0021.
    assert (mask > 0).double().mean().item() == pytest.approx(0.7, abs=0.007)
    assert mask.double().mean().item() == pytest.approx(1, abs=0.01)


def test_no_dropout_keeps_everything_as_it_is() -> None:
    assert dropout_mask((3, 4), 0.0, _generator()).eq(1).all()


def test_accuracy_counts_over_chunks() -> None:
    rows = 5_001  # two chunks and a ragged last one
    random = np.random.RandomState(0)
    pixels = torch.from_numpy(random.randint(0, 256, (rows, 7)).astype(np.uint8))
    labels = torch.from_numpy(random.randint(0, 4, rows))
    weights = tuple(3 * w for w in initial_weights(RELU, _generator()))
    share = accuracy(RELU, weights, pixels, labels, 1 / 256)
    predicted = logits(RELU, weights, pixels.float() / 256).argmax(dim=1)
    # Two logits may be equal but for rounding, which products of other sizes do otherwise.
    assert share == pytest.approx((predicted == labels).double().mean().item(), abs=3 / rows)
    assert share == round(share * rows) / rows  # divided in double precision


def test_accuracy_gives_a_tie_to_the_lowest_class() -> None:
    weights = (torch.zeros(4, 7), torch.zeros(4))
    pixels, labels = torch.zeros(8, 7, dtype=torch.uint8), torch.arange(8) % 4
    assert accuracy(LOGISTIC, weights, pixels, labels, 1 / 256) == 0.25


@pytest.mark.parametrize(
    "sizes", [{"features": 0}, {"classes": 0}, {"layers": -1}, {"layers": 1, "hidden_size": 0}]
)
def test_an_impossible_architecture_is_refused(sizes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="or more"):
        Architecture(**{"features": 7, "classes": 4, **sizes})
