"""The compiled engine against the plain loop and the eager engine; its code on disk."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import torch

from tests.trainables.torch_problems import (
    CPU,
    ONE_HIDDEN,
    TWO_HIDDEN,
    assert_same_training,
    random_batches,
    start,
)
from trainables import torch_compiled
from trainables.code_cache import read_code
from trainables.torch_compiled import CompiledEngine
from trainables.torch_engines import FEWEST_COMPILED_STEPS, Engine, choose_engine
from trainables.torch_loops import Graph
from trainables.torch_models import Architecture, logits
from trainables.torch_optimizers import Optimizer
from trainables.torch_steps import EagerEngine, Problem

LOGISTIC = Architecture(12, 4)
# The first compilation of a run takes half a minute of processor time, and the machine may be busy.
pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.timeout(900)]


@pytest.fixture
def folder(code_folder: Path) -> Path:
    return code_folder / "torch"


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.bin"))


@pytest.mark.slow
@pytest.mark.usefixtures("short_blocks")
def test_delayed_sgd_equals_plain_and_numbers_need_no_new_code(folder: Path) -> None:
    problem = Problem(ONE_HIDDEN, 1, Optimizer("sgd", 0.05))
    assert Graph.of(problem).delayed
    # 402 = 100 blocks of 4 and 2 left over; 80 = 20 blocks; 6 is too short to run natively.
    assert_same_training(CompiledEngine(problem, folder), problem, 402, 80, 6)
    kept = _files(folder)
    other = replace(problem, optimizer=Optimizer("sgd", 0.01))
    assert_same_training(CompiledEngine(other, folder), other, 320)
    assert _files(folder) == kept
    assert sum(name == "12-8-4-relu-sgd-1-delayed.bin" for name in kept) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("short_blocks")
def test_compiled_batches_and_adam_equal_plain_with_any_decay_and_rate(folder: Path) -> None:
    problem = Problem(TWO_HIDDEN, 7, Optimizer("adam", 0.003, 0.01))
    engine = CompiledEngine(problem, folder)
    assert_same_training(engine, problem, 203, 98)
    kept = _files(folder)
    other = replace(problem, optimizer=Optimizer("adam", 0.001))
    assert_same_training(CompiledEngine(other, folder), other, 300)
    assert _files(folder) == kept
    state, _ = engine.run(start(problem), random_batches(problem, 8))
    ragged = random_batches(replace(problem, batch_size=3), 1)
    eager, _ = EagerEngine(problem).run(start(problem), random_batches(problem, 8))
    (state, _), (eager, _) = engine.run(state, ragged), EagerEngine(problem).run(eager, ragged)
    for weight, expected in zip(state.weights, eager.weights, strict=True):
        torch.testing.assert_close(weight, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.long  # three graphs more
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
    assert_same_training(CompiledEngine(problem, folder), problem, 500)


@pytest.mark.slow
@pytest.mark.usefixtures("short_blocks")
@pytest.mark.parametrize(
    ("architecture", "rule"),
    [
        (ONE_HIDDEN, Optimizer("sgd", 0.05)),
        pytest.param(TWO_HIDDEN, Optimizer("adam", 0.003), marks=pytest.mark.long),
    ],
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
            state, _ = engine.run(start(problem, seed), random_batches(problem, 3_200, seed))
            unseen = random_batches(replace(problem, batch_size=1_333), 1, seed + 100)
            scores = logits(architecture, state.weights, unseen.x[0])
            shares.append((scores.argmax(dim=1) == unseen.labels[0]).double().mean().item())
        means.append(sum(shares) / len(shares))
    eager, compiled = means
    assert 0.5 < eager < 0.99
    assert compiled == pytest.approx(eager, abs=0.02)


_CHOOSE = """
import logging, sys, torch
from pathlib import Path
from trainables.torch_engines import choose_engine
from trainables.torch_models import Architecture
from trainables.torch_optimizers import Optimizer
from trainables.torch_steps import Problem

