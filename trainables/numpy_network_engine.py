"""Fast epochs of the networks, by block-delayed updates; the gradients stay by hand.

Updates of the first layer are delayed within a block of k samples. Since that layer is affine and
the optimizer is plain SGD, its pre-activations within the block are, exactly,

    ``z_t = W x_t + b - lr * sum_{s<t} (x_s . x_t + 1) d_s``,

where W, b are those at the start of the block and d_s is the gradient for z_s. So W is read and
written once per block instead of once per sample, and both are sums of a few rows of a matrix,
which skip the inputs that are zero (half of all pixels of Fashion-MNIST, 77 % of Ames' features).
W is kept as (features, hidden), so that an input selects one contiguous row.

Everything runs on one thread and calls no BLAS, so the result depends on no thread setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainables.numpy_compiler import aligned, aligned_zeros, compiled
from trainables.numpy_linear_engine import cross_entropy, dot
from trainables.numpy_models import FloatArray, IntArray, Network, Pixels

#: Samples whose updates are delayed, and inputs taken together: the fastest of 8-48 and 8-64.
_BLOCK = 24
_TILE = 32

_Samples = NDArray[Any]


class _Block(NamedTuple):
    """Working arrays of k samples; ``width`` is the padded number of hidden units."""

    inputs: FloatArray  # (k, features): x_t
    gram: FloatArray  # (k, k): x_s . x_t for s < t, in row t
    preactivations: FloatArray  # (k, width): z_t
    deltas: FloatArray  # (k, width): d_t
    hidden: FloatArray  # (width,): relu(z_t) of the current sample
    scores: FloatArray  # (outputs,), of the current sample; then the gradient for them
    coefficients: FloatArray  # (_TILE,) and
    rows: IntArray  # (_TILE,): which rows to add, and how much of each


@dataclass(frozen=True, slots=True)
class DelayedNetwork:
    """A network laid out for the fast epochs.

    ``w1`` (features, width), ``b1`` (width,), ``w2`` (outputs, width), ``b2`` (outputs,); ``width``
    is ``hidden`` rounded up to whole cache lines. The surplus units have only zero weights.
    """

    hidden: int
    w1: FloatArray
    b1: FloatArray
    w2: FloatArray
    b2: FloatArray

    @classmethod
    def of(cls, network: Network) -> DelayedNetwork:
        """Copy a network into this layout."""
        return cls(
            hidden=len(network.b1),
            w1=aligned(network.w1.T),
            b1=aligned(network.b1[np.newaxis])[0],
            w2=aligned(network.w2),
            b2=network.b2.copy(),
        )

    def view(self) -> Network:
        """Return the network in its usual shapes, sharing this one's memory."""
        units = slice(self.hidden)
        return Network(self.w1[:, units].T, self.b1[units], self.w2[:, units], self.b2)

    def _block(self) -> _Block:
        width, outputs = len(self.b1), len(self.b2)
        return _Block(
            inputs=np.zeros((_BLOCK, len(self.w1))),
            gram=np.zeros((_BLOCK, _BLOCK)),
            preactivations=aligned_zeros(_BLOCK, width),
            deltas=aligned_zeros(_BLOCK, width),
            hidden=aligned_zeros(1, width)[0],
            scores=np.zeros(outputs),
            coefficients=np.zeros(_TILE),
            rows=np.zeros(_TILE, dtype=np.int64),
        )

    def mlp_epoch(
        self,
        pixels: Pixels,
        scale: float,
        labels: IntArray,
        order: IntArray,
        learning_rate: float,
    ) -> float:
        """As :func:`trainables.numpy_reference.mlp_epoch`, on ``pixels * scale`` (n, features)."""
        parameters = (self.w1, self.b1, self.w2, self.b2, self._block())
        return _mlp_epoch(*parameters, pixels, scale, labels, order, learning_rate)

    def neural_regression_epoch(
        self, x: FloatArray, y: FloatArray, order: IntArray, learning_rate: float
    ) -> None:
        """As :func:`trainables.numpy_reference.neural_regression_epoch`."""
        parameters = (self.w1, self.b1, self.w2, self.b2, self._block())
        _neural_regression_epoch(*parameters, x, y, order, learning_rate)


@compiled
def _add_rows(
    target: FloatArray,
    row: int,
    coefficients: FloatArray,
    rows: IntArray,
    count: int,
    source: FloatArray,
) -> None:
    """``target[row] += sum_{k<count} coefficients[k] * source[rows[k]]``, eight rows at a time.

    Both lists have room for ``count`` rounded up to a multiple of four.
    """
    c, r = coefficients, rows
    while count % 4 != 0:
        c[count] = 0.0
        r[count] = r[0]
        count += 1
    k = 0
    while k + 8 <= count:
        c0, c1, c2, c3, c4, c5, c6, c7 = (
            c[k], c[k + 1], c[k + 2], c[k + 3], c[k + 4], c[k + 5], c[k + 6], c[k + 7],
        )  # fmt: skip
        r0, r1, r2, r3, r4, r5, r6, r7 = (
            r[k], r[k + 1], r[k + 2], r[k + 3], r[k + 4], r[k + 5], r[k + 6], r[k + 7],
        )  # fmt: skip
        for j in range(target.shape[1]):
            target[row, j] += (
                (c0 * source[r0, j] + c1 * source[r1, j])
                + (c2 * source[r2, j] + c3 * source[r3, j])
            ) + (
                (c4 * source[r4, j] + c5 * source[r5, j])
                + (c6 * source[r6, j] + c7 * source[r7, j])
            )
        k += 8
    if k < count:
        c0, c1, c2, c3 = c[k], c[k + 1], c[k + 2], c[k + 3]
        r0, r1, r2, r3 = r[k], r[k + 1], r[k + 2], r[k + 3]
        for j in range(target.shape[1]):
            target[row, j] += (c0 * source[r0, j] + c1 * source[r1, j]) + (
                c2 * source[r2, j] + c3 * source[r3, j]
            )


