"""The two kinds of data that trainables get, and the description of a data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class RegressionData:
    """Features and a real target: ``x_*`` (rows, features) and ``y_*`` (rows,), float64."""

    name: str
    x_train: NDArray[np.float64]
    y_train: NDArray[np.float64]
    x_test: NDArray[np.float64]
    y_test: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ImageData:
    """Grey images and their class: ``x_*`` (images, pixels) uint8, ``y_*`` (images,) int64.

    The pixels are read-only memory maps shared by all trials of a node; a model sees
    ``x * scale``. ``classes`` are the class names, in label order.
    """

    name: str
    x_train: NDArray[np.uint8]
    y_train: NDArray[np.int64]
    x_validation: NDArray[np.uint8]
    y_validation: NDArray[np.int64]
    x_test: NDArray[np.uint8]
    y_test: NDArray[np.int64]
    scale: float
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DatasetStatus:
    """Describes a data set in plain values, ready for JSON.

    ``available``: :func:`trainables.datasets.load` would find it without the network; ``where`` is
    the file or folder that it would read ("" if there is none) and ``size`` the bytes there.
    ``rows`` counts all samples, ``splits`` those of each split. ``checksums`` has the allowed
    checksums of each source file, as ``"md5:..."`` or ``"sha256:..."``.
    """

    name: str
    title: str
    available: bool
    where: str
    size: int
    rows: int
    splits: Mapping[str, int]
    source: str
    license: str
    citation: str
    checksums: Mapping[str, tuple[str, ...]]
