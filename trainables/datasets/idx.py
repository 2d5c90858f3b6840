"""Reading IDX files, the format of MNIST and its successors.

Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits": two zero bytes, the
element type, the number of dimensions, each dimension's size as a big-endian 32-bit integer, then
the elements in C order.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_UNSIGNED_BYTE = 0x08


class BadIdxFile(ValueError):
    """The file is not a gzipped IDX file of unsigned bytes with the expected shape."""


def read_idx(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the array in the gzipped IDX file ``path``, read-only, which must have ``shape``.

    The header is compared with ``shape`` before any memory is taken, so a damaged file can neither
    demand a huge array nor unpack without end. Raises :class:`BadIdxFile`, which names the file and
    the fault, and ``OSError`` if the file cannot be opened.
    """
    try:
        with gzip.open(path, "rb") as file:
            _check_header(file, shape)
            return _read_elements(file, shape)
    except BadIdxFile as error:
        raise BadIdxFile(f"{path}: {error}") from error
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise BadIdxFile(f"{path}: damaged gzip data: {error}") from error


def _check_header(file: gzip.GzipFile, shape: tuple[int, ...]) -> None:
    magic = file.read(4)
    expected = bytes((0, 0, _UNSIGNED_BYTE, len(shape)))
    if magic != expected:
        raise BadIdxFile(f"magic number {magic.hex() or 'missing'}, expected {expected.hex()}")
    sizes = file.read(4 * len(shape))
    if len(sizes) < 4 * len(shape):
        raise BadIdxFile(f"the header ends after {4 + len(sizes)} bytes")
    found = struct.unpack(f">{len(shape)}I", sizes)
    if found != shape:
        raise BadIdxFile(f"dimensions {found}, expected {shape}")


def _read_elements(file: gzip.GzipFile, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    count = math.prod(shape)
    elements = file.read(count + 1)  # one more, to recognize a file that is too long
    if len(elements) != count:
        found = f"only {len(elements)}" if len(elements) < count else "more"
        raise BadIdxFile(f"{found} bytes of elements where the header promises {count}")
    return np.frombuffer(elements, np.uint8).reshape(shape)
