"""Users' data sets as files: one in the storage, named by its content, unpacked once on each node.

The file is written and read by :mod:`trainables.state_files`, so it holds no pickle and each size
is checked. On a node it becomes plain arrays, which all trials map
(:mod:`trainables.datasets.prepared`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trainables import state_files
from trainables.contract import DatasetUnavailable
from trainables.datasets import prepared
from trainables.datasets.prepared import ArraySpec, NotPrepared
from trainables.datasets.types import SPLITS, ClassificationData, Data, RegressionData
from trainables.files import locked, replace, sha256_of
from trainables.own_data.problems import MAX_NUMBERS
from trainables.state_files import StateError

_ABOUT = "about.json"
#: The largest numbers of a data set that may be, and the rest of its file.
_MAX_BYTES = 16 * MAX_NUMBERS + 64 * 2**20


def write(path: Path, content: Mapping[str, Any]) -> str:
    """Write a data set's content to a file; return its SHA-256, which names the content."""
    state_files.write(path, content)
    return sha256_of(path)


def folder_of(datasets_dir: Path, digest: str) -> Path:
    """Return the folder of a data set's arrays on this node; it need not exist."""
    return datasets_dir / "own" / digest


def is_unpacked(folder: Path) -> bool:
    """Whether a node has the arrays, with the right sizes."""
    try:
        prepared.map_arrays(folder, _specs(_about(folder)))
    except NotPrepared:
        return False
    return True


def unpack(path: Path, folder: Path, digest: str) -> None:
    """Check the file and write its arrays into ``folder``; another process may do the same.

    Raises :class:`~trainables.contract.DatasetUnavailable` where the content is not that of the
    digest or the folder cannot be written.
    """
    try:
        if sha256_of(path) != digest:
            raise StateError("its SHA-256 is another")
        content = state_files.read(path, max_bytes=_MAX_BYTES)
        arrays = {name: content.pop(name) for name in _names()}
        about = {**content, "shapes": {name: _spec_of(array) for name, array in arrays.items()}}
        with locked(folder / prepared.LOCK):
            if is_unpacked(folder):
                return
            text = json.dumps(about)
            replace(folder / _ABOUT, lambda part: part.write_text(text, encoding="utf-8"))
            prepared.write_arrays(folder, arrays)
    except (StateError, OSError, LookupError) as error:
        hint = "make room there, or add the data set again"
        message = f"the data set {digest[:12]} cannot be prepared in {folder}: {error}; {hint}"
        raise DatasetUnavailable(message) from error


def load(folder: Path, name: str) -> Data:
    """Return the data in a folder that :func:`unpack` wrote, as read-only memory maps.

    Raises :class:`~trainables.contract.DatasetUnavailable` where they are not there.
    """
    try:
        about = _about(folder)
        arrays = prepared.map_arrays(folder, _specs(about))
    except NotPrepared as error:
        raise DatasetUnavailable(f"{name}: {error}") from error
    if about["kind"] == "regression":
        return RegressionData(name=name, y_scale=about["y_scale"], **arrays)
    classes = tuple(about["classes"])
    return ClassificationData(name=name, scale=about["scale"], classes=classes, **arrays)


def _names() -> list[str]:
    return [f"{part}_{split}" for split in SPLITS for part in "xy"]


def _spec_of(array: np.ndarray[Any, Any]) -> tuple[list[int], str]:
    return list(array.shape), str(array.dtype)


def _specs(about: Mapping[str, Any]) -> dict[str, ArraySpec]:
    return {
        name: ArraySpec(tuple(shape), dtype) for name, (shape, dtype) in about["shapes"].items()
    }


def _about(folder: Path) -> dict[str, Any]:
    path = folder / _ABOUT
    try:
        about = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise NotPrepared(f"{path}: cannot be read ({error})") from error
    if not isinstance(about, dict) or about.get("shapes", {}).keys() != {*_names()}:
        raise NotPrepared(f"{path}: is not about a data set")
    return about
