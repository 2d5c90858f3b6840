"""Fashion-MNIST: 70,000 images of clothes, 28 x 28 grey pixels, ten classes (Q3, Q4).

H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
Learning Algorithms", arXiv:1708.07747, 2017; file names, checksums, class names and addresses are
those of the README at github.com/zalandoresearch/fashion-mnist. Debian rewrites the gzip headers
(other time, no file name), so its files have other checksums though the images are the same.
"""

from __future__ import annotations

from pathlib import Path

from trainables.datasets.images import ImageDataset
from trainables.datasets.sources import DebianPackage, Mirror, SourceFile, Variant

#: Each file as published, then as Debian has it.
_FILES = (
    SourceFile("train-images-idx3-ubyte.gz", (60_000, 28, 28), (
        Variant(26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        Variant(26_421_856, "cf8536b0aa1a6ac5fa3f23001093305c"),
    )),
    SourceFile("train-labels-idx1-ubyte.gz", (60_000,), (
        Variant(29_515, "25c81989df183df01b3e8a0aad5dffbe"),
        Variant(29_491, "10bea18fdb374794d4bb42e356e600c9"),
    )),
    SourceFile("t10k-images-idx3-ubyte.gz", (10_000, 28, 28), (
        Variant(4_422_102, "bef4ecab320f06d8554ea6380940ec79"),
        Variant(4_422_079, "f78720b4224f21cce2f2ccf2d7a94c9a"),
    )),
    SourceFile("t10k-labels-idx1-ubyte.gz", (10_000,), (
        Variant(5_148, "bb300cfdad3c16e7a12a480ee83cd310"),
        Variant(5_125, "0d30e22e447f3c33dab9ed536400ac01"),
    )),
)  # fmt: skip

_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip

#: The order of the split and ``scale`` are the course's protocol (docs/data.md).
FASHION_MNIST = ImageDataset(
    name="fashion_mnist",
    title="Fashion-MNIST: images of clothes in ten classes",
    files=_FILES,
    validation=10_000,
    scale=1 / 256,
    classes=_CLASSES,
    system_folders=(
        Path("/usr/share/datasets/fashion-mnist"),
        Path("/usr/local/share/datasets/fashion-mnist"),
    ),
    remote=(
        Mirror(
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"
        ),
        Mirror("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
        DebianPackage("dataset-fashion-mnist", "usr/share/datasets/fashion-mnist"),
    ),
    source="github.com/zalandoresearch/fashion-mnist",
    license="MIT",
    citation=(
        "H. Xiao, K. Rasul, R. Vollgraf (2017). Fashion-MNIST: a Novel Image Dataset for "
        "Benchmarking Machine Learning Algorithms. arXiv:1708.07747."
    ),
)
