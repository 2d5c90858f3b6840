"""The two shapes of data that the built-in trainables take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
