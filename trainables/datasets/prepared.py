"""Arrays prepared once per node: plain .npy files with a manifest, mapped read-only by every trial.

All processes that map a file share its memory, so any number of trials on a node hold the pixels
once. The manifest is written last and has each file's size and checksum, so that arrays which are
half written, truncated or altered are recognized and made again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainables.files import replace, sha256_of

MANIFEST = "manifest.json"
#: The file to lock while :func:`write_arrays` runs.
LOCK = ".lock"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """The shape and dtype (as numpy spells it, for example ``"uint8"``) that an array must have."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file's size in bytes and its SHA-256 in hexadecimal, as in the manifest."""

    size: int
    sha256: str


class NotPrepared(Exception):
    """The folder lacks arrays or holds damaged ones; the message says which."""


def write_arrays(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write each array to ``folder/<name>.npy`` and then the manifest; hold the lock meanwhile.

    Every file is replaced in one step, so existing maps keep the old content. Raises ``OSError``.
    """
    (folder / MANIFEST).unlink(missing_ok=True)
    files = {}
    for name, array in arrays.items():
        path = folder / f"{name}.npy"
        replace(path, partial(_save, array=array))
        files[path.name] = asdict(_Entry(path.stat().st_size, sha256_of(path)))
    text = json.dumps({"format": _FORMAT, "files": files}, indent=2)
    replace(folder / MANIFEST, lambda part: part.write_text(text, encoding="utf-8"))


def map_arrays(folder: Path, specs: Mapping[str, ArraySpec]) -> dict[str, NDArray[Any]]:
    """Return the arrays by name, as read-only memory maps; raise :class:`NotPrepared`.

    Checks sizes, shapes and dtypes but reads no elements; :func:`verify` checks those too.
    """
    entries = _read_manifest(folder)
    return {name: _map(folder / f"{name}.npy", spec, entries) for name, spec in specs.items()}


def verify(folder: Path, specs: Mapping[str, ArraySpec]) -> None:
    """Check the arrays as :func:`map_arrays` does, and their checksums.

    Raises :class:`NotPrepared`.
    """
    map_arrays(folder, specs)
    entries = _read_manifest(folder)
    try:
        digests = {name: sha256_of(folder / name) for name in entries}
    except OSError as error:
        raise NotPrepared(f"{folder}: cannot be read ({error})") from error
    for name, digest in digests.items():
        if digest != entries[name].sha256:
            raise NotPrepared(f"{folder / name}: its sha256 is not the one in {MANIFEST}")


def _save(path: Path, array: NDArray[Any]) -> None:
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def _read_manifest(folder: Path) -> dict[str, _Entry]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
        if manifest["format"] != _FORMAT:
            raise NotPrepared(f"{path}: format {manifest['format']}, expected {_FORMAT}")
        return {name: _Entry(**entry) for name, entry in manifest["files"].items()}
    except OSError as error:
        raise NotPrepared(f"{path}: {error.strerror}") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise NotPrepared(f"{path}: not a manifest ({error!r})") from error


def _map(path: Path, spec: ArraySpec, entries: Mapping[str, _Entry]) -> NDArray[Any]:
    try:
        size, expected = path.stat().st_size, entries[path.name].size
        if size != expected:
            raise NotPrepared(f"{path}: {size} bytes, expected {expected}")
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, LookupError) as error:
        raise NotPrepared(f"{path}: cannot be mapped ({error!r})") from error
    if array.shape != spec.shape or array.dtype != spec.dtype or not array.flags.c_contiguous:
        raise NotPrepared(
            f"{path}: {array.dtype} {array.shape}, expected {spec.dtype} {spec.shape} in C order"
        )
    return array
