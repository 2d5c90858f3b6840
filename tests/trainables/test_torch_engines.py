"""Every engine against the plain loop, on the same weights, order and dropout masks; the cache."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from trainables import torch_reference
from trainables.numpy_models import Network
from trainables.numpy_reference import mlp_epoch
from trainables.torch_compiled import CompiledEngine
from trainables.torch_engines import (
    FEWEST_COMPILED_STEPS,
    LARGEST_COMPILED_BATCH,
    cache_folder,
    choose_engine,
)
from trainables.torch_loops import Graph
from trainables.torch_models import Architecture, Weights, dropout_mask, initial_weights, logits
from trainables.torch_optimizers import Optimizer, OptimizerName
from trainables.torch_steps import Batches, EagerEngine, Engine, Problem, State

pytestmark = pytest.mark.usefixtures("one_thread")

EngineName = Literal["eager", "compiled"]
DROPOUT = torch.tensor(0.3, dtype=torch.float64)
ONE_HIDDEN = Architecture(features=12, classes=4, layers=1, hidden_size=8)
TWO_HIDDEN = Architecture(features=12, classes=4, layers=2, hidden_size=8, activation="tanh")


class Replay(nn.Module):
    """A dropout layer whose masks are given: (steps, batch, hidden_size), one after the other."""

    def __init__(self, masks: Tensor) -> None:
        super().__init__()
        self._masks = iter(masks)

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden * next(self._masks)


def _batches(problem: Problem, steps: int, seed: int = 3) -> Batches:
    g, size, shape = torch.Generator().manual_seed(seed), problem.batch_size, problem.architecture
    x = torch.rand(steps, size, shape.features, generator=g)
    labels = (x[..., : shape.classes]).argmax(dim=-1)
    masks = tuple(
        dropout_mask((steps, size, shape.hidden_size), DROPOUT, g) for _ in range(shape.layers)
    )
    return Batches(x, labels, masks)


def _start(problem: Problem, seed: int = 1) -> State:
    weights = initial_weights(problem.architecture, torch.Generator().manual_seed(seed))
    return State(weights, problem.optimizer.initial_moments(weights))


def _train_plainly(problem: Problem, batches: Batches) -> tuple[Weights, Tensor]:
    masks = iter(batches.masks)
    model = torch_reference.network(problem.architecture, lambda: Replay(next(masks)))
    torch_reference.load_weights(model, _start(problem).weights)
    optimizer = torch_reference.torch_optimizer(model, problem.optimizer)
    losses = torch_reference.train_epoch(
        model, optimizer, zip(batches.x, batches.labels, strict=True)
    )
    return tuple(p.detach() for p in model.parameters()), torch.tensor(losses)


def _assert_same_training(engine: Engine, problem: Problem, *stretches: int) -> None:
    """Train the engine over stretches of that many steps, and the plain loop over all of them."""
    batches = _batches(problem, sum(stretches))
    expected_weights, expected_losses = _train_plainly(problem, batches)
    state, losses, start = _start(problem), [], 0
    for steps in stretches:
        state, part = engine.run(state, batches[start : start + steps])
        losses.append(part)
        start += steps
    assert state.steps == sum(stretches)
    # At 500 steps on 784 pixels 2e-7 to 9e-6 is usual; weights and losses here are of order 1.
    torch.testing.assert_close(torch.cat(losses), expected_losses, rtol=1e-5, atol=1e-5)
    start_weights = _start(problem).weights
    for weight, expected, at_start in zip(
        state.weights, expected_weights, start_weights, strict=True
    ):
        torch.testing.assert_close(weight, expected, rtol=1e-5, atol=1e-5)
        assert (expected - at_start).abs().max() > 1e-3


@pytest.mark.parametrize("decay", [0.0, 0.01])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("size", [1, 7, 64])
def test_eager_equals_plain(optimizer: OptimizerName, size: int, decay: float) -> None:
    problem = Problem(ONE_HIDDEN, size, Optimizer(optimizer, 0.01, decay))
    _assert_same_training(EagerEngine(problem), problem, 60, 40)


@pytest.mark.parametrize("architecture", [Architecture(12, 4), TWO_HIDDEN])
def test_eager_equals_plain_for_other_depths(architecture: Architecture) -> None:
    problem = Problem(architecture, 1, Optimizer("sgd", 0.05))
    _assert_same_training(EagerEngine(problem), problem, 200)


def test_eager_equals_the_numpy_network() -> None:
    problem = Problem(ONE_HIDDEN, 1, Optimizer("sgd", 0.05))
    batches = replace(_batches(problem, 300), masks=())
    network = Network(*(w.double().numpy() for w in _start(problem).weights))
    x, labels = batches.x.squeeze(1).double().numpy(), batches.labels.squeeze(1).numpy()
    mean_loss = mlp_epoch(network, x, labels, np.arange(300), 0.05)
    state, losses = EagerEngine(problem).run(_start(problem), batches)
    assert losses.mean().item() == pytest.approx(mean_loss, rel=1e-5)
    expected = (network.w1, network.b1, network.w2, network.b2)
    for weight, by_hand in zip(state.weights, expected, strict=True):
        np.testing.assert_allclose(weight.numpy(), by_hand, rtol=1e-5, atol=1e-5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compiled")


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.bin"))


@pytest.mark.slow
def test_delayed_sgd_equals_plain_and_numbers_need_no_new_code(folder: Path) -> None:
    problem = Problem(ONE_HIDDEN, 1, Optimizer("sgd", 0.05))
    assert Graph.of(problem).delayed
    # 402 = 25 blocks of 16 and 2 left over; 80 = 5 blocks; 18 is too short to run natively.
    _assert_same_training(CompiledEngine(problem, folder), problem, 402, 80, 18)
    kept = _files(folder)
    other = replace(problem, optimizer=Optimizer("sgd", 0.01))
    _assert_same_training(CompiledEngine(other, folder), other, 320)
    assert _files(folder) == kept
    assert sum(name == "12-8-4-relu-sgd-1-delayed.bin" for name in kept) == 1


@pytest.mark.slow
def test_compiled_adam_equals_plain_with_any_decay_and_rate(folder: Path) -> None:
    problem = Problem(TWO_HIDDEN, 1, Optimizer("adam", 0.003, 0.01))
    _assert_same_training(CompiledEngine(problem, folder), problem, 402, 98)
    kept = _files(folder)
    other = replace(problem, optimizer=Optimizer("adam", 0.001))
    _assert_same_training(CompiledEngine(other, folder), other, 500)
    assert _files(folder) == kept


@pytest.mark.slow
def test_compiled_batches_equal_plain(folder: Path) -> None:
    problem = Problem(ONE_HIDDEN, 7, Optimizer("sgd", 0.1, 0.001))
    assert not Graph.of(problem).delayed
    engine = CompiledEngine(problem, folder)
    _assert_same_training(engine, problem, 203)
    state, _ = engine.run(_start(problem), _batches(problem, 8))
    ragged = _batches(replace(problem, batch_size=3), 1)
    eager, _ = EagerEngine(problem).run(_start(problem), _batches(problem, 8))
    (state, _), (eager, _) = engine.run(state, ragged), EagerEngine(problem).run(eager, ragged)
    for weight, expected in zip(state.weights, eager.weights, strict=True):
        torch.testing.assert_close(weight, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.timeout(900)  # its C++ takes half a minute of processor time
@pytest.mark.parametrize(
    ("architecture", "rule"),
    [
        (Architecture(784, 10, 1, 200), Optimizer("sgd", 0.01)),
        (Architecture(784, 10, 1, 200), Optimizer("adam", 0.001)),
        # tanh: of 600 ReLUs and 500 steps, one is now and then so near to 0 that rounding decides.
        (Architecture(784, 10, 3, 200, "tanh"), Optimizer("sgd", 0.01)),
    ],
    ids=["delayed SGD", "Adam", "three layers"],
)
def test_the_network_of_the_homework_equals_plain_at_its_real_size(
    folder: Path, architecture: Architecture, rule: Optimizer
) -> None:
    problem = Problem(architecture, 1, rule)
    _assert_same_training(CompiledEngine(problem, folder), problem, 500)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "rule"),
    [(ONE_HIDDEN, Optimizer("sgd", 0.05)), (TWO_HIDDEN, Optimizer("adam", 0.003))],
    ids=["delayed SGD", "Adam"],
)
def test_compiled_and_eager_trainings_are_equally_accurate(
    folder: Path, architecture: Architecture, rule: Optimizer
) -> None:
    """On the way from 0.25 to 1, where weights drift apart: three seeds, 3,200 steps.

    The mean over the seeds decides; 0.02 are 80 of the 3 x 1,333 samples.
    """
    problem = Problem(architecture, 1, rule)
    means = []
    for engine in (EagerEngine(problem), CompiledEngine(problem, folder)):
        shares = []
        for seed in (1, 2, 3):
            state, _ = engine.run(_start(problem, seed), _batches(problem, 3_200, seed))
            unseen = _batches(replace(problem, batch_size=1_333), 1, seed + 100)
            scores = logits(architecture, state.weights, unseen.x[0])
            shares.append((scores.argmax(dim=1) == unseen.labels[0]).double().mean().item())
        means.append(sum(shares) / len(shares))
    eager, compiled = means
    assert 0.5 < eager < 0.99
    assert compiled == pytest.approx(eager, abs=0.02)


_CHOOSE = """
import logging, sys
from pathlib import Path
from trainables.torch_engines import choose_engine
from trainables.torch_models import Architecture
from trainables.torch_optimizers import Optimizer
from trainables.torch_steps import Problem

