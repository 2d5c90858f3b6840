"""The kinds of data that trainables get, and the description of a data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Log = Callable[[str], None]
#: What a data set is made for, and the trainables that take it.
Kind = Literal["regression", "classification"]
KINDS: tuple[Kind, ...] = ("regression", "classification")
#: The parts of a data set. A part that a data set does not have is empty.
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, eq=False)
class RegressionData:
    """Features and a real target: ``x_*`` (rows, features) and ``y_*`` (rows,), float64.

    A validation or test part without rows is one that the data set does not have. Metrics in the
    target's unit are errors times ``y_scale``, since users' targets are standardised.
    """

    name: str
    x_train: NDArray[np.float64]
    y_train: NDArray[np.float64]
    x_test: NDArray[np.float64]
    y_test: NDArray[np.float64]
    x_validation: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))
    y_validation: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    y_scale: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class ClassificationData:
    """Features and a class: ``x_*`` (rows, features) uint8 or float64, ``y_*`` (rows,) int64.

    The arrays are read-only memory maps shared by all trials of a node; a model sees
    ``x * scale``. ``classes`` are the class names, in label order. A validation or test part
    without rows is one that the data set does not have.
    """

    name: str
    x_train: NDArray[np.uint8 | np.float64]
    y_train: NDArray[np.int64]
    x_validation: NDArray[np.uint8 | np.float64]
    y_validation: NDArray[np.int64]
    x_test: NDArray[np.uint8 | np.float64]
    y_test: NDArray[np.int64]
    scale: float
    classes: tuple[str, ...]


#: The name that packages for earlier versions import.
ImageData = ClassificationData
Data = RegressionData | ClassificationData


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
