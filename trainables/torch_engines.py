"""The choice of the engine that trains a trial."""

from __future__ import annotations

import logging
from pathlib import Path

import torch

from trainables.code_cache import code_folder
from trainables.torch_compiled import CompiledEngine
from trainables.torch_steps import EagerEngine, Problem

#: Fewer steps do not win back the 2 s of processor time for loading: a compiled step takes 40
#: (logistic regression) to 270 us (Adam) less. Compiling, 7 to 30 s, happens once per kind of
#: network and machine. An epoch of Fashion-MNIST at batch size 1 has 50,000 steps.
FEWEST_COMPILED_STEPS = 40_000
#: Above this batch size both engines spend most of their time in the same matrix products.
LARGEST_COMPILED_BATCH = 16
#: :class:`CompiledEngine` raises them: compiler missing or failing, other torch, folder or memory.
COMPILE_ERRORS = (RuntimeError, ImportError, OSError, MemoryError)

Engine = EagerEngine | CompiledEngine

_log = logging.getLogger("argbest.trainables")


def cache_folder() -> Path:
    """Return where compiled training loops are kept; see :mod:`trainables.code_cache`."""
    return code_folder("torch")


def choose_engine(problem: Problem, device: torch.device, steps: int, folder: Path) -> Engine:
    """Return the engine for a trial of ``steps`` steps: compiled on the CPU where that pays.

    Compiled code is kept in ``folder``. The choice depends on the arguments alone, so that a trial
    computes the same each time. Only where compiling or loading fails does the eager engine step
    in, whose float32 sums are rounded otherwise: a warning says why, and the trial's record has the
    engine's name. Waits for other processes that compile, half an hour at most.
    """
    if device.type != "cpu":
        return EagerEngine(problem, f"eager on {device.type}")
    if steps < FEWEST_COMPILED_STEPS or problem.batch_size > LARGEST_COMPILED_BATCH:
        return EagerEngine(problem)
    try:
        return CompiledEngine(problem, folder)
    except COMPILE_ERRORS as error:
        reason = str(error) or type(error).__name__
        _log.warning("no compiled training loop, so this trial trains eagerly: %s", reason)
        return EagerEngine(problem)
