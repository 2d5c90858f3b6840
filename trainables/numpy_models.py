"""Parameters, first values and predictions, shared by the numpy trainables.

Shapes are written (rows, columns); ``n`` is a number of samples. All floats are float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Pixels = NDArray[np.uint8 | np.float64]

#: Mean and standard deviation of a network's first weights (Q2.2b, Q3.2b).
INITIAL_MEAN = 0.1
INITIAL_STD = 0.1

#: Images scored at once: 13 MB of float64 for images of 784 pixels.
_CHUNK = 2048


@dataclass(slots=True)
class Network:
    """One hidden layer of ReLU units: ``z = w2 relu(w1 x + b1) + b2``.

    ``w1`` (hidden, features), ``b1`` (hidden,), ``w2`` (outputs, hidden), ``b2`` (outputs,).
    """

    w1: FloatArray
    b1: FloatArray
    w2: FloatArray
    b2: FloatArray


def initial_network(
    stream: np.random.RandomState, *, features: int, hidden: int, outputs: int
) -> Network:
    """Draw ``w1``, then ``w2`` from N(0.1, 0.1^2); the biases are zero (Q2.2b, Q3.2b)."""
    w1 = stream.normal(INITIAL_MEAN, INITIAL_STD, (hidden, features))
    w2 = stream.normal(INITIAL_MEAN, INITIAL_STD, (outputs, hidden))
    return Network(w1, np.zeros(hidden), w2, np.zeros(outputs))


def with_bias(x: FloatArray) -> FloatArray:
    """Return ``x`` (n, features) with a constant 1 as its last feature: (n, features + 1)."""
    return np.hstack([x, np.ones((len(x), 1))])


def linear_scores(weights: FloatArray, x: FloatArray) -> FloatArray:
    """Return the scores (n, outputs) of a linear model.

    ``weights`` (outputs, features + 1) have the bias in their last column; ``x`` (n, features) is
    without the constant feature.
    """
    scores: FloatArray = x @ weights[:, :-1].T + weights[:, -1]
    return scores


def network_scores(network: Network, x: FloatArray) -> FloatArray:
    """Return the scores (n, outputs) of a network for ``x`` (n, features)."""
    # In place: new arrays of this size cost as much as the products.
    hidden = x @ network.w1.T
    hidden += network.b1
    np.maximum(hidden, 0.0, out=hidden)
    scores: FloatArray = hidden @ network.w2.T
    scores += network.b2
    return scores


def accuracy(
    scores: Callable[[FloatArray], FloatArray], pixels: Pixels, scale: float, labels: IntArray
) -> float:
    """Return the share of images whose highest score is their label's; ties: the lowest class.

    ``scores`` maps images (n, pixels) in float64 to (n, classes). It gets chunks, so that no split
    is ever held in float64 as a whole.
    """
    hits = 0
    for start in range(0, len(pixels), _CHUNK):
        part = slice(start, start + _CHUNK)
        predicted = np.argmax(scores(np.multiply(pixels[part], scale, dtype=np.float64)), axis=1)
        hits += int(np.count_nonzero(predicted == labels[part]))
    return hits / len(pixels)


def rmse(predicted: FloatArray, target: FloatArray) -> float:
    """Return the root mean squared error of two vectors (n,), in the target's unit."""
    return float(np.sqrt(np.mean(np.square(predicted - target))))


def analytic_weights(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return the least-squares weights (features + 1,) for ``x`` (n, features), ``y`` (n,) (Q2.2a).

    The bias is the last weight. Where many weights fit equally well (one-hot columns that sum to
    the constant feature) it is the shortest vector of them. The pseudo-inverse gives it, and SGD
    from zero tends to it, since SGD never leaves the span of the samples.
    """
    weights = np.linalg.lstsq(with_bias(x), y, rcond=None)[0]
    return weights.astype(np.float64, copy=False)
