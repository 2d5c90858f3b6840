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

    No more is unpacked than such a file holds. Raises :class:`BadIdxFile`, which names the file and
    the fault, and ``OSError`` if the file cannot be opened.
    """
    header = struct.pack(f">HBB{len(shape)}I", 0, _UNSIGNED_BYTE, len(shape), *shape)
    size = len(header) + math.prod(shape)
    try:
        with gzip.open(path, "rb") as file:
            content = file.read(size + 1)  # one more, to recognize a file that is too long
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise BadIdxFile(f"{path}: damaged gzip data: {error}") from error
    found = content[: len(header)]
    if found != header:
        raise BadIdxFile(f"{path}: header {found.hex()}, expected {header.hex()} for shape {shape}")
    if len(content) != size:
        found_size = "more" if len(content) > size else f"only {len(content)}"
        raise BadIdxFile(f"{path}: {found_size} bytes where the header promises {size}")
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape)
