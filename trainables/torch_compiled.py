"""The compiled engine: autodiff and optimizer step inside one native loop over the samples.

``torch.func.grad_and_value`` of the loss and the update rule form the body of the higher-order
operator ``scan``; inductor turns the whole loop into C++. The graph is fixed by network, batch
size and kind of optimizer alone: learning rate, L2 decay, dropout and Adam's bias corrections come
in as tensors, so a new value of theirs costs nothing.

Compiling takes 7 to 20 s. The result is kept in a folder, one file per graph, version and kind
of processor, and loaded in about 2 s by later processes; a lock lets one of several processes
compile while the others wait. ``scan`` and ``aot_compile`` are prototypes in torch 2.13: the
version is pinned, and :func:`trainables.torch_engines.choose_engine` falls back where they fail.
"""

from __future__ import annotations

import io
import logging
import os
import platform
import warnings
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from inspect import getsource
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import torch
from filelock import FileLock
from torch import Tensor

from trainables import torch_models, torch_optimizers
from trainables.torch_models import Architecture, Weights, loss
from trainables.torch_optimizers import OptimizerName, update
from trainables.torch_steps import Batches, EagerEngine, Problem, State

#: Steps in one iteration of the native loop; between iterations the weights change buffers.
UNROLL = 4
#: The fewest iterations that the code takes: a dynamic length in torch means 2 or more.
_FEWEST_ITERATIONS = 2
_LOCK_SECONDS = 300
_DIGEST_BYTES = 32
_log = logging.getLogger("argbest.trainables")

#: Weights, moments, L2 decay (), then x, labels, masks and rates blocked to (iterations, UNROLL,
#: ...); returns weights, moments and the losses (iterations, UNROLL).
Loop = Callable[
    [Weights, Weights, Tensor, Tensor, Tensor, Weights, Tensor], tuple[Weights, Weights, Tensor]
]


class CompiledEngine:
    """Runs whole blocks of steps natively and what is left over of a stretch eagerly.

    Building one loads or compiles its code. That raises, among others, ``RuntimeError`` (no C++
    compiler, compile error), ``ImportError`` or ``AttributeError`` (another torch) or ``OSError``
    (the folder cannot be written): :data:`COMPILE_ERRORS`.
    """

    def __init__(self, problem: Problem, folder: Path) -> None:
        self._problem = problem
        self._eager = EagerEngine(problem)
        self._decay = torch.tensor(problem.optimizer.l2_decay, dtype=torch.float32)
        self._loop = _loop(
            problem.architecture, problem.optimizer.name, problem.batch_size, folder.resolve()
        )

    def run(self, state: State, batches: Batches) -> tuple[State, Tensor]:
        """See :meth:`trainables.torch_steps.Engine.run`."""
        iterations = len(batches) // UNROLL
        if batches.labels.shape[1] != self._problem.batch_size or iterations < _FEWEST_ITERATIONS:
            return self._eager.run(state, batches)
        native = iterations * UNROLL
        state, losses = self._run_natively(state, batches[:native])
        if native == len(batches):
            return state, losses
        state, last = self._eager.run(state, batches[native:])
        return state, torch.cat((losses, last))

    def _run_natively(self, state: State, batches: Batches) -> tuple[State, Tensor]:
        steps = len(batches)
        rates = self._problem.optimizer.rates(state.steps + 1, steps)
        if self._problem.batch_size == 1:
            batches = batches.as_single_samples()
        weights, moments, losses = self._loop(
            state.weights,
            state.moments,
            self._decay,
            _blocked(batches.x),
            _blocked(batches.labels),
            tuple(_blocked(mask) for mask in batches.masks),
            _blocked(rates),
        )
        return State(weights, moments, state.steps + steps), losses.view(-1)


def _blocked(steps: Tensor) -> Tensor:
    # Blocked here and not in the graph, where a dynamic length would put an integer division
    # into every inner loop (four times slower).
    return steps.view(-1, UNROLL, *steps.shape[1:])


def native_loop(architecture: Architecture, optimizer: OptimizerName) -> Loop:
    """Return the loop over blocks of :data:`UNROLL` steps, as torch code yet to be compiled."""
    from torch._higher_order_ops.scan import scan

    def train(
        weights: Weights,
        moments: Weights,
        decay: Tensor,
        x: Tensor,
        labels: Tensor,
        masks: Weights,
        rates: Tensor,
    ) -> tuple[Weights, Weights, Tensor]:
        count = len(weights)

        def body(carry: Weights, block: Any) -> tuple[Weights, Tensor]:
            w, m, losses = carry[:count], carry[count:], []
            for step in range(UNROLL):
                sample = block[0][step], block[1][step], tuple(mask[step] for mask in block[2])
                gradients, value = torch.func.grad_and_value(
                    lambda at, sample=sample: loss(architecture, at, *sample)
                )(w)
                gradients = tuple(g + decay * v for g, v in zip(gradients, w, strict=True))
                w, m = update(optimizer, w, m, gradients, block[3][step])
                losses.append(value)
            return (*w, *m), torch.stack(losses)

        carry, losses = scan(body, (*weights, *moments), (x, labels, masks, rates))
        return carry[:count], carry[count:], losses

    return train


