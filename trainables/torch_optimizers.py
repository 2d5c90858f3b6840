"""SGD and Adam as pure functions of weights, gradients and moments.

The compiled engine traces them and the eager one calls their in-place twins; both follow
``torch.optim.SGD`` and ``torch.optim.Adam`` with ``weight_decay`` (L2 added to the gradient).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from trainables.torch_models import Weights

OptimizerName = Literal["sgd", "adam"]

#: Kingma & Ba 2015, algorithm 1, with its default settings.
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True, slots=True)
class Optimizer:
    """An update rule with its numbers.

    ``l2_decay`` times the weights is added to every gradient, biases included, before the rule.
    """

    name: OptimizerName
    learning_rate: float
    l2_decay: float = 0.0

    def rates(self, first: int, steps: int) -> Tensor:
        """Return the numbers of the steps from ``first``, counted from 1, on; float32.

        SGD: (steps, 2), step size and L2 decay. Adam: (steps, 3), step size over the first bias
        correction, L2 decay, and 1 over the root of the second correction, worked out in float64.
        """
        t = np.arange(first, first + steps, dtype=np.float64)
        decay = np.full(steps, self.l2_decay)
        if self.name == "sgd":
            columns = [np.full(steps, self.learning_rate), decay]
        else:
            step_size = self.learning_rate / (1 - BETA_1**t)
            columns = [step_size, decay, 1 / np.sqrt(1 - BETA_2**t)]
        return torch.from_numpy(np.stack(columns, axis=1)).to(torch.float32)

    def initial_moments(self, weights: Weights) -> Weights:
        """Return Adam's zero moments, the first of all weights then the second; () for SGD."""
        if self.name == "sgd":
            return ()
        return tuple(torch.zeros_like(w) for w in (*weights, *weights))


def update(
    name: OptimizerName, weights: Weights, moments: Weights, gradients: Weights, rates: Tensor
) -> tuple[Weights, Weights]:
    """Return new weights and moments; ``rates`` is one row of :meth:`Optimizer.rates`."""
    gradients = tuple(g + rates[1] * w for g, w in zip(gradients, weights, strict=True))
    if name == "sgd":
        return tuple(w - rates[0] * g for w, g in zip(weights, gradients, strict=True)), ()
    count = len(weights)
    new_weights, first, second = [], [], []
    for w, g, m, v in zip(weights, gradients, moments[:count], moments[count:], strict=True):
        m_next = _stored(m + (1 - BETA_1) * (g - m))
        v_next = _stored(BETA_2 * v + (1 - BETA_2) * (g * g))
        new_weights.append(w - rates[0] * m_next / (v_next.sqrt() * rates[2] + EPSILON))
        first.append(m_next)
        second.append(v_next)
    return tuple(new_weights), (*first, *second)


def _stored(moment: Tensor) -> Tensor:
    """Make torch's compiler write a matrix to memory here; without effect otherwise.

    Else it keeps a block's gradients and computes the moments from all of them at each step, which
    doubles the memory traffic, the main cost of a step of Adam.
    """
    if moment.ndim < 2 or not torch.compiler.is_compiling():
        return moment
    return moment.as_strided(moment.shape, moment.stride())


@torch.no_grad()
def update_in_place(
    name: OptimizerName, weights: Weights, moments: Weights, gradients: Weights, rates: Tensor
) -> None:
    """Do what :func:`update` does, into ``weights`` and ``moments``."""
    rate = rates.tolist()
    if rate[1]:
        gradients = tuple(g.add(w, alpha=rate[1]) for g, w in zip(gradients, weights, strict=True))
    if name == "sgd":
        for w, g in zip(weights, gradients, strict=True):
            w.sub_(g, alpha=rate[0])
        return
    count = len(weights)
    for w, g, m, v in zip(weights, gradients, moments[:count], moments[count:], strict=True):
        m.lerp_(g, 1 - BETA_1)
        v.mul_(BETA_2).addcmul_(g, g, value=1 - BETA_2)
        w.addcdiv_(m, v.sqrt().mul_(rate[2]).add_(EPSILON), value=-rate[0])
