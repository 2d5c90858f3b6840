"""Stacked trials against the same trials alone; where they train."""

from __future__ import annotations

import json
import logging
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.trainables.synthetic import image_data
from trainables import registry
from trainables.contract import DeviceUnavailable, TrainableError
from trainables.datasets.types import ImageData
from trainables.torch_devices import Images, choose_device
from trainables.torch_engines import stack_engine
from trainables.torch_models import Architecture
from trainables.torch_optimizers import Optimizer
from trainables.torch_stacked import StackedEngine, StackOfOne, initial_state
from trainables.torch_steps import Batches, Problem

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")
Curve = list[dict[str, float]]
WITHOUT_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


def _alone(name: str, config: Mapping[str, Any], data: ImageData, epochs: int) -> Curve:
    curve: Curve = []
    registry.get(name).resolve()(
        config, data, lambda epoch, metrics: curve.append(dict(metrics)), epochs=epochs, seed=7
    )
    return curve


def _stacked(
    name: str, configs: Sequence[Mapping[str, Any]], data: ImageData, epochs: int
) -> list[Curve]:
    curves: list[Curve] = [[] for _ in configs]

    def report(epoch: int, metrics: Sequence[Mapping[str, float]]) -> None:
        for curve, one in zip(curves, metrics, strict=True):
            curve.append(dict(one))
            assert len(curve) == epoch

    registry.get(name).resolve_stack()(configs, data, report, epochs=epochs, seed=7)
    return curves


def _assert_same(curve: Curve, expected: Curve) -> None:
    assert len(curve) == len(expected)
    for one, other in zip(curve, expected, strict=True):
        # Over at most 200 steps float32 sums that are rounded otherwise change no more.
        assert one["train_loss"] == pytest.approx(other["train_loss"], rel=1e-4)
        for name in ("validation_accuracy", "test_accuracy"):
            assert one[name] == pytest.approx(other[name], abs=1 / 30)  # one image of 30


MEMBERS = [
    {"learning_rate": 0.05, "dropout": 0.3},
    {"learning_rate": 0.01, "dropout": 0.0, "l2_decay": 0.01},
    {"learning_rate": 0.02, "dropout": 0.6},
]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize(("size", "epochs"), [(1, 3), (7, 10)])
@pytest.mark.parametrize("layers", [1, 2])
def test_each_member_trains_as_it_would_alone(
    optimizer: str, size: int, epochs: int, layers: int
) -> None:
    """Batches of 7 leave 4 of the 60 images for a ragged last one: 9 steps an epoch."""
    data = image_data()
    common = {"optimizer": optimizer, "batch_size": size, "layers": layers, "hidden_size": 12}
    configs = [common | member for member in MEMBERS]
    curves = _stacked("torch_feedforward", configs, data, epochs)
    for config, curve in zip(configs, curves, strict=True):
        _assert_same(curve, _alone("torch_feedforward", config, data, epochs))
    assert len({curve[-1]["train_loss"] for curve in curves}) == 3


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_stacked_logistic_regression_trains_as_alone(optimizer: str, tmp_path: Path) -> None:
    data = image_data(folder=tmp_path)  # a read-only memory map, as a trial has
    configs = [
        {"optimizer": optimizer, "batch_size": 8, "learning_rate": rate, "l2_decay": decay}
        for rate, decay in ((0.1, 0.0), (0.02, 0.0), (0.1, 0.05))
    ]
    curves = _stacked("torch_logistic_regression", configs, data, 8)
    for config, curve in zip(configs, curves, strict=True):
        _assert_same(curve, _alone("torch_logistic_regression", config, data, 8))


def test_a_member_that_diverges_disturbs_no_other() -> None:
    """Rate 10 and decay 1 make each weight -9 times itself, beyond float32 within 60 steps."""
    data = image_data()
    configs = [
        {"learning_rate": rate, "l2_decay": decay, "hidden_size": 12}
        for rate, decay in ((0.05, 0.0), (10.0, 1.0), (0.01, 0.001))
    ]
    well, diverged, slow = _stacked("torch_feedforward", configs, data, 3)
    assert not math.isfinite(diverged[-1]["train_loss"])
    _assert_same(well, _alone("torch_feedforward", configs[0], data, 3))
    _assert_same(slow, _alone("torch_feedforward", configs[2], data, 3))


def test_a_stack_repeats_itself_bit_for_bit() -> None:
    data, configs = image_data(), [{"learning_rate": rate} for rate in (0.05, 0.01)]
    one = _stacked("torch_feedforward", configs, data, 2)
    assert _stacked("torch_feedforward", configs, data, 2) == one


def test_a_gpus_engine_trains_one_trial_as_the_cpus_does() -> None:
    """On a GPU a trial alone has the stacked engine too."""
    problem = Problem(Architecture(12, 4, 1, 8), 3, Optimizer("adam", 0.01))
    batches_of = torch.Generator().manual_seed(1)
    x = torch.rand(40, 3, 12, generator=batches_of)
    batches = Batches(x, x[..., :4].argmax(dim=-1), (torch.ones(40, 1, 3, 8),))
    alone = stack_engine([problem], CPU, 40, Path("unused"))
    assert isinstance(alone, StackOfOne)
    states = [
        engine.run(initial_state(problem, 1, torch.Generator().manual_seed(2), CPU), batches)
        for engine in (alone, StackedEngine([problem]))
    ]
    (one, losses), (other, other_losses) = states
    assert one.steps == other.steps == 40
    assert losses.shape == other_losses.shape == (40, 1)
    torch.testing.assert_close(losses, other_losses, rtol=1e-5, atol=1e-5)
    for weight, expected in zip(one.weights, other.weights, strict=True):
        assert weight.shape == expected.shape
        torch.testing.assert_close(weight, expected, rtol=1e-5, atol=1e-5)


