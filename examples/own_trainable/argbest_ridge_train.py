"""Trains ridge regression: the mean squared error plus a penalty on the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from argbest_ridge import RidgeParameters
from numpy.typing import NDArray

from trainables.contract import Report, State
from trainables.datasets import RegressionData

Array = NDArray[np.float64]

#: The data set has no validation part: one in this many training rows is held out.
HELD_OUT = 5


def train(
    config: Mapping[str, Any],
    data: RegressionData,
    report: Report,
    *,
    epochs: int,
    seed: int,
    resume: State | None = None,
) -> None:
    """Descend for ``epochs`` steps from zero; ``seed`` decides which rows are held out.

    Each epoch is one step along the gradient of
    ``|X w + b - y|^2 / (2 n) + penalty |w|^2 / 2`` with X (n, features), w (features,). With
    ``resume``, a state of an earlier run, go on after its epoch; the rows follow from the seed.
    """
    parameters = RidgeParameters(**config)
    order = np.random.RandomState(seed).permutation(len(data.y_train))
    held_out, kept = np.split(order, [len(order) // HELD_OUT])
    x, y = data.x_train[kept], data.y_train[kept]
    done, weights, bias = 0, np.zeros(x.shape[1]), float(y.mean())
    if resume is not None:
        done, weights, bias = resume["epoch"], resume["weights"], resume["bias"]

    def state() -> State:
        return {"epoch": epoch, "weights": weights, "bias": bias}

    for epoch in range(done + 1, epochs + 1):
        errors = x @ weights + bias - y
        slope = x.T @ errors / len(y) + parameters.penalty * weights
        weights -= parameters.learning_rate * slope
        bias -= parameters.learning_rate * float(errors.mean())
        report(
            epoch,
            {
                "train_rmse": rmse(x @ weights + bias, y),
                "validation_rmse": rmse(
                    data.x_train[held_out] @ weights + bias, data.y_train[held_out]
                ),
                "test_rmse": rmse(data.x_test @ weights + bias, data.y_test),
            },
            state=state,
        )


def rmse(predicted: Array, target: Array) -> float:
    """Return the root mean squared error of ``predicted`` (n,) against ``target`` (n,)."""
    return float(np.sqrt(np.mean((predicted - target) ** 2)))
