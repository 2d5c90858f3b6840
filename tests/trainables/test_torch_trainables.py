"""The torch trainables by their contract: what they report, draw and refuse."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.trainables.synthetic import image_data
from trainables import registry
from trainables.contract import DeviceUnavailable
from trainables.datasets.types import ClassificationData
from trainables.torch_devices import Images
from trainables.torch_engines import FEWEST_COMPILED_STEPS, cache_folder
from trainables.torch_models import Architecture
from trainables.torch_optimizers import Optimizer
from trainables.torch_steps import Problem
from trainables.torch_trainables import epoch_batches, train_feedforward, train_logistic_regression

pytestmark = pytest.mark.usefixtures("one_thread")

NAMES = tuple(name for name in registry.trainables() if name.startswith("torch_"))
SMALL: dict[str, Any] = {"learning_rate": 0.05}


Reports = list[tuple[int, dict[str, float]]]


def _train(
    name: str,
    config: Mapping[str, Any],
    data: ClassificationData,
    *,
    epochs: int = 3,
    seed: int = 7,
    engine: str = "eager",
) -> Reports:
    """Return what was reported; ``engine`` must be the one named with each epoch."""
    named = engine
    reports: Reports = []

    def report(epoch: int, metrics: Mapping[str, float], *, engine: str = "", **_: Any) -> None:
        assert engine == named
        reports.append((epoch, dict(metrics)))

    registry.get(name).resolve()(config, data, report, epochs=epochs, seed=seed)
    return reports


def test_the_registry_finds_both() -> None:
    assert registry.get("torch_logistic_regression").resolve() is train_logistic_regression
    assert registry.get("torch_feedforward").resolve() is train_feedforward


@pytest.mark.parametrize("name", NAMES)
def test_every_epoch_reports_the_registered_metrics(name: str, tmp_path: Path) -> None:
    reports = _train(name, SMALL, image_data(folder=tmp_path))
    assert [epoch for epoch, _ in reports] == [1, 2, 3]
    names = {metric.name for metric in registry.get(name).metrics}
    for _, metrics in reports:
        assert set(metrics) == names
        assert all(type(value) is float and math.isfinite(value) for value in metrics.values())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("size", [1, 7, 64])
def test_it_learns_whatever_the_batch_size(name: str, optimizer: str, size: int) -> None:
    config = {"learning_rate": 0.05, "optimizer": optimizer, "batch_size": size}
    reports = _train(name, config, image_data(train=130), epochs=size + 4)
    first, last = reports[0][1], reports[-1][1]
    assert last["train_loss"] < first["train_loss"]
    assert last["validation_accuracy"] > 0.8
    assert last["test_accuracy"] > 0.8


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_alone_decides(name: str) -> None:
    data = image_data()
    torch.manual_seed(1)
    one = _train(name, SMALL, data)
    torch.manual_seed(2)
    assert _train(name, SMALL, data) == one
    assert _train(name, SMALL, data, seed=8) != one


@pytest.mark.slow
def test_a_compiled_training_repeats_itself_and_equals_the_eager_one(
    monkeypatch: pytest.MonkeyPatch, code_folder: Path
) -> None:
    # The sizes of a graph that test_torch_compiled.py compiles too.
    epochs, data = 20, image_data(train=2_003, pixels=12, classes=4)
    config = SMALL | {"device": "cpu"}  # on a GPU the eager engine would train
    assert epochs * 2_003 >= FEWEST_COMPILED_STEPS
    monkeypatch.setenv("ARGBEST_CACHE_DIR", str(code_folder))
    long = {"epochs": epochs, "engine": "compiled scan"}
    one = _train("torch_logistic_regression", config, data, **long)
    assert len(list(cache_folder().rglob("12-4-relu-sgd-1.bin"))) == 1
    assert _train("torch_logistic_regression", config, data, **long) == one
    # So few epochs are not compiled, and yet start like the longer training.
    short = _train("torch_logistic_regression", config, data, epochs=2)
    for (_, compiled), (_, eager) in zip(one, short, strict=False):
        assert compiled["train_loss"] == pytest.approx(eager["train_loss"], rel=1e-4)


def test_the_global_random_state_is_left_alone() -> None:
    before = torch.random.get_rng_state()
    _train("torch_feedforward", SMALL, image_data())
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("flushed", [False, True])
def test_denormal_numbers_are_as_before_after_a_trial(flushed: bool) -> None:
    torch.set_flush_denormal(flushed)
    try:
        _train("torch_feedforward", {"optimizer": "adam"}, image_data(), epochs=1)
        assert ((torch.tensor([1e-40]) * 1.0).item() == 0) == flushed
    finally:
        torch.set_flush_denormal(False)


def test_an_epoch_takes_every_image_once_in_an_order_that_changes() -> None:
    random = np.random.RandomState(0)
    pixels = np.arange(700, dtype=np.int64)
    rows = np.stack((pixels % 256, pixels // 256, random.randint(0, 256, 700)), axis=1)
    data = image_data(train=700, pixels=3)
    data = ClassificationData(
        **{
            **{name: getattr(data, name) for name in ClassificationData.__slots__},
            "x_train": rows.astype(np.uint8),
            "y_train": pixels % 3,
        }
    )
    problem = Problem(Architecture(3, 3, 1, 4), 3, Optimizer("sgd", 0.1))
    generator = torch.Generator().manual_seed(0)
    images = Images.of(data, torch.device("cpu"))
    orders = []
    for _ in range(2):
        seen, sizes = [], []
        for batches in epoch_batches(problem, 0.5, images, generator):
            x = (batches.x * 256).round().long()
            numbers = (x[..., 0] + 256 * x[..., 1]).flatten()
            assert torch.equal(batches.labels.flatten(), numbers % 3)
            steps, size = batches.labels.shape
            assert batches.masks[0].shape == (steps, size, 4)
            seen.append(numbers)
            sizes.append(size)
        orders.append(torch.cat(seen))
        assert torch.equal(orders[-1].sort().values, torch.arange(700))
        assert sizes == [3, 3, 1]
    assert not torch.equal(orders[0], orders[1])


def test_the_loss_is_the_mean_over_samples_with_a_ragged_last_batch() -> None:
    # With a vanishing step nothing is learned: the mean over samples does not depend on batches.
    data = image_data(train=65)
    losses = [
        _train(
            "torch_logistic_regression",
            {"learning_rate": 1e-12, "batch_size": size},
            data,
            epochs=1,
        )[0][1]["train_loss"]
        for size in (1, 64)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_a_diverging_training_is_reported_as_it_is() -> None:
    config = {"learning_rate": 10.0, "layers": 6, "hidden_size": 64}
    reports = _train("torch_feedforward", config, image_data(), epochs=4)
    assert len(reports) == 4
    assert not math.isfinite(reports[-1][1]["train_loss"])


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("torch_logistic_regression", {"learning_rate": 0.0}),
        ("torch_logistic_regression", {"hidden_size": 5}),
        ("torch_feedforward", {"dropout": 1.0}),
        ("torch_feedforward", {"activation": "gelu"}),
        ("torch_feedforward", {"batch_size": 0}),
    ],
)
def test_a_bad_parameter_is_refused_by_name(name: str, config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(config))):
        _train(name, config, image_data())


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
@pytest.mark.parametrize("name", NAMES)
def test_without_a_gpu_cuda_is_refused_with_what_to_do(name: str) -> None:
    with pytest.raises(DeviceUnavailable, match=r"device is cuda.*resources_per_trial\.gpu"):
        _train(name, {"device": "cuda"}, image_data(), epochs=1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_gpu_trains_as_the_cpu_does(optimizer: str) -> None:
    """Over 90 steps float32 sums that are rounded otherwise change no more than this."""
    config = {"optimizer": optimizer, "batch_size": 7, "hidden_size": 12, "learning_rate": 0.02}
    data, name = image_data(), "torch_feedforward"
    on_gpu = _train(name, config | {"device": "cuda"}, data, epochs=10, engine="eager on cuda")
    on_cpu = _train(name, config | {"device": "cpu"}, data, epochs=10)
    for (_, one), (_, other) in zip(on_gpu, on_cpu, strict=True):
        assert one["train_loss"] == pytest.approx(other["train_loss"], rel=1e-4)
        for accuracy in ("validation_accuracy", "test_accuracy"):
            assert one[accuracy] == pytest.approx(other[accuracy], abs=1 / 30)  # one image of 30
