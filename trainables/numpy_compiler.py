"""How the numpy engines are compiled, and how their arrays lie in memory."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

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

    The code is cached on disk beside the module, else in the user's cache folder, else where
    ``NUMBA_CACHE_DIR`` says. Where no such folder can be written to it is compiled anew in each
    process (some seconds), and the log says so. The cache notices a change of the file that holds
    ``function``, but not of a compiled function that it imports: when you edit such a one, delete
    the ``*.nbi`` files beside it.
    """
    try:
        return cast(_Function, njit(cache=True, **_OPTIONS)(function))
    except RuntimeError as error:
        _log.warning("%s: compiled in every process; set NUMBA_CACHE_DIR", error)
        return cast(_Function, njit(**_OPTIONS)(function))


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
