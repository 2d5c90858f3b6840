"""The hyperparameters of each built-in trainable: types, limits and defaults.

One pydantic model gives the check, the JSON Schema and the defaults. Nothing heavy is imported.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json


class Parameters(BaseModel):
    """Base of all parameter models: strict types, no unknown names, finite numbers.

    Values are read as JSON, which is how configurations are stored: an ``Enum`` is given by its
    value and a tuple as a list, whether by ``model_validate(config)`` or as keyword arguments.
    """

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True
    )

    def __init__(self, **values: Any) -> None:
        content = to_json(values, inf_nan_mode="constants")
        self.__pydantic_validator__.validate_json(content, self_instance=self)


#: Where a torch model trains.
DeviceName = Literal["auto", "cpu", "cuda"]
_DEVICE = "where to train: an NVIDIA GPU (cuda), the CPU, or the GPU if the trial has one (auto)"


class LinearRegressionParameters(Parameters):
    """Linear regression by SGD, batch size 1 (Q2.2a)."""

    learning_rate: float = Field(0.001, gt=0, le=10, description="step size of SGD")


class NeuralRegressionParameters(Parameters):
    """One hidden layer of ReLU units, squared error, SGD with batch size 1 (Q2.2b)."""

    learning_rate: float = Field(0.001, gt=0, le=10, description="step size of SGD")
    hidden_size: int = Field(150, ge=1, le=4096, description="units of the hidden layer")


class PerceptronParameters(Parameters):
    """Multi-class perceptron (Q3.1a); it has no hyperparameters."""


class LogisticRegressionParameters(Parameters):
    """Multinomial logistic regression, no regularisation, SGD with batch size 1 (Q3.1b)."""

    learning_rate: float = Field(0.001, gt=0, le=10, description="step size of SGD")


class MlpParameters(Parameters):
    """One hidden layer of ReLU units, cross-entropy, SGD with batch size 1 (Q3.2b)."""

    learning_rate: float = Field(0.001, gt=0, le=10, description="step size of SGD")
    hidden_size: int = Field(200, ge=1, le=4096, description="units of the hidden layer")


class TorchLogisticRegressionParameters(Parameters):
    """Logistic regression by automatic differentiation (Q4.1)."""

    learning_rate: float = Field(0.01, gt=0, le=10, description="step size of the optimiser")
    optimizer: Literal["sgd", "adam"] = Field("sgd", description="SGD without momentum, or Adam")
    l2_decay: float = Field(0.0, ge=0, le=1, description="L2 penalty added to the gradient")
    batch_size: int = Field(1, ge=1, le=4096, description="samples in one update")
    device: DeviceName = Field("auto", description=_DEVICE)


class TorchFeedforwardParameters(Parameters):
    """Feed-forward network with dropout by automatic differentiation (Q4.2, Q4.3)."""

    learning_rate: float = Field(0.01, gt=0, le=10, description="step size of the optimiser")
    hidden_size: int = Field(200, ge=1, le=4096, description="units of each hidden layer")
    layers: int = Field(1, ge=1, le=10, description="number of hidden layers")
    dropout: float = Field(0.3, ge=0, lt=1, description="probability to drop a hidden unit")
    activation: Literal["relu", "tanh"] = Field("relu", description="hidden activation")
    optimizer: Literal["sgd", "adam"] = Field("sgd", description="SGD without momentum, or Adam")
    l2_decay: float = Field(0.0, ge=0, le=1, description="L2 penalty added to the gradient")
    batch_size: int = Field(1, ge=1, le=4096, description="samples in one update")
    device: DeviceName = Field("auto", description=_DEVICE)
