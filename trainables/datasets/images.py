"""Image data sets in four IDX files: found or fetched, split, and prepared once per node."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from trainables.contract import DatasetUnavailable
from trainables.datasets import prepared
from trainables.datasets.idx import BadIdxFile, read_idx
from trainables.datasets.prepared import ArraySpec, NotPrepared
from trainables.datasets.sources import LocalFolder, Place, SourceFile, Unobtainable
from trainables.datasets.types import SPLITS, ClassificationData, DatasetStatus, Kind, Log
from trainables.files import locked

_SPLIT_SEED = 42
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ImageDataset:
    """An image data set whose validation images are drawn from the training files.

    ``files`` are training images (n, height, width) and labels (n,), then test images and labels.
    ``RandomState(42).permutation(n)`` orders the ``n`` images of the training files: its first
    ``validation`` are for validation, the others, in that order, for training. The pixels stay
    bytes; a model sees them times ``scale``. The files are searched in a source folder, in the
    prepared folder, in ``system_folders`` and in the ``remote`` places, in this order.
    """

    kind: ClassVar[Kind] = "classification"
    unit: ClassVar[str] = ""
    splits: ClassVar[tuple[str, ...]] = SPLITS

    name: str
    title: str
    files: tuple[SourceFile, SourceFile, SourceFile, SourceFile]
    validation: int
    scale: float
    classes: tuple[str, ...]
    system_folders: tuple[Path, ...]
    remote: tuple[Place, ...]
    source: str
    license: str
    citation: str

    def load(self, folder: Path, source: Path | None) -> ClassificationData:
        """Return the data as read-only memory maps; prepare them first from local files if need be.

        Raises :class:`DatasetUnavailable` if they are not prepared and there are no local files.
        """
        home = folder / self.name
        try:
            arrays = prepared.map_arrays(home, self._specs())
        except NotPrepared:
            self._prepare(home, self._local(home, source), _LOGGER.info)
            arrays = self._map(home)
        return ClassificationData(name=self.name, scale=self.scale, classes=self.classes, **arrays)

    def ensure(self, folder: Path, source: Path | None, log: Log, *, anew: bool = False) -> None:
        """Check the prepared arrays, checksums included; prepare them again if wrong, or ``anew``.

        Raises :class:`DatasetUnavailable` if the files can be neither found nor fetched.
        """
        home = folder / self.name
        try:
            prepared.verify(home, self._specs())
            if not anew:
                return
        except NotPrepared as reason:
            log(f"{self.name}: preparing ({reason})")
        places: list[Place] = [*self._local(home, source), *self.remote]
        self._prepare(home, places, log, anew=anew)

    def status(self, folder: Path, source: Path | None) -> DatasetStatus:
        """Describe the data set; reads file sizes and headers only."""
        where, size = self._find(folder / self.name, source)
        splits = {name[2:]: spec.shape[0] for name, spec in self._specs().items() if name[0] == "y"}
        return DatasetStatus(
            name=self.name,
            title=self.title,
            available=where is not None,
            where=str(where or ""),
            size=size,
            rows=sum(splits.values()),
            splits=splits,
            source=self.source,
            license=self.license,
            citation=self.citation,
            checksums={
                file.name: tuple(f"md5:{variant.md5}" for variant in file.variants)
                for file in self.files
            },
        )

    def _find(self, home: Path, source: Path | None) -> tuple[Path | None, int]:
        """Return the folder that :meth:`load` would read, and the bytes there."""
        try:
            return home, sum(a.nbytes for a in prepared.map_arrays(home, self._specs()).values())
        except NotPrepared:
            for place in self._local(home, source):
                sizes = [file.size_in(place.path) for file in self.files]
                if None not in sizes:
                    return place.path, sum(filter(None, sizes))
        return None, 0

    def _specs(self) -> dict[str, ArraySpec]:
        """Return the required arrays: ``x_*`` (images, pixels) and ``y_*`` (images,)."""
        (n, height, width), _, (n_test, *_), _ = (file.shape for file in self.files)
        counts = {"train": n - self.validation, "validation": self.validation, "test": n_test}
        x = {f"x_{k}": ArraySpec((rows, height * width), "uint8") for k, rows in counts.items()}
        y = {f"y_{k}": ArraySpec((rows,), "int64") for k, rows in counts.items()}
        return x | y

    def _local(self, home: Path, source: Path | None) -> list[LocalFolder]:
        folders = (*([source] if source else []), home, *self.system_folders)
        return [LocalFolder(path) for path in folders]

    def _prepare(
        self, home: Path, places: Sequence[Place], log: Log, *, anew: bool = False
    ) -> None:
        """Prepare the arrays under the lock; unless ``anew``, not if another process just did."""
        try:
            with locked(home / prepared.LOCK, log):
                if not anew and self._is_prepared(home):
                    return
                files = self._obtain(home, places, log)
                log(f"{self.name}: preparing arrays in {home}")
                prepared.write_arrays(home, self._read(files))
        except OSError as error:
            raise DatasetUnavailable(
                f"{self.name}: cannot prepare it in {home}: {error}; make room there, make the "
                "folder writable, or give another data folder"
            ) from error

    def _is_prepared(self, home: Path) -> bool:
        try:
            prepared.verify(home, self._specs())
        except NotPrepared:
            return False
        return True

    def _map(self, home: Path) -> dict[str, NDArray[Any]]:
        try:
            return prepared.map_arrays(home, self._specs())
        except NotPrepared as error:
            raise DatasetUnavailable(f"{self.name}: {error}, though just prepared") from error

    def _obtain(self, home: Path, places: Sequence[Place], log: Log) -> Path:
        """Return a folder with the four files, from the first place that has them."""
        tried = []
        for place in places:
            try:
                return place.obtain(self.files, home, log)
            except (Unobtainable, OSError) as error:
                log(f"{self.name}: not from {place.label}: {error}")
                tried.append(f"\n- {place.label}: {error}")
        names = ", ".join(file.name for file in self.files)
        raise DatasetUnavailable(
            f"{self.name}: its files were not found here and could not be downloaded. Tried:"
            f"{''.join(tried)}\nPut {names} into {home}, or into a folder that "
            f"ARGBEST_{self.name.upper()}_DIR names, and retry; docs/data.md has their sources."
        )

    def _read(self, folder: Path) -> dict[str, NDArray[Any]]:
        """Read the four files in ``folder`` and return the split arrays by name."""
        try:
            images, labels, test_images, test_labels = (
                read_idx(folder / file.name, file.shape) for file in self.files
            )
        except BadIdxFile as error:
            raise DatasetUnavailable(f"{self.name}: {error}; delete the file and retry") from error
        order = np.random.RandomState(_SPLIT_SEED).permutation(len(images))
        validation, train = order[: self.validation], order[self.validation :]
        x, y = images.reshape(len(images), -1), labels.astype(np.int64)
        return {
            "x_train": x[train],
            "y_train": y[train],
            "x_validation": x[validation],
            "y_validation": y[validation],
            "x_test": test_images.reshape(len(test_images), -1),
            "y_test": test_labels.astype(np.int64),
        }
