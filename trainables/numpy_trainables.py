"""The trainables of Q2 and Q3: plain numpy, gradients by hand, batch size 1.

Each function is a :class:`trainables.contract.Train`. One stream of random numbers per run,
``RandomState(seed)``, gives first the weights of a network, then one permutation per epoch, applied
to the order that the epoch before left; only that index array is permuted, never the data.
:class:`trainables.numpy_run.Run` holds the stream and makes the states, which are also the models.

Training runs in :mod:`trainables.numpy_linear_engine` and :mod:`trainables.numpy_network_engine`.
Evaluation and the analytic solution use BLAS: with its thread count fixed (``OMP_NUM_THREADS=1``),
the same arguments give the same metrics bit for bit.

All raise ``pydantic.ValidationError`` for a configuration that their parameter model refuses,
``ValueError`` for data of the wrong shape, and :class:`~trainables.state_files.StateError` for a
state of another configuration. A loss that is no longer finite is reported as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from trainables import numpy_linear_engine as linear
from trainables.contract import Report, State
from trainables.datasets.types import SPLITS, ClassificationData, Data, RegressionData
from trainables.numpy_compiler import aligned
from trainables.numpy_models import (
    FloatArray,
    IntArray,
    Network,
    accuracy,
    analytic_weights,
    initial_network,
    linear_scores,
    network_scores,
    rmse,
    with_bias,
)
from trainables.numpy_network_engine import DelayedNetwork
from trainables.numpy_run import Run
from trainables.parameters import (
    LinearRegressionParameters,
    LogisticRegressionParameters,
    MlpParameters,
    NeuralRegressionParameters,
    PerceptronParameters,
)

_Scalar = TypeVar("_Scalar", bound=np.generic)
_Metrics = dict[str, float]
_Scores = Callable[[FloatArray], FloatArray]


def train_linear_regression(
    config: Mapping[str, Any],
    data: RegressionData,
    report: Report,
    *,
    epochs: int,
    seed: int,
    resume: State | None = None,
) -> None:
    """Linear regression from zero weights, bias as last feature (Q2.2a).

    Reports ``train_rmse``, ``test_rmse`` and ``distance_to_analytic``: the Euclidean norm of the
    weights, with the bias, less those of :func:`~trainables.numpy_models.analytic_weights`.
    """
    rate = LinearRegressionParameters(**config).learning_rate
    _check_regression(data)
    width = data.x_train.shape[1] + 1
    x, y = aligned(with_bias(data.x_train)), _frozen(data.y_train)
    run = Run("numpy_linear_regression", seed, resume)
    weights = aligned(run.weights({"weights": np.zeros(width)})["weights"][np.newaxis])
    solution = analytic_weights(data.x_train, data.y_train)

    def one_epoch(order: IntArray) -> _Metrics:
        linear.linear_regression_epoch(weights[0], x, y, order, rate)
        current = weights[:, :width]
        distance = float(np.linalg.norm(current[0] - solution))
        errors = _errors(lambda part: linear_scores(current, part), data)
        return {**errors, "distance_to_analytic": distance}

    run.train(one_epoch, lambda: {"weights": weights[0, :width]}, report, len(y), epochs)


def train_neural_regression(
    config: Mapping[str, Any],
    data: RegressionData,
    report: Report,
    *,
    epochs: int,
    seed: int,
    resume: State | None = None,
) -> None:
    """One hidden layer of ReLU units, squared error (Q2.2b); ``train_rmse`` and ``test_rmse``."""
    parameters = NeuralRegressionParameters(**config)
    _check_regression(data)
    x, y = _frozen(data.x_train), _frozen(data.y_train)
    run = Run("numpy_neural_regression", seed, resume)
    network = _network(run, x.shape[1], parameters.hidden_size, 1)

    def one_epoch(order: IntArray) -> _Metrics:
        network.neural_regression_epoch(x, y, order, parameters.learning_rate)
        current = network.view()
        return _errors(lambda part: network_scores(current, part), data)

    run.train(one_epoch, lambda: _arrays(network.view()), report, len(y), epochs)


def train_perceptron(
    config: Mapping[str, Any],
    data: ClassificationData,
    report: Report,
    *,
    epochs: int,
    seed: int,
    resume: State | None = None,
) -> None:
    """Multi-class perceptron from zero weights, bias as last feature (Q3.1a).

    ``train_error_rate`` is the share of samples that it misclassified during the epoch.
    """
    PerceptronParameters(**config)
    _check_classes(data)
    x, y = _frozen(data.x_train), _frozen(data.y_train)
    width = x.shape[1] + 1
    run = Run("numpy_perceptron", seed, resume)
    weights = aligned(run.weights({"weights": np.zeros((len(data.classes), width))})["weights"])

    def one_epoch(order: IntArray) -> _Metrics:
        mistakes = linear.perceptron_epoch(weights, x, data.scale, y, order)
        current = weights[:, :width]
        accuracies = _accuracies(lambda part: linear_scores(current, part), data)
        return {"train_error_rate": mistakes, **accuracies}

    run.train(one_epoch, lambda: {"weights": weights[:, :width]}, report, len(y), epochs)


def train_logistic_regression(
    config: Mapping[str, Any],
    data: ClassificationData,
    report: Report,
    *,
    epochs: int,
    seed: int,
    resume: State | None = None,
) -> None:
    """Multinomial logistic regression from zero weights, bias as last feature (Q3.1b)."""
    rate = LogisticRegressionParameters(**config).learning_rate
    _check_classes(data)
    x, y = _frozen(data.x_train), _frozen(data.y_train)
    width = x.shape[1] + 1
    run = Run("numpy_logistic_regression", seed, resume)
    weights = aligned(run.weights({"weights": np.zeros((len(data.classes), width))})["weights"])

    def one_epoch(order: IntArray) -> _Metrics:
        loss = linear.logistic_regression_epoch(weights, x, data.scale, y, order, rate)
        current = weights[:, :width]
        accuracies = _accuracies(lambda part: linear_scores(current, part), data)
        return {"train_loss": loss, **accuracies}

    run.train(one_epoch, lambda: {"weights": weights[:, :width]}, report, len(y), epochs)


def train_mlp(
    config: Mapping[str, Any],
    data: ClassificationData,
    report: Report,
    *,
    epochs: int,
    seed: int,
    resume: State | None = None,
) -> None:
    """One hidden layer of ReLU units, cross-entropy (Q3.2b)."""
    parameters = MlpParameters(**config)
    _check_classes(data)
    x, y = _frozen(data.x_train), _frozen(data.y_train)
    run = Run("numpy_mlp", seed, resume)
    network = _network(run, x.shape[1], parameters.hidden_size, len(data.classes))

    def one_epoch(order: IntArray) -> _Metrics:
        loss = network.mlp_epoch(x, data.scale, y, order, parameters.learning_rate)
        current = network.view()
        accuracies = _accuracies(lambda part: network_scores(current, part), data)
        return {"train_loss": loss, **accuracies}

    run.train(one_epoch, lambda: _arrays(network.view()), report, len(y), epochs)


def _network(run: Run, features: int, hidden: int, outputs: int) -> DelayedNetwork:
    sizes = {"features": features, "hidden": hidden, "outputs": outputs}
    first = initial_network(run.stream, **sizes)
    return DelayedNetwork.of(Network(**run.weights(_arrays(first))))


def _arrays(network: Network) -> dict[str, FloatArray]:
    """Return the arrays of a network by name, without copying them."""
    return {name: getattr(network, name) for name in ("w1", "b1", "w2", "b2")}


def _errors(scores: _Scores, data: RegressionData) -> _Metrics:
    """Return the root mean squared error on each part of the data, in the target's unit.

    ``scores`` maps (n, features) to (n, 1).
    """
    parts = {split: (getattr(data, f"x_{split}"), getattr(data, f"y_{split}")) for split in SPLITS}
    return {
        f"{split}_rmse": rmse(scores(x)[:, 0], y) * data.y_scale
        for split, (x, y) in parts.items()
        if len(y)
    }


def _accuracies(scores: _Scores, data: ClassificationData) -> _Metrics:
    held_out = {
        "validation_accuracy": (data.x_validation, data.y_validation),
        "test_accuracy": (data.x_test, data.y_test),
    }
    return {name: accuracy(scores, x, data.scale, y) for name, (x, y) in held_out.items() if len(y)}


def _frozen(array: NDArray[_Scalar]) -> NDArray[_Scalar]:
    """Return a contiguous read-only view, so that each kernel is compiled for one kind of array."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _check_regression(data: RegressionData) -> None:
    _check(data, np.dtype(np.float64))


