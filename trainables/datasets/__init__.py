"""The data sets that trainables train on, by name.

``folder`` holds the prepared data sets, each in a subfolder of its own; ``source`` is an optional
folder with a data set's original files, searched first. Only :func:`ensure` and :func:`fetch` use
the network. All raise :class:`trainables.contract.UnknownDataset` for an unknown name.
"""

from __future__ import annotations

import logging
from pathlib import Path

from trainables.contract import UnknownDataset
from trainables.datasets.ames import Ames
from trainables.datasets.fashion_mnist import FASHION_MNIST
from trainables.datasets.images import ImageDataset
from trainables.datasets.types import (
    KINDS,
    SPLITS,
    ClassificationData,
    Data,
    DatasetStatus,
    ImageData,
    Kind,
    Log,
    RegressionData,
)

__all__ = [
    "KINDS",
    "SPLITS",
    "ClassificationData",
    "Data",
    "DatasetStatus",
    "ImageData",
    "Kind",
    "RegressionData",
    "ensure",
    "fetch",
    "kind",
    "load",
    "names",
    "splits",
    "status",
    "unit",
]

_LOGGER = logging.getLogger(__name__)
_DATASETS: dict[str, Ames | ImageDataset] = {"ames": Ames(), "fashion_mnist": FASHION_MNIST}


def names() -> tuple[str, ...]:
    """Return the names of all data sets, sorted."""
    return tuple(sorted(_DATASETS))


def kind(name: str) -> Kind:
    """Return what the data set is made for."""
    return _get(name).kind


def unit(name: str) -> str:
    """Return the unit of the data set's target, "" where it has none."""
    return _get(name).unit


def splits(name: str) -> tuple[str, ...]:
    """Return the names of the data set's parts: train, validation, test."""
    return _get(name).splits


def load(name: str, folder: Path, *, source: Path | None = None) -> Data:
    """Return the data, never from the network; quick once they are prepared.

    Raises :class:`trainables.contract.DatasetUnavailable` if this machine has neither the prepared
    arrays nor the original files.
    """
    return _get(name).load(folder, source)


def ensure(name: str, folder: Path, *, source: Path | None = None, log: Log = _LOGGER.info) -> None:
    """Check the prepared data in full; where that fails, fetch missing files and prepare anew.

    Run it once on a node before its trials, which then only :func:`load`. ``log`` gets a line for
    each step. Raises :class:`trainables.contract.DatasetUnavailable`, which lists every place tried
    and why it failed.
    """
    _get(name).ensure(folder, source, log)


def fetch(name: str, folder: Path, *, source: Path | None = None, log: Log = _LOGGER.info) -> None:
    """Find or fetch the original files and prepare the data anew; raises as :func:`ensure`."""
    _get(name).ensure(folder, source, log, anew=True)


def status(name: str, folder: Path, *, source: Path | None = None) -> DatasetStatus:
    """Describe the data set without loading it; takes milliseconds."""
    return _get(name).status(folder, source)


def _get(name: str) -> Ames | ImageDataset:
    try:
        return _DATASETS[name]
    except KeyError:
        known = ", ".join(names())
        raise UnknownDataset(f"no data set is called {name!r}; there are: {known}") from None
