"""Fast epochs of the linear models, without numpy's calls and temporary arrays.

They compute the same as the plain loops of :mod:`trainables.numpy_reference`, with the same
gradients by hand: one pass over aligned rows for the scores, one for the update. They run on one
thread and call no BLAS, so the result depends on no thread setting.
"""

from __future__ import annotations

import math

import numpy as np

from trainables.numpy_compiler import aligned_zeros, compiled
from trainables.numpy_models import FloatArray, IntArray, Pixels


def perceptron_epoch(
    weights: FloatArray, pixels: Pixels, scale: float, labels: IntArray, order: IntArray
) -> float:
    """As :func:`trainables.numpy_reference.perceptron_epoch`, bit for bit.

    Every sum is exact where ``scale`` is a power of two, so its order does not matter. ``weights``
    (classes, width) are :func:`~trainables.numpy_compiler.aligned`, with the bias in column
    ``pixels``; ``pixels`` (n, pixels) have no constant feature.
    """
    x = aligned_zeros(1, weights.shape[1])[0]
    return _perceptron_epoch(weights, x, pixels, scale, labels, order)


def logistic_regression_epoch(
    weights: FloatArray,
    pixels: Pixels,
    scale: float,
    labels: IntArray,
    order: IntArray,
    learning_rate: float,
) -> float:
    """As :func:`trainables.numpy_reference.logistic_regression_epoch`.

    The arrays are those of :func:`perceptron_epoch`.
    """
    x = aligned_zeros(1, weights.shape[1])[0]
    scores = np.zeros(len(weights))
    return _logistic_epoch(weights, x, scores, pixels, scale, labels, order, learning_rate)


@compiled
def linear_regression_epoch(
    weights: FloatArray, x: FloatArray, y: FloatArray, order: IntArray, learning_rate: float
) -> None:
    """As :func:`trainables.numpy_reference.linear_regression_epoch`.

    ``weights`` (width,) and ``x`` (n, width) are :func:`~trainables.numpy_compiler.aligned`.
    """
    for i in order:
        error = -y[i]
        for f in range(len(weights)):
            error += weights[f] * x[i, f]
        step = learning_rate * error
        for f in range(len(weights)):
            weights[f] -= step * x[i, f]


@compiled
def _load(x: FloatArray, pixels: Pixels, i: int, scale: float) -> None:
    """Put image ``i`` and the constant feature into ``x``."""
    features = pixels.shape[1]
    for f in range(features):
        x[f] = pixels[i, f] * scale
    x[features] = 1.0


@compiled
def dot(matrix: FloatArray, row: int, x: FloatArray) -> float:
    """Return ``matrix[row] . x``, both (width,); compiled."""
    total = 0.0
    for f in range(len(x)):
        total += matrix[row, f] * x[f]
    return total


@compiled
def _perceptron_epoch(
    weights: FloatArray,
    x: FloatArray,
    pixels: Pixels,
    scale: float,
    labels: IntArray,
    order: IntArray,
) -> float:
    mistakes = 0
    for i in order:
        _load(x, pixels, i, scale)
        predicted, best = 0, -math.inf
        for c in range(len(weights)):
            score = dot(weights, c, x)
            if score > best:
                predicted, best = c, score
        label = labels[i]
        if predicted != label:
            for f in range(len(x)):
                weights[label, f] += x[f]
                weights[predicted, f] -= x[f]
            mistakes += 1
    return mistakes / len(order)


@compiled
def cross_entropy(scores: FloatArray, label: int) -> float:
    """Return ``-log softmax(scores)[label]`` and put its gradient in the place of the scores.

    As :func:`trainables.numpy_reference.cross_entropy`; compiled.
    """
    highest = scores[0]
    for c in range(len(scores)):
        highest = max(highest, scores[c])
    at_label = scores[label] - highest
    total = 0.0
    for c in range(len(scores)):
        scores[c] = math.exp(scores[c] - highest)
        total += scores[c]
    for c in range(len(scores)):
        scores[c] /= total
    scores[label] -= 1.0
    loss: float = math.log(total) - at_label
    return loss


@compiled
def _logistic_epoch(
    weights: FloatArray,
    x: FloatArray,
    scores: FloatArray,
    pixels: Pixels,
    scale: float,
    labels: IntArray,
    order: IntArray,
    learning_rate: float,
) -> float:
    total = 0.0
    for i in order:
        _load(x, pixels, i, scale)
        for c in range(len(scores)):
            scores[c] = dot(weights, c, x)
        total += cross_entropy(scores, labels[i])
        for c in range(len(scores)):
            step = learning_rate * scores[c]
            for f in range(len(x)):
                weights[c, f] -= step * x[f]
    return total / len(order)