def test_a_gpu_and_a_stack_have_the_stacked_engine(tmp_path: Path) -> None:
    problem = Problem(Architecture(12, 4), 1, Optimizer("sgd", 0.01))
    for problems, device in (([problem], torch.device("cuda")), ([problem] * 2, CPU)):
        assert isinstance(stack_engine(problems, device, 10**6, tmp_path), StackedEngine)


def test_the_log_tells_where_and_how_a_trial_trains(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    problem = Problem(Architecture(12, 4), 1, Optimizer("sgd", 0.01))
    told = {}
    for members, device in ((1, CPU), (3, CPU), (3, torch.device("cuda"))):
        caplog.clear()
        with caplog.at_level(logging.INFO, "argbest.trainables"):
            stack_engine([problem] * members, device, 100, tmp_path)
        told[members, device.type] = [(r.levelname, r.getMessage()) for r in caplog.records]
    assert told[1, "cpu"] == [("INFO", "one trial of 100 steps on the CPU with EagerEngine")]
    assert told[3, "cuda"] == [("INFO", "trials: 3, of 100 steps on cuda with StackedEngine")]
    info, (level, warning) = told[3, "cpu"]
    assert info == ("INFO", "trials: 3, of 100 steps on cpu with StackedEngine")
    assert level == "WARNING"
    assert "a stack of 3 trials on the CPU takes far longer" in warning


def test_an_engine_refuses_trials_that_cannot_be_stacked() -> None:
    problem = Problem(Architecture(12, 4), 1, Optimizer("sgd", 0.01))
    other = Problem(Architecture(12, 4), 1, Optimizer("adam", 0.01))
    with pytest.raises(ValueError, match="one architecture, batch size and optimizer"):
        StackedEngine([problem, other])


@pytest.mark.parametrize("name", ["torch_logistic_regression", "torch_feedforward"])
@pytest.mark.parametrize("differing", [{"batch_size": 2}, {"optimizer": "adam"}])
def test_a_stack_of_different_kinds_is_refused(name: str, differing: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"may differ in .*l2_decay, learning_rate alone"):
        _stacked(name, [{}, differing], image_data(), 1)


# --- which trials can be stacked ----------------------------------------------------------------


def test_the_key_leaves_out_what_may_differ_and_fills_in_defaults() -> None:
    network = registry.get("torch_feedforward")
    same = [{}, {"learning_rate": 0.5}, {"dropout": 0.5, "l2_decay": 0.1}, {"hidden_size": 200}]
    assert len({network.stack_key(config) for config in same}) == 1
    others = [{"hidden_size": 100}, {"layers": 2}, {"optimizer": "adam"}, {"device": "cpu"}]
    assert len({network.stack_key(config) for config in [{}, *others]}) == 5


def test_trainables_that_stack_are_those_on_torch() -> None:
    stacking = {name for name, one in registry.trainables().items() if one.stack_entry}
    assert stacking == {"torch_logistic_regression", "torch_feedforward"}
    for name in stacking:
        one = registry.get(name)
        assert one.parameters.stackable <= one.parameters.model_fields.keys()


# --- devices ------------------------------------------------------------------------------------


@WITHOUT_GPU
def test_without_a_gpu_auto_is_the_cpu() -> None:
    assert choose_device("auto") == choose_device("cpu") == CPU


@WITHOUT_GPU
@pytest.mark.parametrize("name", ["torch_logistic_regression", "torch_feedforward"])
def test_without_a_gpu_cuda_is_refused_with_what_to_do(name: str) -> None:
    with pytest.raises(
        DeviceUnavailable, match=r"device is cuda.*resources_per_trial\.gpu"
    ) as info:
        _alone(name, {"device": "cuda"}, image_data(), 1)
    assert isinstance(info.value, TrainableError)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_gpu_trains_as_the_cpu_does(optimizer: str) -> None:
    data = image_data()
    common = {"optimizer": optimizer, "batch_size": 7, "hidden_size": 12}
    configs = [common | member for member in MEMBERS]
    on_gpu = [config | {"device": "cuda"} for config in configs]
    for curve, config in zip(_stacked("torch_feedforward", on_gpu, data, 10), configs, strict=True):
        _assert_same(curve, _alone("torch_feedforward", config | {"device": "cpu"}, data, 10))


def test_on_the_cpu_images_are_the_shared_memory_itself(tmp_path: Path) -> None:
    data = image_data(folder=tmp_path)
    images = Images.of(data, CPU)
    assert images.x_train.data_ptr() == data.x_train.ctypes.data
    assert images.x_train.tolist() == data.x_train.tolist()
    assert images.y_test.tolist() == data.y_test.tolist()


def test_the_parameters_are_checked_without_torch() -> None:
    code = (
        "import sys; from trainables import registry; "
        "print(registry.get('torch_feedforward').stack_key({}), 'torch' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    key, _, imported = out.stdout.strip().rpartition(" ")
    assert json.loads(key)["device"] == "auto"
    assert imported == "False"
