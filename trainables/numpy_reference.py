"""The plain loops: stochastic gradient descent, one sample at a time, gradients by hand.

This is the specification, as short as the mathematics allows; it trains no trial.
:mod:`trainables.numpy_linear_engine` and :mod:`trainables.numpy_network_engine` compute the same
numbers faster, and are tested and timed against these functions. Linear models take samples with
the constant 1 as last feature; networks have bias vectors instead. Every ``*_epoch`` function
visits the samples in the given ``order`` and changes the parameters in place.
"""

from __future__ import annotations

import numpy as np

from trainables.numpy_models import FloatArray, IntArray, Network


def cross_entropy(scores: FloatArray, label: int) -> tuple[float, FloatArray]:
    """Loss ``-log softmax(scores)[label]`` in nats, and its gradient ``p - e_label`` (Q1.4, Q1.5).

    ``scores`` (classes,). The highest score is subtracted first, so that no exponential overflows.
    """
    shifted = scores - scores.max()
    exponentials = np.exp(shifted)
    total = exponentials.sum()
    gradient = exponentials / total
    gradient[label] -= 1.0
    return float(np.log(total) - shifted[label]), gradient


def linear_regression_gradient(weights: FloatArray, x: FloatArray, y: float) -> FloatArray:
    """Gradient ``(w.x - y) x`` of ``1/2 (w.x - y)^2``: no factor 2 (Q2.1); all (features + 1,)."""
    gradient: FloatArray = (np.dot(weights, x) - y) * x
    return gradient


def linear_regression_epoch(
    weights: FloatArray, x: FloatArray, y: FloatArray, order: IntArray, learning_rate: float
) -> None:
    """One epoch of linear regression (Q2.2a).

    ``weights`` (features + 1,), ``x`` (n, features + 1), ``y`` (n,).
    """
    for i in order:
        weights -= learning_rate * linear_regression_gradient(weights, x[i], y[i])


def perceptron_epoch(
    weights: FloatArray, x: FloatArray, labels: IntArray, order: IntArray
) -> float:
    """One epoch of the multi-class perceptron (Q3.1a); return the share of mistakes.

    ``weights`` (classes, features + 1), ``x`` (n, features + 1). On a mistake the sample is added
    to its class's row and subtracted from the predicted one; ``argmax`` gives a tie to the lowest
    class.
    """
    mistakes = 0
    for i in order:
        predicted = np.argmax(np.dot(weights, x[i]))
        if predicted != labels[i]:
            weights[labels[i]] += x[i]
            weights[predicted] -= x[i]
            mistakes += 1
    return mistakes / len(order)


def logistic_regression_gradient(
    weights: FloatArray, x: FloatArray, label: int
) -> tuple[float, FloatArray]:
    """Loss in nats, and its gradient ``(p - e_label) x^T`` (classes, features + 1) (Q1.5)."""
    loss, output_gradient = cross_entropy(np.dot(weights, x), label)
    return loss, np.outer(output_gradient, x)


def logistic_regression_epoch(
    weights: FloatArray, x: FloatArray, labels: IntArray, order: IntArray, learning_rate: float
) -> float:
    """One epoch of multinomial logistic regression (Q3.1b); return the mean online loss in nats.

    ``weights`` (classes, features + 1), ``x`` (n, features + 1). A sample's loss is taken before
    its update.
    """
    total = 0.0
    for i in order:
        loss, gradient = logistic_regression_gradient(weights, x[i], labels[i])
        weights -= learning_rate * gradient
        total += loss
    return total / len(order)


def _forward(network: Network, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Hidden units (hidden,) and scores (outputs,) for one sample (features,)."""
    hidden = np.maximum(np.dot(network.w1, x) + network.b1, 0.0)
    return hidden, np.dot(network.w2, hidden) + network.b2


def _backward(
    network: Network, x: FloatArray, hidden: FloatArray, output_gradient: FloatArray
) -> Network:
    """Gradients of all parameters, given that of the scores (outputs,); relu' is 0 at 0."""
    delta = np.dot(network.w2.T, output_gradient) * (hidden > 0.0)
    return Network(
        w1=np.outer(delta, x),
        b1=delta,
        w2=np.outer(output_gradient, hidden),
        b2=output_gradient,
    )


def _descend(network: Network, gradients: Network, learning_rate: float) -> None:
    network.w1 -= learning_rate * gradients.w1
    network.b1 -= learning_rate * gradients.b1
    network.w2 -= learning_rate * gradients.w2
    network.b2 -= learning_rate * gradients.b2


def neural_regression_gradients(network: Network, x: FloatArray, y: float) -> Network:
    """Gradients of ``1/2 (z - y)^2`` for a network with one output (Q2.2b)."""
    hidden, scores = _forward(network, x)
    return _backward(network, x, hidden, scores - y)


def neural_regression_epoch(
    network: Network, x: FloatArray, y: FloatArray, order: IntArray, learning_rate: float
) -> None:
    """One epoch of the one-hidden-layer regression (Q2.2b); ``x`` (n, features), ``y`` (n,)."""
    for i in order:
        _descend(network, neural_regression_gradients(network, x[i], y[i]), learning_rate)


def mlp_gradients(network: Network, x: FloatArray, label: int) -> tuple[float, Network]:
    """Cross-entropy in nats, and the gradients of all parameters (Q3.2b)."""
    hidden, scores = _forward(network, x)
    loss, output_gradient = cross_entropy(scores, label)
    return loss, _backward(network, x, hidden, output_gradient)


def mlp_epoch(
    network: Network, x: FloatArray, labels: IntArray, order: IntArray, learning_rate: float
) -> float:
    """One epoch of the multi-layer perceptron (Q3.2b); return the mean online loss in nats.

    ``x`` (n, features), ``labels`` (n,). A sample's loss is taken before its update.
    """
    total = 0.0
    for i in order:
        loss, gradients = mlp_gradients(network, x[i], labels[i])
        _descend(network, gradients, learning_rate)
        total += loss
    return total / len(order)
