"""The real data sets for tests, prepared once a checkout and fetched if they are nowhere here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trainables import datasets
from trainables.contract import DatasetUnavailable
from trainables.datasets import ClassificationData

#: pytest keeps this folder from one run to the next.
DATASETS = Path(__file__).parents[1] / ".pytest_cache" / "datasets"


def ensure_fashion_mnist() -> None:
    """Prepare Fashion-MNIST in :data:`DATASETS`, or skip the test with what was tried."""
    named = os.environ.get("ARGBEST_FASHION_MNIST_DIR")
    try:
        datasets.ensure("fashion_mnist", DATASETS, source=Path(named) if named else None)
    except DatasetUnavailable as error:
        pytest.skip(str(error))


def fashion_mnist() -> ClassificationData:
    """Return the real Fashion-MNIST, or skip the test."""
    ensure_fashion_mnist()
    data = datasets.load("fashion_mnist", DATASETS)
    assert isinstance(data, ClassificationData)
    return data
