"""Which trainables there are, what they take and what they report.

A trainable's code is imported when it is first resolved, so that listing trainables, or
checking a search space, imports neither torch nor numba. Other packages add trainables through
the entry-point group ``argbest.trainables``; each entry point names a :class:`Trainable`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from trainables import parameters as p
from trainables.contract import Metric, Train, TrainStack, UnknownTrainable

ENTRY_POINT_GROUP = "argbest.trainables"

_CLASSIFICATION = (
    Metric("train_loss", "Training loss (cross-entropy)", "min", "train", "nats", "during"),
    Metric("validation_accuracy", "Validation accuracy", "max", "validation"),
    Metric("test_accuracy", "Test accuracy", "max", "test"),
)
_PERCEPTRON = (
    Metric("train_error_rate", "Training error rate (online)", "min", "train", "", "during"),
    *_CLASSIFICATION[1:],
)
_REGRESSION = (
    Metric("train_rmse", "Training RMSE", "min", "train", "log price"),
    Metric("test_rmse", "Test RMSE", "min", "test", "log price"),
)
_DISTANCE = Metric(
    "distance_to_analytic", "Distance to the analytic solution (Euclidean)", "min", "none"
)


@dataclass(frozen=True, slots=True)
class Trainable:
    """What is known of a trainable without importing its code.

    ``entry`` names the :class:`trainables.contract.Train` function as ``"module:function"``;
    ``stack_entry`` names the :class:`trainables.contract.TrainStack` function of one that can train
    several trials together.
    """

    name: str
    title: str
    entry: str
    datasets: tuple[str, ...]
    metrics: tuple[Metric, ...]
    parameters: type[p.Parameters]
    stack_entry: str = ""

    def resolve(self) -> Train:
        """Import the trainable's module and return its train function."""
        train: Train = _import(self.entry)
        return train

    def resolve_stack(self) -> TrainStack:
        """Import the module and return the function that trains a stack; it has one."""
        train: TrainStack = _import(self.stack_entry)
        return train

    def stack_key(self, config: Mapping[str, Any]) -> str:
        """Return a text that is the same for configurations that can train in one stack.

        Raises ``pydantic.ValidationError`` for one that the parameter model refuses.
        """
        return self.parameters.model_validate(dict(config)).stack_key()

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema (draft 2020-12) of the parameters."""
        return self.parameters.model_json_schema()


def _import(entry: str) -> Any:
    module, _, function = entry.partition(":")
    return getattr(import_module(module), function)


_NUMPY = "trainables.numpy_trainables"
_TORCH = "trainables.torch_trainables"
_AMES = ("ames",)
_IMAGES = ("fashion_mnist",)

_BUILT_IN = (
    Trainable(
        "numpy_linear_regression",
        "Linear regression, gradients by hand",
        f"{_NUMPY}:train_linear_regression",
        _AMES,
        (*_REGRESSION, _DISTANCE),
        p.LinearRegressionParameters,
    ),
    Trainable(
        "numpy_neural_regression",
        "One-hidden-layer regression, gradients by hand",
        f"{_NUMPY}:train_neural_regression",
        _AMES,
        _REGRESSION,
        p.NeuralRegressionParameters,
    ),
    Trainable(
        "numpy_perceptron",
        "Multi-class perceptron",
        f"{_NUMPY}:train_perceptron",
        _IMAGES,
        _PERCEPTRON,
        p.PerceptronParameters,
    ),
    Trainable(
        "numpy_logistic_regression",
        "Multinomial logistic regression, gradients by hand",
        f"{_NUMPY}:train_logistic_regression",
        _IMAGES,
        _CLASSIFICATION,
        p.LogisticRegressionParameters,
    ),
    Trainable(
        "numpy_mlp",
        "Multi-layer perceptron, gradients by hand",
        f"{_NUMPY}:train_mlp",
        _IMAGES,
        _CLASSIFICATION,
        p.MlpParameters,
    ),
    Trainable(
        "torch_logistic_regression",
        "Logistic regression, automatic differentiation",
        f"{_TORCH}:train_logistic_regression",
        _IMAGES,
        _CLASSIFICATION,
        p.TorchLogisticRegressionParameters,
        f"{_TORCH}:train_logistic_regression_stack",
    ),
    Trainable(
        "torch_feedforward",
        "Feed-forward network, automatic differentiation",
        f"{_TORCH}:train_feedforward",
        _IMAGES,
        _CLASSIFICATION,
        p.TorchFeedforwardParameters,
        f"{_TORCH}:train_feedforward_stack",
    ),
)


@cache
def trainables() -> Mapping[str, Trainable]:
    """Return all trainables by name: the built-in ones, then those of installed entry points."""
    found = {trainable.name: trainable for trainable in _BUILT_IN}
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        trainable: Trainable = entry.load()
        found.setdefault(trainable.name, trainable)
    return found


def get(name: str) -> Trainable:
    """Return the trainable called ``name``; raise :class:`UnknownTrainable` if there is none."""
    try:
        return trainables()[name]
    except KeyError:
        known = ", ".join(sorted(trainables()))
        raise UnknownTrainable(f"no trainable is called {name!r}; there are: {known}") from None