logging.basicConfig(level=logging.INFO, format="%(message)s")
problem = Problem(Architecture(12, 4), 1, Optimizer("sgd", 0.05))
print(type(choose_engine(problem, torch.device("cpu"), 10**6, Path(sys.argv[1]))).__name__)
"""


@pytest.mark.slow
def test_code_is_compiled_once_and_serves_other_processes(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logistic = Problem(LOGISTIC, 1, Optimizer("sgd", 0.05, 0.001))
    assert_same_training(CompiledEngine(logistic, folder), logistic, 98, 102)
    caplog.set_level(logging.INFO, "argbest.trainables")
    torch_compiled._loop.cache_clear()  # as in a process that is new
    assert_same_training(CompiledEngine(logistic, folder), logistic, 200)
    assert [one for one in caplog.records if one.name == "argbest.trainables"] == []
    elsewhere = subprocess.run(
        [sys.executable, "-c", _CHOOSE, str(folder)], capture_output=True, text=True, check=True
    )
    assert elsewhere.stdout.strip() == "CompiledEngine"
    assert "compiling" not in elsewhere.stderr


@pytest.mark.slow
def test_damaged_code_is_compiled_again(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    logistic = Problem(LOGISTIC, 1, Optimizer("sgd", 0.05))
    CompiledEngine(logistic, folder)
    code = next(folder.rglob("12-4-relu-sgd-1.bin"))
    compiled = read_code(code)
    assert compiled is not None
    graphs: list[Graph] = []

    def compile_again(graph: Graph) -> bytes:
        graphs.append(graph)
        return compiled

    monkeypatch.setattr(torch_compiled, "_compile", compile_again)
    cut, garbage = (folder.parent / name / code.relative_to(folder) for name in ("cut", "garbage"))
    shutil.copytree(folder, folder.parent / "cut")
    cut.write_bytes(code.read_bytes()[:-100])
    garbage.parent.mkdir(parents=True)
    garbage.write_bytes(sha256(b"garbage").digest() + b"garbage")
    engine = CompiledEngine(logistic, folder.parent / "cut")
    assert_same_training(engine, logistic, 200)
    assert "is damaged; compiling again" in caplog.text
    assert graphs == [Graph.of(logistic)]
    assert cut.read_bytes() == code.read_bytes()
    # Its digest is right, so only loading shows that it is no code.
    steps = FEWEST_COMPILED_STEPS
    assert isinstance(choose_engine(logistic, CPU, steps, folder.parent / "garbage"), EagerEngine)
    assert "no compiled training loop, so this trial trains eagerly" in caplog.text
    assert not garbage.exists()


@pytest.mark.slow
def test_code_that_cannot_be_read_once_is_not_given_up(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logistic = Problem(LOGISTIC, 1, Optimizer("sgd", 0.05))
    CompiledEngine(logistic, folder)
    copy = folder.parent / "copy"
    shutil.copytree(folder, copy)
    scripts = list(copy.glob("*/inductor/**/*.py"))
    for script in scripts:
        script.rename(script.with_suffix(".away"))
        script.mkdir()  # which opened as a file is an OSError
    assert isinstance(choose_engine(logistic, CPU, FEWEST_COMPILED_STEPS, copy), EagerEngine)
    assert "so this trial trains eagerly: Failed to reload" in caplog.text
    for script in scripts:
        script.rmdir()
        script.with_suffix(".away").rename(script)
    assert isinstance(choose_engine(logistic, CPU, FEWEST_COMPILED_STEPS, copy), CompiledEngine)


@pytest.mark.slow
@pytest.mark.usefixtures("short_blocks")
def test_a_compiler_that_fails_is_tried_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch._inductor import config

    broken = tmp_path / "c++"
    broken.write_text('#!/bin/sh\n[ "$1" = --version ] && exec c++ --version\nexit 1\n')
    broken.chmod(0o755)
    monkeypatch.setenv("CXX", str(broken))
    monkeypatch.setattr(config.cpp, "cxx", (None, str(broken)))  # read from CXX at its import
    caplog.set_level(logging.INFO, "argbest.trainables")
    for compiling in (True, False):
        caplog.clear()
        assert isinstance(_chosen(tmp_path / "code"), EagerEngine)
        assert "no compiled training loop, so this trial trains eagerly" in caplog.text
        assert ("compiling Graph" in caplog.text) == compiling
    assert "tried again after" in caplog.text


def test_without_a_compiler_the_eager_engine_is_chosen_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "/nowhere/c++")
    assert isinstance(_chosen(tmp_path), EagerEngine)
    reason = "there is no C++ compiler /nowhere/c++: install it, or set CXX to another"
    assert f"no compiled training loop, so this trial trains eagerly: {reason}" in caplog.text


def _chosen(folder: Path) -> Engine:
    logistic = Problem(LOGISTIC, 1, Optimizer("sgd", 0.05))
    return choose_engine(logistic, CPU, FEWEST_COMPILED_STEPS, folder)
