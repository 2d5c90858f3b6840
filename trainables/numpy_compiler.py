"""How the numpy engines are compiled, and how their arrays lie in memory."""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba import njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache, InTreeCacheLocator
from numba.core.serialize import dumps

from trainables.code_cache import code_folder, delete_unused
from trainables.numpy_models import FloatArray

_Function = TypeVar("_Function", bound=Callable[..., Any])

_log = logging.getLogger(__name__)

#: Doubles in one cache line of 64 bytes, which is also the widest vector register.
LINE = 8

#: Sums may be reordered into vector lanes and fused into multiply-adds; NaN and infinity keep
#: their meaning, so that a diverged run is seen. Division by zero gives infinity, as in numpy.
_OPTIONS = {"fastmath": {"reassoc", "contract", "nsz"}, "error_model": "numpy"}


def compiled(function: _Function) -> _Function:
    """Compile ``function`` to machine code when it is first called.

    The code is kept on disk, in :func:`kernel_folder`. Where that cannot be written to, then or
    when the code is there, or where ``function`` is in no file, it is compiled anew in each process
    (some seconds), and the log says so.
    """
    dispatcher = njit(**_OPTIONS)(function)
    try:
        kernel_folder()  # numba would not tell what is wrong with it
        dispatcher._cache = _Cache(function)  # what njit(cache=True) does with numba's own
    except (OSError, RuntimeError) as error:
        _log.warning("%s: compiled in every process; set ARGBEST_CACHE_DIR", error)
    return cast(_Function, dispatcher)


@lru_cache(maxsize=1)
def kernel_folder() -> Path:
    """Return the folder of the compiled kernels, which it makes; raises ``OSError`` if it cannot.

    Its name has a digest of all ``numpy_*.py`` beside this module. Numba's own cache notices a
    change of the file that holds a function, but not of a compiled function that is imported from
    another file, nor of the options of the compiler: it would go on running the old code. The
    folder lies in ``NUMBA_CACHE_DIR`` if that is set, else in that of
    :func:`~trainables.code_cache.code_folder`. Folders of other digests beside it go when they have
    not been used for a week.
    """
    digest = sha256()
    for source in sorted(Path(__file__).parent.glob("numpy_*.py")):
        digest.update(sha256(source.read_bytes()).digest())
    root = numba.config.CACHE_DIR or code_folder("numba")
    folder = Path(root) / f"argbest-{digest.hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)  # when it was used last
    delete_unused(folder, "argbest-*")
    return folder


class _Locator(InTreeCacheLocator):  # type: ignore[misc]  # mypy does not read numba
    """Has code kept in :func:`kernel_folder`."""

    def get_cache_path(self) -> str:
        return str(kernel_folder())


class _CacheImpl(CompileResultCacheImpl):  # type: ignore[misc]
    """Keeps code with a digest: damaged machine code could be loaded, and run, all the same."""

    # No other folder, for it would have no digest of the sources.
    _locator_classes = (_Locator,)

    def reduce(self, cres: Any) -> tuple[bytes, bytes]:
        code = dumps(super().reduce(cres))
        return sha256(code).digest(), code

    def rebuild(self, target_context: Any, reduced_data: tuple[bytes, bytes]) -> Any:
        digest, code = reduced_data
        if sha256(code).digest() != digest:
            raise ValueError("its digest is wrong")
        return super().rebuild(target_context, pickle.loads(code))  # noqa: S301 - as numba does


class _Cache(FunctionCache):  # type: ignore[misc]
    """Numba's cache of a function's code, but one whose failures make no trial fail.

    Code that is damaged, as a loss of power leaves it, is compiled again and kept anew; code that
    cannot be written is not kept. The log says so.
    """

    _impl_class = _CacheImpl

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the code for a signature; None where none is kept or it cannot be loaded."""
        try:
            return super().load_overload(sig, target_context)
        except Exception as error:  # noqa: BLE001 - damaged files raise anything when unpickled
            reason = str(error) or type(error).__name__
            name = self._py_func.__qualname__
            _log.warning("the code of %s in %s: %s; compiling again", name, self.cache_path, reason)
        with self._disabled_by_errors():
            self.flush()
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the code ``data`` for a signature, if it can be written."""
        with self._disabled_by_errors():
            super().save_overload(sig, data)

    @contextmanager
    def _disabled_by_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            _log.warning("compiled code is not kept for later trials: %s", error)
            self.disable()


def aligned_zeros(rows: int, columns: int) -> FloatArray:
    """Zeros of shape (rows, columns rounded up to whole cache lines), each row starting a line.

    A vector load that straddles two lines costs twice; unaligned rows make the engines 1.7 times
    slower. Whoever asks keeps the surplus columns at zero, where they change no sum.
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
