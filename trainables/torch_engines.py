"""Which engine trains: one trial on the CPU has two of its own, all else the stacked one."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import torch

from trainables.code_cache import code_folder
from trainables.torch_compiled import CompiledEngine
from trainables.torch_stacked import StackedEngine, StackOfOne
from trainables.torch_steps import EagerEngine, Engine, Problem

#: Below this many steps the 2 s of processor time for loading are not won back: a compiled step
#: takes 40 (logistic regression) to 270 us (Adam) less. An epoch of Fashion-MNIST at batch size 1,
#: 50,000 steps, is above. Compiling, 7 to 30 s, happens once per kind of network and machine.
FEWEST_COMPILED_STEPS = 40_000
#: Above this batch size both engines spend most of their time in the same matrix products.
LARGEST_COMPILED_BATCH = 16
#: What :class:`CompiledEngine` raises: no compiler or one that fails, other torch, no folder, or no
#: memory left.
COMPILE_ERRORS = (RuntimeError, ImportError, OSError, MemoryError)

_log = logging.getLogger("argbest.trainables")


def cache_folder() -> Path:
    """Return where compiled training loops are kept; see :mod:`trainables.code_cache`."""
    return code_folder("torch")


def choose_engine(problem: Problem, steps: int, folder: Path) -> Engine:
    """Return the engine for one trial of ``steps`` steps on the CPU: compiled where that pays.

    Compiled code is kept in ``folder``.

    The choice depends on the problem and ``steps`` alone, so that a trial computes the same each
    time. Only where compiling or loading fails does the eager engine step in, whose float32 sums
    are rounded otherwise; a warning says so, and why. Other processes that compile are waited for,
    half an hour at most (:func:`~trainables.code_cache.patient_lock`).
    """
    if steps < FEWEST_COMPILED_STEPS or problem.batch_size > LARGEST_COMPILED_BATCH:
        return EagerEngine(problem)
    try:
        return CompiledEngine(problem, folder)
    except COMPILE_ERRORS as error:
        reason = str(error) or type(error).__name__
        _log.warning("no compiled training loop, so this trial trains eagerly: %s", reason)
        return EagerEngine(problem)


def stack_engine(
    problems: Sequence[Problem], device: torch.device, steps: int, folder: Path
) -> Engine:
    """Return the engine for a stack of trials, of any number; see :mod:`trainables.torch_stacked`.

    The native code of :mod:`trainables.torch_compiled` is for one trial on the CPU. The log tells
    what was chosen, with a warning where a stack trains on the CPU.
    """
    members = len(problems)
    if device.type == "cpu" and members == 1:
        engine = choose_engine(problems[0], steps, folder)
        _log.info("one trial of %d steps on the CPU with %s", steps, type(engine).__name__)
        return StackOfOne(engine)
    engine = StackedEngine(problems)
    _log.info("trials: %d, of %d steps on %s with StackedEngine", members, steps, device)
    if device.type == "cpu":
        _log.warning(
            "a stack of %d trials on the CPU takes far longer than one trial after the other: "
            "set stack to 1, or ask for a GPU (resources_per_trial.gpu above 0)",
            members,
        )
    return engine
