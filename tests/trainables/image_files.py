"""A small image data set in IDX files, like Fashion-MNIST but of 60 + 20 images of 2 x 3 pixels."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainables.datasets.images import ImageDataset
from trainables.datasets.sources import Place, SourceFile, Variant

NAMES = ("train-images.gz", "train-labels.gz", "test-images.gz", "test-labels.gz")


def arrays(seed: int = 42) -> tuple[NDArray[np.uint8], ...]:
    """Return the arrays of the four files: images (n, 2, 3) and labels (n,), uint8."""
    random = np.random.RandomState(seed)
    shapes = ((60, 2, 3), (60,), (20, 2, 3), (20,))
    return tuple(random.randint(0, 4, shape).astype(np.uint8) for shape in shapes)


def idx_bytes(array: NDArray[np.uint8]) -> bytes:
    """Return the unpacked IDX file of ``array``."""
    header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def write_files(folder: Path) -> Path:
    """Write the four files into ``folder``, made if need be, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in zip(NAMES, arrays(), strict=True):
        (folder / name).write_bytes(gzip.compress(idx_bytes(array), mtime=0))
    return folder


def small_dataset(
    files: Path, *, remote: tuple[Place, ...] = (), system: tuple[Path, ...] = ()
) -> ImageDataset:
    """Return a data set of the four files as they are in ``files``; 10 are for validation."""
    images, labels, test_images, test_labels = (
        SourceFile(name, array.shape, (_variant(files / name),))
        for name, array in zip(NAMES, arrays(), strict=True)
    )
    return ImageDataset(
        name="small",
        title="Small",
        files=(images, labels, test_images, test_labels),
        validation=10,
        scale=1 / 256,
        classes=("a", "b", "c", "d"),
        system_folders=system,
        remote=remote,
        source="made up",
        license="none",
        citation="none",
    )


def _variant(path: Path) -> Variant:
    content = path.read_bytes()
    return Variant(len(content), hashlib.md5(content).hexdigest())
