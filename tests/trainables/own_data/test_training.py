"""Each built-in trainable trains on users' data of any width and number of classes."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trainables.own_data.files import made, npz, table
from trainables import registry
from trainables.datasets import Data
from trainables.own_data import load, unpack
from trainables.own_data.making import tree_of
from trainables.own_data.stored import write

REGRESSION = ("numpy_linear_regression", "numpy_neural_regression")
CLASSIFICATION = (
    "numpy_perceptron", "numpy_logistic_regression", "numpy_mlp",
    "torch_logistic_regression", "torch_feedforward",
)  # fmt: skip


def test_every_built_in_trainable_is_tried() -> None:
    built_in = {n for n, t in registry.trainables().items() if t.entry.startswith("trainables.")}
    assert built_in == {*REGRESSION, *CLASSIFICATION}


def data_of(folder: Path, content: str | bytes, **options: Any) -> Data:
    """Return the data as a trial gets them: stored, unpacked and mapped."""
    file = folder / "content.npz"
    digest = write(file, tree_of(made(folder, content, **options).prepared))
    unpack(file, folder / digest, digest)
    return load(folder / digest, "mine")


def last(name: str, data: Data, epochs: int = 10, **config: Any) -> Mapping[str, float]:
    """Train for some epochs; return the metrics of the last."""
    curve: list[Mapping[str, float]] = []

    def report(epoch: int, metrics: Mapping[str, float], **_: Any) -> None:
        assert epoch == len(curve) + 1
        curve.append(metrics)

    registry.get(name).resolve()(config, data, report, epochs=epochs, seed=1)
    assert all(math.isfinite(value) for metrics in curve for value in metrics.values())
    return curve[-1]


@pytest.mark.parametrize("name", REGRESSION)
def test_prices_are_learned_in_their_unit(name: str, tmp_path: Path) -> None:
    """A linear target, up to rounding and the missing sizes, at the default learning rate."""
    data = data_of(tmp_path, table(400), target="price")
    metrics = last(name, data, epochs=30)
    assert [metric for metric in metrics if metric.endswith("rmse")] == [
        "train_rmse", "validation_rmse", "test_rmse"
    ]  # fmt: skip
    spread = 100_000.0
    assert 1_000 < metrics["validation_rmse"] < 0.6 * spread


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_classes_of_a_table_are_learned(name: str, tmp_path: Path) -> None:
    random = np.random.RandomState(0)
    rows = []
    for index in range(300):
        kind = "abcd"[index % 4]
        x, y = random.randn(2) + 6 * np.array([kind in "ab", kind in "ac"])
        rows.append(f"{x:.3f},{y:.3f},{kind}")
    data = data_of(tmp_path, "x,y,kind\n" + "\n".join(rows), target="kind")
    config: dict[str, Any] = {} if name == "numpy_perceptron" else {"learning_rate": 0.05}
    if name.startswith("torch"):
        config |= {"batch_size": 4, "device": "cpu"}
    assert last(name, data, **config)["validation_accuracy"] > 0.85


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_images_of_another_size_and_two_classes_are_learned(name: str, tmp_path: Path) -> None:
    random = np.random.RandomState(0)
    y = np.arange(200) % 2
    x = random.randint(0, 100, (200, 5, 5)) + 150 * (y[:, None, None] * np.eye(5, dtype=int))
    data = data_of(tmp_path, npz(x=x.astype(np.uint8), y=y), split=(0.8, 0.0, 0.2))
    config = {"batch_size": 4, "device": "cpu"} if name.startswith("torch") else {}
    metrics = last(name, data, **config)
    assert "validation_accuracy" not in metrics
    assert metrics["test_accuracy"] > 0.8


def test_a_single_feature_is_enough(tmp_path: Path) -> None:
    file = io.StringIO()
    file.write("x,y\n")
    file.writelines(f"{i},{i * 0.5}\n" for i in range(100))
    data = data_of(tmp_path, file.getvalue(), target="y")
    assert last("numpy_linear_regression", data, epochs=30)["train_rmse"] < 10
