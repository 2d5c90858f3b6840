"""A train function in a file: no arguments to parse, and its state goes to argbest itself."""

from __future__ import annotations

from typing import Any

import numpy as np


def train(
    config: dict[str, Any],
    data: None,  # noqa: ARG001 - it makes its own
    report: Any,
    *,
    epochs: int,
    seed: int,
    resume: dict[str, Any] | None = None,
) -> None:
    """Fit a line by gradient descent, and report the error after each epoch."""
    random = np.random.default_rng(seed)
    x = random.normal(size=100)
    y = 2 * x + 1 + 0.1 * random.normal(size=100)
    weights = np.zeros(2) if resume is None else np.asarray(resume["weights"])
    for epoch in range(1 if resume is None else resume["epoch"] + 1, epochs + 1):
        error = weights[0] * x + weights[1] - y
        weights = weights - config["rate"] * np.array([(error * x).mean(), error.mean()])

        def state(epoch: int = epoch, weights: Any = weights) -> dict[str, Any]:
            return {"epoch": epoch, "weights": weights}

        report(epoch, {"mse": float((error**2).mean())}, state=state)