@lru_cache(maxsize=16)
def _loop(
    architecture: Architecture, optimizer: OptimizerName, batch_size: int, folder: Path
) -> Loop:
    """Load the compiled loop from ``folder`` or compile it and keep it there."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(folder / "inductor"))
    name = _graph_name(architecture, optimizer, batch_size)
    path = folder / f"{name}.bin"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch's compiler uses torch.jit
        _require_compiler()
        with FileLock(folder / f"{name}.lock", timeout=_LOCK_SECONDS):
            code = _read(path)
            if code is None:
                code = _compile(architecture, optimizer, batch_size)
                _write(path, code)
        return _load(code)


def _require_compiler() -> None:
    """Raise ``RuntimeError`` if there is no C++ compiler: tracing for seconds would be in vain."""
    from torch._inductor.cpp_builder import get_cpp_compiler

    get_cpp_compiler()


def _graph_name(architecture: Architecture, optimizer: OptimizerName, batch_size: int) -> str:
    """Name the code by all that it depends on: graph, sources, versions, processor."""
    sources = "".join(getsource(m) for m in (torch_models, torch_optimizers)) + getsource(
        native_loop
    )
    parts = (
        architecture,
        optimizer,
        batch_size,
        UNROLL,
        sources,
        torch.__version__,
        platform.python_version(),
        _processor(),
    )
    digest = sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]
    sizes = "-".join(map(str, architecture.sizes))
    return f"{sizes}-{architecture.activation}-{optimizer}-{batch_size}-{digest}"


def _processor() -> str:
    """Describe the processor closely enough that native code for one runs on the other."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return f"{platform.machine()} {platform.processor()}"
    lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    told = ("model name", "flags", "CPU part", "Features")
    return "\n".join(sorted({line for line in lines if line.startswith(told)}))


def _compile(architecture: Architecture, optimizer: OptimizerName, batch_size: int) -> bytes:
    from torch._dynamo.aot_compile import AOTCompiledFunction

    options: dict[str, str | int | bool | Callable[..., Any]] = {
        "cpp_wrapper": True,
        # One thread per trial, and no pool of compiler processes that would outlive it.
        "cpp.threads": 1,
        "compile_threads": 1,
        # All else that the graph depends on is in the file's name.
        "guard_filter_fn": torch.compiler.keep_tensor_guards_unsafe,
    }
    compiled: Any = torch.compile(
        native_loop(architecture, optimizer), fullgraph=True, options=options
    )
    example = _example(architecture, optimizer, batch_size)
    _log.info("compiling %s, %s, batch size %d", architecture, optimizer, batch_size)
    return AOTCompiledFunction.serialize(compiled.aot_compile((example, {}))).serialized_data


def _example(architecture: Architecture, optimizer: OptimizerName, batch_size: int) -> Any:
    """Return arguments of the loop's shapes and dtypes, with the number of iterations dynamic."""
    blocks = (_FEWEST_ITERATIONS * UNROLL, UNROLL, *([batch_size] if batch_size > 1 else []))
    rule = torch_optimizers.Optimizer(optimizer, 0.01)
    weights = torch_models.initial_weights(architecture, torch.Generator())
    x = torch.zeros((*blocks, architecture.features))
    labels = torch.zeros(blocks, dtype=torch.int64)
    masks = tuple(
        torch.ones((*blocks, architecture.hidden_size)) for _ in range(architecture.layers)
    )
    rates = _blocked(rule.rates(1, blocks[0] * UNROLL))
    for tensor in (x, labels, *masks, rates):
        torch._dynamo.mark_dynamic(tensor, 0)
    return weights, rule.initial_moments(weights), torch.tensor(0.0), x, labels, masks, rates


def _load(code: bytes) -> Loop:
    return torch.no_grad()(torch.compiler.load_compiled_function(io.BytesIO(code)))


def _read(path: Path) -> bytes | None:
    """Return the code in the file; None if there is no such file or it is damaged."""
    if not path.exists():
        return None
    content = path.read_bytes()
    digest, code = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if sha256(code).digest() == digest:
        return code
    _log.warning("the compiled code in %s is damaged; compiling again", path)
    return None


def _write(path: Path, code: bytes) -> None:
    """Write the code and its digest under another name, then rename: no one sees half a file."""
    with NamedTemporaryFile(dir=path.parent, prefix=path.stem, delete=False) as file:
        file.write(sha256(code).digest() + code)
    Path(file.name).replace(path)
