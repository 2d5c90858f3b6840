"""Declares ridge regression for argbest: its name, hyperparameters and metrics.

The code that trains is in a module of its own, which only trial processes import.
"""

from __future__ import annotations

from pydantic import Field

from argbest import Metric, Parameters, Trainable


class RidgeParameters(Parameters):
    """The hyperparameters, with limits and defaults; the API shows them as JSON Schema."""

    learning_rate: float = Field(0.03, gt=0, le=1, description="step size of gradient descent")
    penalty: float = Field(0.0, ge=0, description="weight of half the squared norm")


RIDGE = Trainable(
    name="ridge_regression",
    title="Ridge regression, full-batch gradient descent",
    entry="argbest_ridge_train:train",
    datasets=("ames",),
    # A training or validation metric decides a search; one of the test data is only shown.
    metrics=(
        Metric("train_rmse", "Training RMSE", "min", "train", "log price"),
        Metric("validation_rmse", "Validation RMSE", "min", "validation", "log price"),
        Metric("test_rmse", "Test RMSE", "min", "test", "log price"),
    ),
    parameters=RidgeParameters,
    # The function reports states and takes resume: see argbest_ridge_train.py.
    resumes=True,
)
