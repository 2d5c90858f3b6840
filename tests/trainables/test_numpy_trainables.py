"""The numpy trainables: what they report, in which order they draw, and the published figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from tests.real_data import fashion_mnist
from tests.trainables.synthetic import image_data, regression_data
from trainables import datasets, numpy_reference, registry
from trainables.datasets.types import ClassificationData, RegressionData
from trainables.numpy_models import (
    analytic_weights,
    initial_network,
    network_scores,
    rmse,
    with_bias,
)
from trainables.numpy_trainables import (
    train_linear_regression,
    train_logistic_regression,
    train_mlp,
    train_neural_regression,
    train_perceptron,
)

NAMES = tuple(name for name in registry.trainables() if name.startswith("numpy_"))
Curve = list[dict[str, float]]


def _data(name: str) -> ClassificationData | RegressionData:
    is_regression = "regression" in registry.get(name).kinds
    return regression_data(validation=10) if is_regression else image_data()


def _curve(
    name: str,
    data: Any,
    config: Mapping[str, Any] | None = None,
    *,
    epochs: int = 3,
    seed: int = 42,
) -> Curve:
    curve: Curve = []

    def report(epoch: int, metrics: Mapping[str, float], *, engine: str = "", **_: Any) -> None:
        assert epoch == len(curve) + 1
        curve.append(dict(metrics))

    registry.get(name).resolve()(config or {}, data, report, epochs=epochs, seed=seed)
    return curve


@pytest.mark.parametrize("name", NAMES)
def test_reports_the_declared_metrics_as_plain_floats(name: str) -> None:
    curve = _curve(name, _data(name))
    declared = [metric.name for metric in registry.get(name).metrics]
    assert len(curve) == 3
    for metrics in curve:
        assert list(metrics) == declared
        assert {type(value) for value in metrics.values()} == {float}
        assert all(math.isfinite(value) for value in metrics.values())


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_one_curve_bit_for_bit(name: str) -> None:
    data = _data(name)
    curve = _curve(name, data, seed=7)
    assert _curve(name, data, seed=7) == curve
    assert _curve(name, data, seed=8) != curve


@pytest.mark.parametrize("name", ["numpy_perceptron", "numpy_logistic_regression", "numpy_mlp"])
def test_memory_maps_give_the_same_curve(name: str, tmp_path: Path) -> None:
    assert _curve(name, image_data(folder=tmp_path)) == _curve(name, image_data())


@pytest.mark.parametrize("name", ["numpy_perceptron", "numpy_logistic_regression", "numpy_mlp"])
def test_scaled_floats_give_the_curve_of_bytes(name: str) -> None:
    """The features are the same numbers, so all that is computed of them is the same."""
    assert _curve(name, image_data(dtype=np.float64)) == _curve(name, image_data())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("missing", [("validation",), ("test",)])
def test_a_part_without_rows_has_no_metrics(name: str, missing: tuple[str, ...]) -> None:
    data = _data(name)
    empty = {f"{a}_{s}": getattr(data, f"{a}_{s}")[:0] for a in "xy" for s in missing}
    curve = _curve(name, replace(data, **empty))
    declared = [m.name for m in registry.get(name).metrics if m.split not in missing]
    assert [list(metrics) for metrics in curve] == [declared] * 3
    kept = [{name: metrics[name] for name in declared} for metrics in _curve(name, data)]
    assert curve == kept


def test_errors_are_in_the_unit_of_the_target() -> None:
    for name in ("numpy_linear_regression", "numpy_neural_regression"):
        plain, scaled = (_curve(name, regression_data(y_scale=s)) for s in (1.0, 50_000.0))
        assert scaled[-1]["test_rmse"] == plain[-1]["test_rmse"] * 50_000.0


def test_linear_regression_learns_a_linear_target() -> None:
    data = regression_data(noise=0.0)
    curve = _curve("numpy_linear_regression", data, {"learning_rate": 0.01}, epochs=60)
    assert curve[-1]["train_rmse"] < 1e-3 < curve[0]["train_rmse"]
    assert curve[-1]["distance_to_analytic"] < 1e-2


@pytest.mark.parametrize("name", ["numpy_logistic_regression", "numpy_mlp"])
def test_classifiers_learn_separable_patterns(name: str) -> None:
    curve = _curve(name, image_data(), {"learning_rate": 0.1}, epochs=20)
    assert curve[-1]["validation_accuracy"] > 0.9
    assert curve[-1]["train_loss"] < curve[0]["train_loss"]


def test_linear_models_draw_only_permutations_which_accumulate() -> None:
    data, rate = regression_data(), 0.01
    stream, x, weights = np.random.RandomState(42), with_bias(data.x_train), np.zeros(7)
    order = np.arange(len(x))
    solution = analytic_weights(data.x_train, data.y_train)
    expected = []
    for _ in range(3):
        order = order[stream.permutation(len(x))]
        numpy_reference.linear_regression_epoch(weights, x, data.y_train, order, rate)
        expected.append(
            {
                "train_rmse": rmse(x @ weights, data.y_train),
                "test_rmse": rmse(with_bias(data.x_test) @ weights, data.y_test),
                "distance_to_analytic": float(np.linalg.norm(weights - solution)),
            }
        )
    curve = _curve("numpy_linear_regression", data, {"learning_rate": rate})
    assert curve == [pytest.approx(metrics, rel=1e-12) for metrics in expected]


def test_networks_draw_both_layers_then_permutations_which_accumulate() -> None:
    data, rate = image_data(), 0.01
    stream, x = np.random.RandomState(42), data.x_train * data.scale
    network = initial_network(stream, features=16, hidden=5, outputs=3)
    order = np.arange(len(x))
    expected = []
    for _ in range(3):
        order = order[stream.permutation(len(x))]
        loss = numpy_reference.mlp_epoch(network, x, data.y_train, order, rate)
        hits = network_scores(network, data.x_test * data.scale).argmax(axis=1) == data.y_test
        expected.append((loss, hits.mean()))
    curve = _curve("numpy_mlp", data, {"learning_rate": rate, "hidden_size": 5})
    found = [(metrics["train_loss"], metrics["test_accuracy"]) for metrics in curve]
    assert found == [pytest.approx(pair, rel=1e-10) for pair in expected]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "numpy_perceptron"])
def test_a_diverged_run_is_reported_to_the_end_without_warnings(name: str) -> None:
    huge = regression_data()
    images = "fashion_mnist" in registry.get(name).datasets
    data = (
        # Cross-entropy grows only as the scores do: pixels so bright that the scores overflow.
        replace(image_data(), scale=1e200)
        if images
        else RegressionData(
            "huge", huge.x_train * 1e3, huge.y_train, huge.x_test * 1e3, huge.y_test
        )
    )
    curve = _curve(name, data, {"learning_rate": 10.0})
    assert len(curve) == 3
    assert not math.isfinite(curve[-1]["train_loss" if images else "train_rmse"])
    assert all(0 <= metrics.get("test_accuracy", 0) <= 1 for metrics in curve)


def test_report_runs_with_the_callers_floating_point_settings() -> None:
    seen = []
    with np.errstate(over="raise", invalid="raise"):
        outside = np.geterr()
        train_perceptron(
            {}, image_data(), lambda epoch, metrics, **_: seen.append(np.geterr()), epochs=1, seed=1
        )
    assert seen == [outside]


def test_one_sample_is_enough() -> None:
    data = image_data(train=1)
    assert len(_curve("numpy_mlp", data)) == 3
    assert len(_curve("numpy_logistic_regression", data)) == 3
    assert len(_curve("numpy_neural_regression", regression_data(rows=1))) == 3


@pytest.mark.parametrize("name", NAMES)
def test_refuses_unknown_parameters(name: str) -> None:
    with pytest.raises(ValidationError, match="momentum"):
        _curve(name, _data(name), {"momentum": 0.9})


@pytest.mark.parametrize("train", [train_logistic_regression, train_mlp, train_perceptron])
def test_refuses_labels_that_are_no_class(train: Any) -> None:
    good = image_data(classes=3)
    bad = ClassificationData(
        **{field: getattr(good, field) for field in good.__dataclass_fields__} | {"classes": ("a",)}
    )
    with pytest.raises(ValueError, match="y_train holds labels from 0 to 2; they must be 0 to 0"):
        train({}, bad, lambda epoch, metrics, **_: None, epochs=1, seed=1)


@pytest.mark.parametrize("train", [train_linear_regression, train_neural_regression])
def test_refuses_a_target_that_is_no_vector(train: Any) -> None:
    good = regression_data()
    bad = RegressionData("bad", good.x_train, good.y_train[:, np.newaxis], good.x_test, good.y_test)
    with pytest.raises(ValueError, match=r"y_train of shape \(40, 1\)"):
        train({}, bad, lambda epoch, metrics, **_: None, epochs=1, seed=1)


def test_linear_regression_gives_the_published_figures(tmp_path: Path) -> None:
    data = datasets.load("ames", tmp_path)
    curve = _curve("numpy_linear_regression", data, epochs=150)
    test = [metrics["test_rmse"] for metrics in curve]
    assert round(curve[-1]["train_rmse"], 3) == 0.111
    assert round(test[-1], 3) == 0.238
    assert round(min(test), 3) == 0.195
    assert test.index(min(test)) + 1 == 71
    distances = [metrics["distance_to_analytic"] for metrics in curve]
    assert distances[-1] < distances[0]


def test_single_layers_give_the_known_figures_of_the_first_epochs() -> None:
    last = _curve("numpy_perceptron", fashion_mnist(), epochs=2)[-1]
    assert (last["validation_accuracy"], last["test_accuracy"]) == (0.7416, 0.7336)
    last = _curve("numpy_logistic_regression", fashion_mnist(), epochs=2)[-1]
    assert last["validation_accuracy"] == pytest.approx(0.8307, abs=1e-4)
    assert last["test_accuracy"] == pytest.approx(0.8217, abs=1e-4)


@pytest.mark.long
def test_perceptron_gives_the_published_figures() -> None:
    curve = _curve("numpy_perceptron", fashion_mnist(), epochs=20)
    assert curve[-1]["validation_accuracy"] == 0.7126
    assert curve[-1]["test_accuracy"] == 0.7013


@pytest.mark.long
def test_neural_regression_gives_the_published_figures(tmp_path: Path) -> None:
    """The test errors of this run are those of ``tests/handin/test_ames_checks.py``."""
    data = datasets.load("ames", tmp_path)
    last = _curve("numpy_neural_regression", data, epochs=150)[-1]
    assert last["train_rmse"] == pytest.approx(0.0986, abs=2e-4)
    assert last["test_rmse"] == pytest.approx(0.1655, abs=2e-4)


@pytest.mark.long
def test_logistic_regression_gives_the_published_figures() -> None:
    last = _curve("numpy_logistic_regression", fashion_mnist(), epochs=20)[-1]
    assert last["validation_accuracy"] == pytest.approx(0.8503, abs=1e-4)
    assert last["test_accuracy"] == pytest.approx(0.8403, abs=1e-4)


def test_mlp_gives_the_known_figures_of_one_epoch() -> None:
    last = _curve("numpy_mlp", fashion_mnist(), epochs=1)[-1]
    assert last["validation_accuracy"] == pytest.approx(0.8094, abs=0.005)
    assert last["test_accuracy"] == pytest.approx(0.8052, abs=0.005)


@pytest.mark.long
def test_mlp_gives_the_published_figures() -> None:
    """To the last digit where this was written; elsewhere rounding may differ, and it grows."""
    last = _curve("numpy_mlp", fashion_mnist(), epochs=20)[-1]
    assert last["validation_accuracy"] == pytest.approx(0.8768, abs=0.005)
    assert last["test_accuracy"] == pytest.approx(0.8703, abs=0.005)
