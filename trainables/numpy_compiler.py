"""How the numpy engines are compiled, and how their arrays lie in memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba import njit

from trainables.code_cache import code_folder
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

    The code is kept on disk, in :func:`kernel_folder`. Where that cannot be written to, or where
    ``function`` is in no file, it is compiled anew in each process (some seconds), and the log
    says so.
    """
    try:
        with _numba_keeps_code_in(kernel_folder()):
            return cast(_Function, njit(cache=True, **_OPTIONS)(function))
    except (OSError, RuntimeError) as error:
        _log.warning("%s: compiled in every process; set ARGBEST_CACHE_DIR", error)
        return cast(_Function, njit(**_OPTIONS)(function))


@lru_cache(maxsize=1)
def kernel_folder() -> Path:
    """Return the folder of the compiled kernels, which it makes; raises ``OSError`` if it cannot.

    Its name has a digest of all ``numpy_*.py`` beside this module. Numba's own cache notices a
    change of the file that holds a function, but not of a compiled function that is imported from
    another file, nor of the options of the compiler: it would go on running the old code. The
    folder lies in ``NUMBA_CACHE_DIR`` if that is set, else in that of
    :func:`~trainables.code_cache.code_folder`.
    """
    digest = sha256()
    for source in sorted(Path(__file__).parent.glob("numpy_*.py")):
        digest.update(sha256(source.read_bytes()).digest())
    root = numba.config.CACHE_DIR or code_folder("numba")
    folder = Path(root) / f"argbest-{digest.hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    # Numba asks the same, but if the answer is no it takes a folder that has no such digest.
    TemporaryFile(dir=folder).close()
    return folder


@contextmanager
def _numba_keeps_code_in(folder: Path) -> Iterator[None]:
    """Let functions that are compiled meanwhile be cached there; other code's setting returns."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before


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
