"""The compiled engine: :mod:`trainables.torch_loops` as native code, kept on disk.

Compiling takes 7 to 30 s of processor time. The code is kept, one file per graph in a folder per
version and kind of processor (:class:`trainables.code_cache.KeptCode`); later processes load it in
about 2 s. ``scan`` and ``aot_compile`` are prototypes in torch 2.13, so the version is pinned.
"""

from __future__ import annotations

import io
import logging
import os
import platform
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from inspect import getsource
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trainables import torch_loops, torch_models, torch_optimizers
from trainables.code_cache import KeptCode
from trainables.torch_loops import Graph, Loop
from trainables.torch_steps import Batches, EagerEngine, Problem, State

#: Torch's compiler takes lengths 0 and 1 as constants, so a dynamic length is 2 or more.
_FEWEST_ITERATIONS = 2
_TORCH_FOLDER = "TORCHINDUCTOR_CACHE_DIR"
#: Torch reports an ``OSError`` while loading code as a ``RuntimeError`` with this text alone.
_OS_ERROR = "Failed to reload cache entry from disk"
_log = logging.getLogger("argbest.trainables")


class CompiledEngine:
    """Runs whole blocks of steps natively and the remaining steps of a stretch eagerly.

    Building one loads its code from ``folder``, or compiles it and keeps it there. Raises
    ``RuntimeError`` where there is no C++ compiler
    (:class:`~trainables.code_cache.CompileError` where it fails), ``ImportError`` where torch is
    another version, ``OSError`` where the folder cannot be written or read, and ``MemoryError``.
    """

    def __init__(self, problem: Problem, folder: Path) -> None:
        self._problem = problem
        self._eager = EagerEngine(problem)
        self._graph = Graph.of(problem)
        self.name = "block-delayed scan" if self._graph.delayed else "compiled scan"
        self._loop = _loop(self._graph, folder.resolve())

    def run(self, state: State, batches: Batches) -> tuple[State, Tensor]:
        """See :meth:`trainables.torch_steps.EagerEngine.run`."""
        iterations = len(batches) // self._graph.steps
        if batches.labels.shape[1] != self._graph.batch_size or iterations < _FEWEST_ITERATIONS:
            return self._eager.run(state, batches)
        native = iterations * self._graph.steps
        state, losses = self._run_natively(state, batches[:native])
        if native == len(batches):
            return state, losses
        state, last = self._eager.run(state, batches[native:])
        return state, torch.cat((losses, last))

    def _run_natively(self, state: State, batches: Batches) -> tuple[State, Tensor]:
        steps = len(batches)
        rates = self._problem.optimizer.rates(state.steps + 1, steps)
        if self._graph.batch_size == 1:
            batches = batches.as_single_samples()
        # In the graph, blocking a dynamic length would put an integer division into every inner
        # loop (four times slower).
        masks = tuple(self._blocked(mask) for mask in batches.masks)
        blocks = self._blocked(batches.x), self._blocked(batches.labels), masks
        weights, moments, losses = self._loop(
            state.weights, state.moments, (*blocks, self._blocked(rates))
        )
        return State(weights, moments, state.steps + steps), losses.view(-1)

    def _blocked(self, steps: Tensor) -> Tensor:
        return steps.view(-1, self._graph.steps, *steps.shape[1:])


@lru_cache(maxsize=16)
def _loop(graph: Graph, root: Path) -> Loop:
    """Load the compiled loop from its version's folder in ``root`` or compile it and keep it."""
    folder = root / _version()
    kept = KeptCode(folder, _name(graph))
    with _torch_files_in(folder / "inductor"), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch's compiler uses torch.jit
        _require_compiler()
        code = kept.get(lambda: _compile(graph))
        with kept.failures_remembered():
            return _load(code)


@contextmanager
def _torch_files_in(folder: Path) -> Iterator[None]:
    """Have torch's compiler keep its files in ``folder``: loading finds shared libraries there.

    Makes the folder first, since torch does so while its compiler is imported, and an ``OSError``
    then would leave half of the compiler imported for the rest of the process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = os.environ.get(_TORCH_FOLDER)
    os.environ[_TORCH_FOLDER] = str(folder)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_TORCH_FOLDER)
        else:
            os.environ[_TORCH_FOLDER] = before


def _require_compiler() -> None:
    """Raise ``RuntimeError`` if there is no C++ compiler: tracing for seconds would be in vain."""
    name = os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++")
    if shutil.which(name) is None:
        raise RuntimeError(f"there is no C++ compiler {name}: install it, or set CXX to another")


def _name(graph: Graph) -> str:
    """Name the code by its graph."""
    sizes = "-".join(map(str, graph.architecture.sizes))
    kind = f"{graph.architecture.activation}-{graph.optimizer}-{graph.batch_size}"
    return f"{sizes}-{kind}-delayed" if graph.delayed else f"{sizes}-{kind}"


def _version() -> str:
    """Return a digest of the sources, versions and processor that code depends on."""
    modules = (sys.modules[__name__], torch_loops, torch_models, torch_optimizers)
    sources = [getsource(module) for module in modules]
    parts = (*sources, torch.__version__, platform.python_version(), _processor())
    return sha256("\0".join(parts).encode()).hexdigest()[:16]


def _processor() -> str:
    """Describe the processor closely enough that native code for one runs on the other."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return f"{platform.machine()} {platform.processor()}"
    lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    kept = ("model name", "flags", "CPU part", "Features")
    return "\n".join(sorted({line for line in lines if line.startswith(kept)}))


def _compile(graph: Graph) -> bytes:
    options: dict[str, str | int | bool | Callable[..., Any]] = {
        "cpp_wrapper": True,
        # One thread per trial, and no pool of compiler processes that would outlive it.
        "cpp.threads": 1,
        "compile_threads": 1,
        # Everything else that the graph depends on is in the file's name.
        "guard_filter_fn": torch.compiler.keep_tensor_guards_unsafe,
    }
    compiled: Any = torch.compile(graph.loop(), fullgraph=True, options=options)
    weights, moments, blocks = graph.example(_FEWEST_ITERATIONS)
    for tensor in (*blocks[:2], *blocks[2], blocks[3]):
        torch._dynamo.mark_dynamic(tensor, 0)
    _log.info("compiling %s", graph)
    aot = compiled.aot_compile(((weights, moments, blocks), {}))
    code: bytes = aot.serialize(aot).serialized_data
    return code


def _load(code: bytes) -> Loop:
    try:
        loop = torch.compiler.load_compiled_function(io.BytesIO(code))
    except RuntimeError as error:
        if _OS_ERROR not in str(error):
            raise
        raise OSError(f"{error}: a lack of memory, space or files?") from error
    return torch.no_grad()(loop)
