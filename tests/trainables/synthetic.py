"""Small seeded data sets with the same types and quirks as the real ones, for tests and demos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainables.datasets.types import ClassificationData, RegressionData


def regression_data(
    *,
    rows: int = 40,
    features: int = 6,
    noise: float = 0.1,
    validation: int = 0,
    y_scale: float = 1.0,
    seed: int = 42,
) -> RegressionData:
    """Return a linear problem: ``rows`` rows for training, as many for testing.

    The first ``validation`` test rows are validation rows too.

    ``y = x @ w + 1 + noise * e`` with standard normal ``x``, ``w`` and ``e``; all arrays are
    C-ordered and read-only, as :func:`trainables.datasets.load` returns them.
    """
    random = np.random.RandomState(seed)
    weights = random.standard_normal(features)
    x = random.standard_normal((2 * rows, features))
    y = x @ weights + 1.0 + noise * random.standard_normal(2 * rows)
    for array in (x, y):
        array.setflags(write=False)
    held_out = (x[rows : rows + validation], y[rows : rows + validation])
    return RegressionData(
        "synthetic", x[:rows], y[:rows], x[rows:], y[rows:], *held_out, y_scale=y_scale
    )


def image_data(
    *,
    train: int = 60,
    validation: int = 30,
    test: int = 30,
    pixels: int = 16,
    classes: int = 3,
    folder: Path | None = None,
    dtype: type[np.generic] = np.uint8,
    seed: int = 42,
) -> ClassificationData:
    """Return images that a linear model can learn: a pattern per class, plus noise; half are 0.

    Of another ``dtype`` the features are the same numbers, scaled already. With a ``folder`` the
    arrays are saved there and mapped read-only, as the real ones are; else they are plain
    read-only arrays.
    """
    random = np.random.RandomState(seed)
    patterns = random.randint(0, 200, (classes, pixels))
    patterns[:, ::2] = 0
    arrays: dict[str, Any] = {}
    for split, count in (("train", train), ("validation", validation), ("test", test)):
        y = random.randint(0, classes, count)
        x = patterns[y] + (patterns[y] > 0) * random.randint(0, 56, (count, pixels))
        arrays[f"x_{split}"] = (x * (1 if dtype == np.uint8 else 1 / 256)).astype(dtype)
        arrays[f"y_{split}"] = y.astype(np.int64)
    kept = {name: _read_only(name, array, folder) for name, array in arrays.items()}
    names = tuple(f"class {label}" for label in range(classes))
    return ClassificationData(
        name="synthetic", scale=1 / 256 if dtype == np.uint8 else 1.0, classes=names, **kept
    )


def _read_only(name: str, array: NDArray[Any], folder: Path | None) -> NDArray[Any]:
    if folder is None:
        array.setflags(write=False)
        return array
    np.save(folder / f"{name}.npy", array)
    mapped: NDArray[Any] = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    return mapped