@compiled
def _begin_block(
    w1: FloatArray, block: _Block, samples: _Samples, scale: float, chosen: IntArray
) -> None:
    """Load the chosen samples; fill their Gram matrix and ``preactivations`` with ``W x_t``."""
    x, features = block.inputs, block.inputs.shape[1]
    for t in range(len(chosen)):
        for f in range(features):
            x[t, f] = samples[chosen[t], f] * scale
        for s in range(t):
            product = 0.0
            for f in range(features):
                product += x[s, f] * x[t, f]
            block.gram[t, s] = product
    block.preactivations[:] = 0.0
    for start in range(0, features, _TILE):
        for t in range(len(chosen)):
            count = 0
            for f in range(start, min(start + _TILE, features)):
                block.coefficients[count] = x[t, f]
                block.rows[count] = f
                count += x[t, f] != 0.0
            _add_rows(block.preactivations, t, block.coefficients, block.rows, count, w1)


@compiled
def _forward(
    b1: FloatArray, w2: FloatArray, b2: FloatArray, block: _Block, t: int, learning_rate: float
) -> None:
    """Complete ``z_t`` by the block's earlier updates; set ``hidden`` and ``scores``."""
    z = block.preactivations
    for s in range(t):
        block.coefficients[s] = -learning_rate * (block.gram[t, s] + 1.0)
        block.rows[s] = s
    _add_rows(z, t, block.coefficients, block.rows, t, block.deltas)
    for j in range(len(b1)):
        z[t, j] += b1[j]
        block.hidden[j] = 0.0 if z[t, j] <= 0.0 else z[t, j]  # NaN stays NaN
    for c in range(len(b2)):
        block.scores[c] = dot(w2, c, block.hidden) + b2[c]


@compiled
def _backward(w2: FloatArray, b2: FloatArray, block: _Block, t: int, learning_rate: float) -> None:
    """From the gradient for the scores: set ``d_t`` and update the second layer."""
    z, delta = block.preactivations, block.deltas
    delta[t] = 0.0
    for c in range(len(b2)):
        gradient = block.scores[c]
        step = learning_rate * gradient
        for j in range(w2.shape[1]):
            delta[t, j] += gradient * w2[c, j]
            w2[c, j] -= step * block.hidden[j]
        b2[c] -= step
    for j in range(w2.shape[1]):
        delta[t, j] = delta[t, j] if z[t, j] > 0.0 else 0.0


@compiled
def _end_block(
    w1: FloatArray, b1: FloatArray, block: _Block, size: int, learning_rate: float
) -> None:
    """Update the first layer by all samples of the block."""
    for f in range(len(w1)):
        count = 0
        for t in range(size):
            block.coefficients[count] = -learning_rate * block.inputs[t, f]
            block.rows[count] = t
            count += block.inputs[t, f] != 0.0
        _add_rows(w1, f, block.coefficients, block.rows, count, block.deltas)
    for t in range(size):
        for j in range(len(b1)):
            b1[j] -= learning_rate * block.deltas[t, j]


@compiled
def _mlp_epoch(
    w1: FloatArray,
    b1: FloatArray,
    w2: FloatArray,
    b2: FloatArray,
    block: _Block,
    pixels: Pixels,
    scale: float,
    labels: IntArray,
    order: IntArray,
    learning_rate: float,
) -> float:
    total = 0.0
    for start in range(0, len(order), _BLOCK):
        chosen = order[start : start + _BLOCK]
        _begin_block(w1, block, pixels, scale, chosen)
        for t in range(len(chosen)):
            _forward(b1, w2, b2, block, t, learning_rate)
            total += cross_entropy(block.scores, labels[chosen[t]])
            _backward(w2, b2, block, t, learning_rate)
        _end_block(w1, b1, block, len(chosen), learning_rate)
    return total / len(order)


@compiled
def _neural_regression_epoch(
    w1: FloatArray,
    b1: FloatArray,
    w2: FloatArray,
    b2: FloatArray,
    block: _Block,
    x: FloatArray,
    y: FloatArray,
    order: IntArray,
    learning_rate: float,
) -> None:
    for start in range(0, len(order), _BLOCK):
        chosen = order[start : start + _BLOCK]
        _begin_block(w1, block, x, 1.0, chosen)
        for t in range(len(chosen)):
            _forward(b1, w2, b2, block, t, learning_rate)
            block.scores[0] -= y[chosen[t]]  # the gradient of 1/2 (z - y)^2
            _backward(w2, b2, block, t, learning_rate)
        _end_block(w1, b1, block, len(chosen), learning_rate)
