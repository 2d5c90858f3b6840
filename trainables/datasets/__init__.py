"""The data sets that trainables train on, by name.

``folder`` is always the folder of all prepared data sets (each has a subfolder of its own), and
``source`` an optional folder to look in first for a data set's original files. Nothing here reads
a setting or touches the network, except :func:`ensure` and :func:`fetch`.
"""

from __future__ import annotations

import logging
from pathlib import Path

from trainables.contract import UnknownDataset
from trainables.datasets.ames import Ames
from trainables.datasets.fashion_mnist import FASHION_MNIST
from trainables.datasets.types import Dataset, DatasetStatus, ImageData, Log, RegressionData

__all__ = [
    "DatasetStatus",
    "ImageData",
    "RegressionData",
    "ensure",
    "fetch",
    "load",
    "names",
    "status",
]

_LOGGER = logging.getLogger(__name__)
_DATASETS: dict[str, Dataset] = {dataset.name: dataset for dataset in (Ames(), FASHION_MNIST)}


def names() -> tuple[str, ...]:
    """Return the names of all data sets, sorted."""
    return tuple(sorted(_DATASETS))


def load(name: str, folder: Path, *, source: Path | None = None) -> RegressionData | ImageData:
    """Return the data; quick once prepared, and never from the network.

    Raises :class:`trainables.contract.UnknownDataset`, and
    :class:`trainables.contract.DatasetUnavailable` if neither the prepared arrays nor the original
    files are at hand.
    """
    return _get(name).load(folder, source)


def ensure(name: str, folder: Path, *, source: Path | None = None, log: Log = _LOGGER.info) -> None:
    """Check the prepared data in full, and prepare them, fetching what is missing, if need be.

    Run it once before the trials of a node, which then only :func:`load`. ``log`` gets a line for
    each step. Raises :class:`trainables.contract.UnknownDataset`, and
    :class:`trainables.contract.DatasetUnavailable`, which lists every place that was tried and
    why it did not do.
    """
    _get(name).ensure(folder, source, log)


def fetch(name: str, folder: Path, *, source: Path | None = None, log: Log = _LOGGER.info) -> None:
    """Find the original files or fetch them, and prepare the data anew; as :func:`ensure` else."""
    _get(name).fetch(folder, source, log)


def status(name: str, folder: Path, *, source: Path | None = None) -> DatasetStatus:
    """Return what is known of the data set without loading it, for lists; takes milliseconds.

    Raises :class:`trainables.contract.UnknownDataset`.
    """
    return _get(name).status(folder, source)


def _get(name: str) -> Dataset:
    try:
        return _DATASETS[name]
    except KeyError:
        known = ", ".join(names())
        raise UnknownDataset(f"no data set is called {name!r}; there are: {known}") from None
