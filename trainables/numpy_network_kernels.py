"""Compiled epochs of the networks, by block-delayed updates; the gradients stay by hand.

Updates of the first layer are delayed within a block of k samples. Since that layer is affine and
the optimizer is plain SGD, its pre-activations within the block are, exactly,

    ``z_t = W x_t + b - lr * sum_{s<t} (x_s . x_t + 1) d_s``,

where W, b are those at the start of the block and d_s is the gradient for z_s. So W is read and
written once per block instead of once per sample, and both are sums of a few rows of a matrix,
which skip the inputs that are zero (half of all pixels of Fashion-MNIST, 77 % of Ames' features).
W is kept as (features, hidden), so that an input selects one contiguous row.

:class:`~trainables.numpy_network_engine.DelayedNetwork` gives them their arrays. ``width`` is the
number of hidden units, rounded up to whole cache lines.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainables.numpy_compiler import aligned_zeros, compiled
from trainables.numpy_linear_engine import cross_entropy, dot
from trainables.numpy_models import FloatArray, IntArray, Pixels

#: Samples whose updates are delayed, and inputs taken together: the fastest of 16-48 and 32-128.
#: The functions below take plain arrays, not a Block: numba counts a reference, with an atomic
#: instruction, whenever it takes an array out of a tuple.
BLOCK = 32
TILE = 32

_Samples = NDArray[Any]


class Block(NamedTuple):
    """Working arrays of a block of k samples."""

    inputs: FloatArray  # (k, features rounded up to whole cache lines): x_t, then zeros
    gram: FloatArray  # (k, k): x_s . x_t for s < t, in row t
    preactivations: FloatArray  # (k, width): z_t
    deltas: FloatArray  # (k, width): d_t
    hidden: FloatArray  # (width,): relu(z_t) of the current sample
    scores: FloatArray  # (outputs,), of the current sample; then the gradient for them
    coefficients: FloatArray  # (longest list,): how much to add of
    rows: IntArray  # (longest list,): which rows


def new_block(features: int, width: int, outputs: int) -> Block:
    """Return working arrays of zeros for a network of these sizes."""
    longest = max(BLOCK, TILE)
    return Block(
        inputs=aligned_zeros(BLOCK, features),
        gram=np.zeros((BLOCK, BLOCK)),
        preactivations=aligned_zeros(BLOCK, width),
        deltas=aligned_zeros(BLOCK, width),
        hidden=aligned_zeros(1, width)[0],
        scores=np.zeros(outputs),
        coefficients=np.zeros(longest),
        rows=np.zeros(longest, dtype=np.int64),
    )


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

    Both lists have room for ``count`` rounded up to a multiple of four. The last loop runs at most
    once; as an ``if`` it would make numba count references, which costs as much as the loops.
    """
    width = target.shape[1]
    while count % 4 != 0:
        coefficients[count] = 0.0
        rows[count] = rows[0]
        count += 1
    k = 0
    while k + 8 <= count:
        c0, c1, c2, c3 = (
            coefficients[k], coefficients[k + 1], coefficients[k + 2], coefficients[k + 3]
        )  # fmt: skip
        c4, c5, c6, c7 = (
            coefficients[k + 4], coefficients[k + 5], coefficients[k + 6], coefficients[k + 7]
        )  # fmt: skip
        r0, r1, r2, r3 = (rows[k], rows[k + 1], rows[k + 2], rows[k + 3])  # fmt: skip
        r4, r5, r6, r7 = (rows[k + 4], rows[k + 5], rows[k + 6], rows[k + 7])  # fmt: skip
        for j in range(width):
            target[row, j] += (
                (c0 * source[r0, j] + c1 * source[r1, j])
                + (c2 * source[r2, j] + c3 * source[r3, j])
            ) + (
                (c4 * source[r4, j] + c5 * source[r5, j])
                + (c6 * source[r6, j] + c7 * source[r7, j])
            )
        k += 8
    while k < count:
        c0, c1, c2, c3 = (
            coefficients[k], coefficients[k + 1], coefficients[k + 2], coefficients[k + 3]
        )  # fmt: skip
        r0, r1, r2, r3 = (rows[k], rows[k + 1], rows[k + 2], rows[k + 3])  # fmt: skip
        for j in range(width):
            target[row, j] += (c0 * source[r0, j] + c1 * source[r1, j]) + (
                c2 * source[r2, j] + c3 * source[r3, j]
            )
        k += 4


@compiled
def _load(x: FloatArray, samples: _Samples, scale: float, chosen: IntArray) -> None:
    """Put the chosen samples, scaled, into the rows of ``x``."""
    for t in range(len(chosen)):
        i = chosen[t]
        for f in range(samples.shape[1]):
            x[t, f] = samples[i, f] * scale


@compiled
def _multiply(x: FloatArray, size: int, gram: FloatArray) -> None:
    """Set ``gram[t, s]`` to ``x_s . x_t`` for s < t < size."""
    features = x.shape[1]
    for t in range(size):
        for s in range(t):
            product = 0.0
            for f in range(features):
                product += x[s, f] * x[t, f]
            gram[t, s] = product


