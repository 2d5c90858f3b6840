"""What the data sets hand out: the data in two shapes, and what is known about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

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
    """What is known of a data set without loading it; plain values, ready for JSON.

    ``available`` says whether :func:`trainables.datasets.load` would find it without the network,
    ``where`` the file or folder that it would read ("" if there is none) and ``size`` the bytes it
    takes there. ``rows`` counts all samples, ``splits`` those of each split. ``checksums`` gives,
    for each source file, the checksums it may have, each as ``"md5:..."`` or ``"sha256:..."``.
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


class Dataset(Protocol):
    """One data set: how to get it, prepare it and load it.

    ``folder`` is the folder of all prepared data sets, ``source`` one to look in first for the
    original files; a data set that the package carries needs neither.
    """

    @property
    def name(self) -> str:
        """The name that search spaces use."""

    def load(self, folder: Path, source: Path | None) -> RegressionData | ImageData:
        """Return the data, prepared from files at hand if need be, never from the network."""

    def ensure(self, folder: Path, source: Path | None, log: Log) -> None:
        """Check the prepared data in full; make them, fetching what is missing, if need be."""

    def fetch(self, folder: Path, source: Path | None, log: Log) -> None:
        """Get the original files, from the network if need be, and prepare the data anew."""

    def status(self, folder: Path, source: Path | None) -> DatasetStatus:
        """Return what is known of the data set; reads no more than file sizes."""
