"""Network and loss as plain functions of a tuple of parameters, for automatic differentiation.

Shapes: one sample is ``(features,)`` with a label of shape ``()``; a batch has one more leading
dimension. Every function takes either. Parameters are a flat tuple ``(W1, b1, W2, b2, ...)`` of
float32 tensors in ``torch.nn.Linear``'s layout: ``W`` is (outputs, inputs), ``b`` is (outputs,).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Activation = Literal["relu", "tanh"]
Weights = tuple[Tensor, ...]

#: Images evaluated in one matrix product: 8 MB of float32 at 784 pixels.
_EVALUATION_ROWS = 2_500


@dataclass(frozen=True, slots=True)
class Architecture:
    """A feed-forward network: ``layers`` hidden layers of ``hidden_size`` units, then the logits.

    With ``layers`` 0 it is multinomial logistic regression; ``hidden_size`` and ``activation`` are
    then unused.
    """

    features: int
    classes: int
    layers: int = 0
    hidden_size: int = 0
    activation: Activation = "relu"

    def __post_init__(self) -> None:
        if min(self.features, self.classes) < 1 or self.layers < 0:
            raise ValueError(f"features and classes are 1 or more, layers 0 or more: {self}")
        if self.layers and self.hidden_size < 1:
            raise ValueError(f"hidden_size is 1 or more where there are hidden layers: {self}")

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units per layer, from the input to the logits."""
        return (self.features, *[self.hidden_size] * self.layers, self.classes)


def initial_weights(architecture: Architecture, generator: torch.Generator) -> Weights:
    """Draw weights and biases uniformly from +-1/sqrt(inputs), as ``torch.nn.Linear`` does.

    He et al. 2015 ("Delving deep into rectifiers") with torch's gain for a = sqrt(5).
    """
    weights: list[Tensor] = []
    for inputs, outputs in pairwise(architecture.sizes):
        bound = 1 / sqrt(inputs)
        weights += [
            torch.empty(shape).uniform_(-bound, bound, generator=generator)
            for shape in ((outputs, inputs), (outputs,))
        ]
    return tuple(weights)


def dropout_mask(shape: Sequence[int], probability: float, generator: torch.Generator) -> Tensor:
    """Draw an inverted-dropout mask: 0 with ``probability``, else 1 / (1 - probability).

    Srivastava et al. 2014; inverted, so that nothing is scaled when dropout is off.
    """
    kept = torch.rand(*shape, generator=generator) >= probability
    return kept.to(torch.float32).mul_(1 / (1 - probability))


def logits(architecture: Architecture, weights: Weights, x: Tensor, masks: Weights = ()) -> Tensor:
    """Return the class scores, (..., classes), of the samples ``x``, (..., features).

    ``masks``, (..., hidden_size) for each hidden layer, multiply the hidden activations; without
    them dropout is off.
    """
    return logits_above(architecture, weights[2:], _affine(weights[0], weights[1], x), masks)


def logits_above(architecture: Architecture, weights: Weights, z: Tensor, masks: Weights) -> Tensor:
    """Return the class scores from ``z``, (..., hidden_size), the first layer's output.

    ``z`` is taken before its activation; ``weights`` are those of the layers above.
    """
    activate = torch.relu if architecture.activation == "relu" else torch.tanh
    for layer in range(architecture.layers):
        hidden = activate(z)
        if masks:
            hidden = hidden * masks[layer]
        z = _affine(weights[2 * layer], weights[2 * layer + 1], hidden)
    return z


def _affine(w: Tensor, b: Tensor, x: Tensor) -> Tensor:
    # A matrix-vector product and its outer-product gradient compile into loops that fuse with the
    # update; functional.linear on one sample calls a matrix product.
    return w @ x + b if x.ndim == 1 else functional.linear(x, w, b)


def loss(
    architecture: Architecture, weights: Weights, x: Tensor, label: Tensor, masks: Weights = ()
) -> Tensor:
    """Return the cross-entropy in nats, shape (), of one sample or its mean over a batch."""
    return functional.cross_entropy(logits(architecture, weights, x, masks), label)


def scaled(values: Tensor, scale: float) -> Tensor:
    """Return features, uint8 or float64, as float32 times ``scale``, in memory of their own."""
    return values.to(torch.float32).mul_(scale)


@torch.no_grad()
def accuracy(
    architecture: Architecture, weights: Weights, pixels: Tensor, labels: Tensor, scale: float
) -> float:
    """Return the share of images whose highest logit is their label's.

    ``pixels`` is (images, features) uint8 or float64, ``labels`` (images,) int64. Dropout is off;
    ties go to the lowest class.
    """
    right = torch.zeros((), dtype=torch.int64, device=labels.device)
    for start in range(0, len(labels), _EVALUATION_ROWS):
        rows = slice(start, start + _EVALUATION_ROWS)
        predicted = logits(architecture, weights, scaled(pixels[rows], scale)).argmax(dim=1)
        right += (predicted == labels[rows]).sum()
    return int(right) / len(labels)
