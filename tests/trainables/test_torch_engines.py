"""Which engine trains a trial."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch

from tests.trainables.torch_problems import CPU, ONE_HIDDEN
from trainables.torch_engines import (
    FEWEST_COMPILED_STEPS,
    LARGEST_COMPILED_BATCH,
    cache_folder,
    choose_engine,
)
from trainables.torch_optimizers import Optimizer
from trainables.torch_steps import EagerEngine, Problem


def test_a_folder_that_cannot_be_written_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    occupied = tmp_path / "file"
    occupied.touch()
    problem = Problem(ONE_HIDDEN, 1, Optimizer("sgd", 0.05))
    with caplog.at_level(logging.WARNING, "argbest.trainables"):
        engine = choose_engine(problem, CPU, FEWEST_COMPILED_STEPS, occupied)
    assert engine.name == "eager"
    assert str(occupied) in caplog.text


@pytest.mark.parametrize(
    ("size", "steps"),
    [(1, FEWEST_COMPILED_STEPS - 1), (LARGEST_COMPILED_BATCH + 1, FEWEST_COMPILED_STEPS)],
)
def test_short_trainings_and_large_batches_are_eager(
    size: int, steps: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    problem = Problem(ONE_HIDDEN, size, Optimizer("sgd", 0.05))
    assert isinstance(choose_engine(problem, CPU, steps, tmp_path), EagerEngine)
    assert not caplog.records


def test_the_cache_folder_is_a_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ARGBEST_CACHE_DIR", str(tmp_path))
    assert cache_folder() == tmp_path / "torch"


def test_a_gpu_trains_with_the_eager_engine_under_a_name_of_its_own(tmp_path: Path) -> None:
    problem = Problem(ONE_HIDDEN, 1, Optimizer("sgd", 0.05))
    engine = choose_engine(problem, torch.device("cuda"), 10**6, tmp_path)
    assert isinstance(engine, EagerEngine)
    assert engine.name == "eager on cuda"
