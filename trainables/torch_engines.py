"""Which engine trains: one trial on the CPU has two of its own, all else the stacked one."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from subprocess import SubprocessError

import torch

from trainables.code_cache import code_folder
from trainables.torch_compiled import CompiledEngine
from trainables.torch_stacked import StackedEngine, StackOfOne
from trainables.torch_steps import EagerEngine, Engine, Problem

#: Below this many steps the seconds for compiling, once, or loading, each time, are not won back:
#: a step that is compiled takes 60 to 250 us less.
FEWEST_COMPILED_STEPS = 60_000
#: Above this batch size both engines spend most of their time in the same matrix products.
LARGEST_COMPILED_BATCH = 16
#: What loading or compiling may raise: no compiler, compile error or other torch, full disk.
COMPILE_ERRORS = (
    RuntimeError,
    ImportError,
    AttributeError,
    TypeError,
    OSError,
    SubprocessError,
)

_log = logging.getLogger("argbest.trainables")


def cache_folder() -> Path:
    """Return where compiled training loops are kept; see :mod:`trainables.code_cache`."""
    return code_folder("torch")


def choose_engine(problem: Problem, steps: int, folder: Path) -> Engine:
    """Return the engine for one trial of ``steps`` steps on the CPU: compiled where that pays.

    Compiled code is kept in ``folder``.

    The choice depends on the problem and ``steps`` alone, so that a trial computes the same each
    time. Only where compiling fails does the eager engine step in, whose float32 sums are rounded
    otherwise; a warning says so, and why. Other processes that compile are waited for, however
    long they take.
    """
    if steps < FEWEST_COMPILED_STEPS or problem.batch_size > LARGEST_COMPILED_BATCH:
        return EagerEngine(problem)
    try:
        return CompiledEngine(problem, folder)
    except COMPILE_ERRORS as error:
        reason = str(error).strip() or type(error).__name__
        _log.warning("no compiled training loop, so this trial trains eagerly: %s", reason)
        return EagerEngine(problem)


def stack_engine(
    problems: Sequence[Problem], device: torch.device, steps: int, folder: Path
) -> Engine:
    """Return the engine for a stack of trials, of any number; see :mod:`trainables.torch_stacked`.

    The native code of :mod:`trainables.torch_compiled` is for one trial on the CPU.
    """
    if device.type == "cpu" and len(problems) == 1:
        return StackOfOne(choose_engine(problems[0], steps, folder))
    return StackedEngine(problems)
