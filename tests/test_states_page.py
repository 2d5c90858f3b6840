"""The code in docs/states.md does what the page says, with the model of every trainable."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trainables.synthetic import image_data, regression_data
from trainables import registry
from trainables.contract import State
from trainables.state_files import save

PAGE = (Path(__file__).parents[1] / "docs" / "states.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
NUMPY, CLASSES, PRICES, TORCH, TORCH_CLASSES, OWN, OWN_TEST = BLOCKS
#: Configurations whose models differ; each trainable has a row.
MODELS = [
    ("numpy_linear_regression", {}),
    ("numpy_neural_regression", {"hidden_size": 5}),
    ("numpy_perceptron", {}),
    ("numpy_logistic_regression", {"learning_rate": 0.1}),
    ("numpy_mlp", {"hidden_size": 5, "learning_rate": 0.1}),
    ("torch_logistic_regression", {"optimizer": "adam"}),
    ("torch_feedforward", {"hidden_size": 5}),
    (
        "torch_feedforward",
        {"hidden_size": 5, "layers": 3, "activation": "tanh", "learning_rate": 0.1},
    ),
]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def reported(name: str, config: Mapping[str, Any], data: Any) -> dict[str, float]:
    """Train, leave the model in model.npz, and return the last metrics."""
    last: dict[str, float] = {}

    def report(
        epoch: int, metrics: Mapping[str, float], *, state: Callable[[], State], **_: Any
    ) -> None:
        last.update(metrics)
        save(Path("model.npz"), state())

    registry.get(name).resolve()(config, data, report, epochs=5, seed=1)
    return last


def run(data: Any, *blocks: str) -> dict[str, Any]:
    names: dict[str, Any] = {"data": data, "np": np}
    for block in blocks:
        exec(compile(block, "states.md", "exec"), names)
    return names


def test_every_built_in_trainable_has_a_row() -> None:
    built_in = {n for n, t in registry.trainables().items() if t.entry.startswith("trainables.")}
    assert {name for name, _ in MODELS} == built_in
    assert all(f"`{name}`" in PAGE for name in built_in if name.startswith("numpy_lin"))


@pytest.mark.parametrize(("name", "config"), MODELS)
def test_the_model_in_numpy_predicts_as_the_trial_did(name: str, config: dict[str, Any]) -> None:
    if "ames" in registry.get(name).datasets:
        data: Any = regression_data()
        metrics = reported(name, config, data)
        found = run(data, NUMPY, PRICES)["test_rmse"]
        assert found == pytest.approx(metrics["test_rmse"], rel=1e-12)
        return
    data = image_data(test=200)
    metrics = reported(name, config, data)
    assert 0.4 < metrics["test_accuracy"] <= 1
    assert run(data, NUMPY, CLASSES)["test_accuracy"] == metrics["test_accuracy"]


@pytest.mark.parametrize(("name", "config"), [m for m in MODELS if m[0].startswith("torch")])
def test_the_model_in_torch_predicts_as_the_trial_did(name: str, config: dict[str, Any]) -> None:
    data = image_data(test=200)
    metrics = reported(name, config, data)
    block = TORCH
    if config.get("activation") == "tanh":
        assert TORCH.count("torch.nn.ReLU()") == TORCH.count("# torch.nn.Tanh() for") == 1
        block = TORCH.replace("torch.nn.ReLU()", "torch.nn.Tanh()")
    assert run(data, block, TORCH_CLASSES)["test_accuracy"] == metrics["test_accuracy"]


def test_loading_a_model_takes_few_lines() -> None:
    assert len(NUMPY.splitlines()) <= 17
    assert len(TORCH.splitlines()) <= 12


def test_the_example_in_torch_resumes_to_the_same_curve() -> None:
    import torch

    before = torch.get_rng_state()
    try:
        names = run(regression_data(), OWN, OWN_TEST)
    finally:
        torch.set_rng_state(before)
    assert len(names["uninterrupted"]) == 5
    assert len(names["resumed"]) == 3
    assert names["uninterrupted"][0] > names["uninterrupted"][-1]
