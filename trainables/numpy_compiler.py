"""How the numpy engines are compiled, and how their arrays lie in memory."""

from __future__ import annotations

import logging
import pickle
import platform
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba import njit
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from trainables.code_cache import code_folder, delete_unused, keep_code, mark_used, read_code
from trainables.files import locked
from trainables.numpy_models import FloatArray

_Function = TypeVar("_Function", bound=Callable[..., Any])

_log = logging.getLogger("argbest.trainables")

#: The engine's name in a trial's record; NUMBA_DISABLE_JIT=1 runs the kernels as Python code.
ENGINE = "plain loop" if numba.config.DISABLE_JIT else "numba"

#: Doubles in one cache line of 64 bytes, which is also the widest vector register.
LINE = 8

#: Sums may be reordered into vector lanes and fused into multiply-adds; NaN and infinity keep
#: their meaning, so that a diverged run is seen. Division by zero gives infinity, as in numpy.
_OPTIONS = {"fastmath": {"reassoc", "contract", "nsz"}, "error_model": "numpy"}


def compiled(function: _Function) -> _Function:
    """Compile ``function``, of a ``numpy_*.py`` of this package, when it is first called.

    The code is kept on disk, in :func:`kernel_folder`. Where that is impossible, a warning is
    logged and each process compiles anew (some seconds).
    """
    dispatcher = njit(**_OPTIONS)(function)
    dispatcher._cache = _KernelCache(function)  # as njit(cache=True) does with numba's own
    return cast(_Function, dispatcher)


def prepare() -> None:
    """Import the parts of numba that the first compiled call needs: half a second of work."""
    njit(**_OPTIONS)(_nothing)()


def _nothing() -> None:
    """Do nothing."""


@cache
def kernel_folder() -> Path | None:
    """Return the folder of the compiled kernels; make it first. None if it cannot be made.

    It is named by a digest of all ``numpy_*.py`` beside this module and of the versions of numba
    and Python: numba's own cache does not notice a change in an imported compiled function or in
    the compiler's options, and would run the old code. It lies in ``NUMBA_CACHE_DIR`` if that is
    set, else in that of :func:`~trainables.code_cache.code_folder`. Folders of other digests beside
    it are deleted when they were not used for a week.
    """
    digest = sha256(f"{numba.__version__} {platform.python_version()}".encode())
    for source in sorted(Path(__file__).parent.glob("numpy_*.py")):
        digest.update(sha256(source.read_bytes()).digest())
    root = numba.config.CACHE_DIR or code_folder("numba")
    folder = Path(root) / f"argbest-{digest.hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mark_used(folder)
    except OSError as error:
        _log.warning("%s: compiled in every process; set ARGBEST_CACHE_DIR", error)
        return None
    delete_unused(folder, "argbest-*")
    return folder


class _KernelCache(NullCache):  # type: ignore[misc]  # mypy does not read numba
    """Keeps a function's code in :func:`kernel_folder`; its failures make no trial fail.

    Numba's own cache makes its folder when a module is imported, and loads and runs machine code
    that a loss of power damaged. Damaged code is compiled and written again; a warning is logged.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the code for a signature; None where none is kept or it cannot be loaded."""
        target_context.refresh()
        file = self._file(sig, target_context.codegen())
        if file is None:
            return None
        try:
            code = read_code(file)
            if code is None:
                return None
            return CompileResult._rebuild(target_context, *pickle.loads(code))  # noqa: S301
        except Exception as error:  # noqa: BLE001 - unpickling raises anything
            _log.warning("the code in %s: %r; compiling again", file, error)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the code ``data`` for a signature, if it can be written."""
        file = self._file(sig, data.codegen)
        if file is None or data.library.has_dynamic_globals:
            return
        try:
            with locked(file.with_name(".lock"), retry_seconds=10.0, patience_seconds=10.0):
                keep_code(file, dumps(data._reduce()))
        except OSError as error:
            _log.warning("compiled code is not kept for later trials: %s", error)

    def _file(self, sig: Any, codegen: Any) -> Path | None:
        """Name the file by all that code depends on but for what names its folder."""
        folder, function = kernel_folder(), self._function
        if folder is None:
            return None
        key = (function.__module__, function.__code__.co_code, sig, codegen.magic_tuple())
        digest = sha256(repr(key).encode()).hexdigest()[:16]
        return folder / f"{function.__qualname__}-{digest}.bin"


def aligned_zeros(rows: int, columns: int) -> FloatArray:
    """Return zeros (rows, columns rounded up to whole cache lines), each row starting a line.

    A vector load that straddles two lines costs twice; unaligned rows make the engines 1.7 times
    slower. Callers keep the surplus columns at zero, where they change no sum.
    """
    width = -(-columns // LINE) * LINE
    buffer = np.zeros(rows * width + LINE)
    offset = -(buffer.ctypes.data // buffer.itemsize) % LINE
    return buffer[offset : offset + rows * width].reshape(rows, width)


def aligned(matrix: FloatArray) -> FloatArray:
    """Copy ``matrix`` (rows, columns) into :func:`aligned_zeros` of that shape."""
    copy = aligned_zeros(*matrix.shape)
    copy[:, : matrix.shape[1]] = matrix
    return copy