@compiled
def _project(
    w1: FloatArray,
    x: FloatArray,
    size: int,
    z: FloatArray,
    coefficients: FloatArray,
    rows: IntArray,
) -> None:
    """Set ``z_t`` to ``W x_t``; a tile of W stays in the nearest cache for all samples."""
    z[:] = 0.0
    for start in range(0, len(w1), TILE):
        for t in range(size):
            count = 0
            for f in range(start, min(start + TILE, len(w1))):
                value = x[t, f]
                coefficients[count] = value
                rows[count] = f
                count += value != 0.0
            _add_rows(z, t, coefficients, rows, count, w1)


@compiled
def _catch_up(
    z: FloatArray,
    t: int,
    gram: FloatArray,
    deltas: FloatArray,
    learning_rate: float,
    coefficients: FloatArray,
    rows: IntArray,
) -> None:
    """Add to ``z_t`` what the updates by the block's earlier samples change."""
    for s in range(t):
        coefficients[s] = -learning_rate * (gram[t, s] + 1.0)
        rows[s] = s
    _add_rows(z, t, coefficients, rows, t, deltas)


@compiled
def _forward(
    z: FloatArray,
    t: int,
    b1: FloatArray,
    hidden: FloatArray,
    w2: FloatArray,
    b2: FloatArray,
    scores: FloatArray,
) -> None:
    """``z_t += b``, ``hidden = relu(z_t)`` and ``scores = w2 hidden + b2``."""
    for j in range(len(b1)):
        z[t, j] += b1[j]
        hidden[j] = 0.0 if z[t, j] <= 0.0 else z[t, j]  # NaN stays NaN
    for c in range(len(b2)):
        scores[c] = dot(w2, c, hidden) + b2[c]


@compiled
def _backward(
    delta: FloatArray,
    t: int,
    hidden: FloatArray,
    w2: FloatArray,
    b2: FloatArray,
    gradient: FloatArray,
    learning_rate: float,
) -> None:
    """From the gradient for the scores: set ``d_t`` and update the second layer."""
    delta[t] = 0.0
    for c in range(len(b2)):
        step = learning_rate * gradient[c]
        for j in range(len(hidden)):
            delta[t, j] += gradient[c] * w2[c, j]
            w2[c, j] -= step * hidden[j]
        b2[c] -= step
    for j in range(len(hidden)):
        delta[t, j] = delta[t, j] if hidden[j] > 0.0 else 0.0


@compiled
def _descend(
    w1: FloatArray,
    b1: FloatArray,
    x: FloatArray,
    size: int,
    deltas: FloatArray,
    learning_rate: float,
    coefficients: FloatArray,
    rows: IntArray,
) -> None:
    """Update the first layer by all samples of the block."""
    for f in range(len(w1)):
        count = 0
        for t in range(size):
            value = x[t, f]
            coefficients[count] = -learning_rate * value
            rows[count] = t
            count += value != 0.0
        _add_rows(w1, f, coefficients, rows, count, deltas)
    for t in range(size):
        for j in range(len(b1)):
            b1[j] -= learning_rate * deltas[t, j]


@compiled
def mlp_epoch(
    w1: FloatArray,
    b1: FloatArray,
    w2: FloatArray,
    b2: FloatArray,
    block: Block,
    pixels: Pixels,
    scale: float,
    labels: IntArray,
    order: IntArray,
    learning_rate: float,
) -> float:
    """As :meth:`trainables.numpy_network_engine.DelayedNetwork.mlp_epoch`."""
    x, gram, z, deltas, hidden, scores, coefficients, rows = block
    total = 0.0
    for start in range(0, len(order), BLOCK):
        chosen = order[start : start + BLOCK]
        size = len(chosen)
        _load(x, pixels, scale, chosen)
        _multiply(x, size, gram)
        _project(w1, x, size, z, coefficients, rows)
        for t in range(size):
            _catch_up(z, t, gram, deltas, learning_rate, coefficients, rows)
            _forward(z, t, b1, hidden, w2, b2, scores)
            total += cross_entropy(scores, labels[chosen[t]])
            _backward(deltas, t, hidden, w2, b2, scores, learning_rate)
        _descend(w1, b1, x, size, deltas, learning_rate, coefficients, rows)
    return total / len(order)


@compiled
def neural_regression_epoch(
    w1: FloatArray,
    b1: FloatArray,
    w2: FloatArray,
    b2: FloatArray,
    block: Block,
    samples: FloatArray,
    targets: FloatArray,
    order: IntArray,
    learning_rate: float,
) -> None:
    """As :meth:`trainables.numpy_network_engine.DelayedNetwork.neural_regression_epoch`."""
    x, gram, z, deltas, hidden, scores, coefficients, rows = block
    for start in range(0, len(order), BLOCK):
        chosen = order[start : start + BLOCK]
        size = len(chosen)
        _load(x, samples, 1.0, chosen)
        _multiply(x, size, gram)
        _project(w1, x, size, z, coefficients, rows)
        for t in range(size):
            _catch_up(z, t, gram, deltas, learning_rate, coefficients, rows)
            _forward(z, t, b1, hidden, w2, b2, scores)
            scores[0] -= targets[chosen[t]]  # the gradient of 1/2 (z - y)^2
            _backward(deltas, t, hidden, w2, b2, scores, learning_rate)
        _descend(w1, b1, x, size, deltas, learning_rate, coefficients, rows)