def _check_classes(data: ClassificationData) -> None:
    """Compiled code checks no bounds, so a wrong label would write outside of the weights."""
    is_float = data.x_train.dtype == np.float64
    _check(data, np.dtype(np.float64) if is_float else np.dtype(np.uint8))
    for split in SPLITS:
        y = getattr(data, f"y_{split}")
        if len(y) and (y.min() < 0 or y.max() >= len(data.classes)):
            raise ValueError(
                f"{data.name}: y_{split} holds labels from {y.min()} to {y.max()}; "
                f"they must be 0 to {len(data.classes) - 1}, an index into classes"
            )


def _check(data: Data, dtype: np.dtype[Any]) -> None:
    """Check the arrays of each part; validation and test may be without rows."""
    features = data.x_train.shape[1]
    for split in SPLITS:
        x, y = getattr(data, f"x_{split}"), getattr(data, f"y_{split}")
        n = len(x)
        if n == 0 and y.shape == (0,) and split != "train":
            continue
        if n == 0 or x.dtype != dtype or x.shape != (n, features) or y.shape != (n,):
            raise ValueError(
                f"{data.name}: x_{split} is {x.dtype} of shape {x.shape} and y_{split} of shape "
                f"{y.shape}; they must be {dtype} of shape (n, {features}) and of shape (n,), n > 0"
            )