logging.basicConfig(level=logging.INFO, format="%(message)s")
problem = Problem(Architecture(12, 4), 1, Optimizer("sgd", 0.05))
print(type(choose_engine(problem, 10**6, Path(sys.argv[1]))).__name__)
"""


def _choose_elsewhere(folder: Path, **environment: str) -> subprocess.Popen[str]:
    """Choose an engine in a process of its own, with some environment variables changed."""
    return subprocess.Popen(
        [sys.executable, "-c", _CHOOSE, str(folder)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_one_of_two_processes_compiles_for_both_and_for_later_ones(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "argbest.trainables")
    outputs = [process.communicate() for process in [_choose_elsewhere(folder) for _ in range(2)]]
    assert [out.strip() for out, _ in outputs] == ["CompiledEngine"] * 2, outputs
    assert sum("compiling" in err for _, err in outputs) == 1
    logistic = Problem(Architecture(12, 4), 1, Optimizer("sgd", 0.05))
    _assert_same_training(CompiledEngine(logistic, folder), logistic, 98, 102)
    assert not caplog.records


@pytest.mark.slow
def test_damaged_code_is_compiled_again(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    logistic = Problem(Architecture(12, 4), 1, Optimizer("sgd", 0.05))
    CompiledEngine(logistic, folder)
    code = next(folder.rglob("12-4-relu-sgd-1.bin"))
    cut, garbage = (folder.parent / name / code.relative_to(folder) for name in ("cut", "garbage"))
    for damaged, content in (
        (cut, code.read_bytes()[:-100]),
        (garbage, sha256(b"garbage").digest() + b"garbage"),
    ):
        damaged.parent.mkdir(parents=True)
        damaged.write_bytes(content)
    engine = CompiledEngine(logistic, folder.parent / "cut")
    _assert_same_training(engine, logistic, 200)
    assert "is damaged; compiling again" in caplog.text
    assert cut.stat().st_size > code.stat().st_size // 2
    # Its digest is right, so only loading shows that it is no code.
    steps = FEWEST_COMPILED_STEPS
    assert isinstance(choose_engine(logistic, steps, folder.parent / "garbage"), EagerEngine)
    assert "no compiled training loop, so this trial trains eagerly" in caplog.text
    assert not garbage.exists()


@pytest.mark.slow
def test_code_that_cannot_be_read_once_is_not_given_up(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logistic = Problem(Architecture(12, 4), 1, Optimizer("sgd", 0.05))
    CompiledEngine(logistic, folder)
    copy = folder.parent / "copy"
    shutil.copytree(folder, copy)
    scripts = list(copy.glob("*/inductor/**/*.py"))
    for script in scripts:
        script.rename(script.with_suffix(".away"))
        script.mkdir()  # which opened as a file is an OSError
    assert isinstance(choose_engine(logistic, FEWEST_COMPILED_STEPS, copy), EagerEngine)
    assert "so this trial trains eagerly: Failed to reload" in caplog.text
    for script in scripts:
        script.rmdir()
        script.with_suffix(".away").rename(script)
    assert isinstance(choose_engine(logistic, FEWEST_COMPILED_STEPS, copy), CompiledEngine)


@pytest.mark.slow
def test_a_compiler_that_fails_is_tried_once(tmp_path: Path) -> None:
    broken = tmp_path / "c++"
    broken.write_text('#!/bin/sh\n[ "$1" = --version ] && exec c++ --version\nexit 1\n')
    broken.chmod(0o755)
    for compiling in (True, False):
        out, log = _choose_elsewhere(tmp_path / "code", CXX=str(broken)).communicate()
        assert out.strip() == "EagerEngine"
        assert "no compiled training loop, so this trial trains eagerly" in log
        assert ("compiling Graph" in log) == compiling
    assert "tried again after" in log


def test_without_a_compiler_the_eager_engine_is_chosen_and_the_log_says_so(tmp_path: Path) -> None:
    out, log = _choose_elsewhere(tmp_path, CXX="/nowhere/c++").communicate()
    assert out.strip() == "EagerEngine"
    assert "no compiled training loop, so this trial trains eagerly: No working C++ compiler" in log


def test_a_folder_that_cannot_be_written_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    occupied = tmp_path / "file"
    occupied.touch()
    problem = Problem(ONE_HIDDEN, 1, Optimizer("sgd", 0.05))
    with caplog.at_level(logging.WARNING, "argbest.trainables"):
        engine = choose_engine(problem, FEWEST_COMPILED_STEPS, occupied)
    assert isinstance(engine, EagerEngine)
    assert str(occupied) in caplog.text


@pytest.mark.parametrize(
    ("size", "steps"),
    [(1, FEWEST_COMPILED_STEPS - 1), (LARGEST_COMPILED_BATCH + 1, FEWEST_COMPILED_STEPS)],
)
def test_short_trainings_and_large_batches_are_eager(
    size: int, steps: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    problem = Problem(ONE_HIDDEN, size, Optimizer("sgd", 0.05))
    assert isinstance(choose_engine(problem, steps, tmp_path), EagerEngine)
    assert not caplog.records


def test_the_cache_folder_is_a_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ARGBEST_CACHE_DIR", str(tmp_path))
    assert cache_folder() == tmp_path / "torch"
