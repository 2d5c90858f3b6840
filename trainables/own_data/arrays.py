"""Reads a user's arrays from an NPZ file, each header checked before an element is read."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from search_spaces import Problem, pointer_to
from search_spaces.errors import did_you_mean
from trainables.datasets.types import SPLITS
from trainables.own_data.problems import (
    MAX_FEATURES,
    MAX_NUMBERS,
    MAX_ROWS,
    BadData,
    bad,
    shown,
)

_MOST_MEMBERS = 100
_HEADER_BYTES = 10_000
_KINDS = "?biuf"
_DAMAGE = (BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError,
           LookupError, TypeError, SyntaxError)  # fmt: skip
_LAYOUT = (
    "name the arrays x (rows, features) and y (rows,), or x_train, y_train, x_validation, "
    "y_validation, x_test and y_test: numpy.savez_compressed('data.npz', x=x, y=y)"
)

Parts = Mapping[str, tuple[NDArray[Any], NDArray[Any]]]


def read_npz(path: Path, target: str) -> Parts:
    """Return features (rows, features) and targets (rows,) of each part; "" where there are none.

    ``target`` is the name of the targets' array. Images (rows, height, width) become rows of
    pixels. Raises :class:`~trainables.own_data.problems.BadData`; no pickle is ever loaded.
    """
    try:
        with ZipFile(path) as archive:
            members = _members(archive)
            parts = _parts(members, target or "y")
            sizes = {
                name: _header(archive, members[name]) for pair in parts.values() for name in pair
            }
            _check_sizes(sizes)
            return {
                split: (_read(archive, members[x], 2), _read(archive, members[y], 1))
                for split, (x, y) in parts.items()
            }
    except BadData:
        raise
    except _DAMAGE as error:
        detail = f"the NPZ file cannot be read: {' '.join(str(error).split())[:200]}"
        raise bad("", detail, "bad_file", _LAYOUT) from error


def _members(archive: ZipFile) -> dict[str, ZipInfo]:
    infos = archive.infolist()
    if len(infos) > _MOST_MEMBERS:
        detail = f"the archive has {len(infos):,} members, more than {_MOST_MEMBERS}"
        raise bad("", detail, "too_many", _LAYOUT)
    members = {i.filename.removesuffix(".npy"): i for i in infos if i.filename.endswith(".npy")}
    if not members or len(members) < len(infos):
        detail = "the file is a zip archive, but not one of arrays (NPZ)"
        hint = f"from a spreadsheet, export CSV; of arrays, {_LAYOUT}"
        raise bad("", detail, "bad_file", hint)
    return members


def _parts(members: Mapping[str, ZipInfo], target: str) -> dict[str, tuple[str, str]]:
    """Return the names of features and targets of each part."""
    if "x" in members:
        if target not in members:
            pointer, hint = "/query/target", did_you_mean(target, sorted(members))
            raise bad(pointer, f"there is no array {shown(target)}", "unknown_column", hint)
        return {"": ("x", target)}
    parts = {s: (f"x_{s}", f"{target}_{s}") for s in SPLITS if f"x_{s}" in members}
    lost = [name for pair in parts.values() for name in pair if name not in members]
    if "train" not in parts or len(parts) < 2 or lost:
        absent = ", ".join(lost) or "x, or x_train and x_validation or x_test"
        raise bad("", f"there is no array {absent}", "missing", _LAYOUT)
    return parts


def _header(archive: ZipFile, info: ZipInfo) -> tuple[tuple[int, ...], int]:
    """Return an array's shape and its bytes, as its header says and its member confirms."""
    name = info.filename.removesuffix(".npy")
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        reader = {(1, 0): np.lib.format.read_array_header_1_0,
                  (2, 0): np.lib.format.read_array_header_2_0}[version]  # fmt: skip
        shape, _, dtype = reader(file, max_header_size=_HEADER_BYTES)
        start = file.tell()
    if dtype.hasobject:
        detail = f"array {shown(name)} holds Python objects, which are not loaded"
        raise bad("", detail, "object_array", "save arrays of numbers, or of text for classes")
    size = math.prod(shape) * dtype.itemsize
    if any(length < 0 for length in shape) or start + size != info.file_size:
        detail = f"array {shown(name)} has another size than its header says"
        raise bad("", detail, "bad_file", "save the file again")
    if dtype.kind not in _KINDS + "U" or dtype.names:
        detail = f"array {shown(name)} is of dtype {str(dtype)[:50]}"
        raise bad("", detail, "wrong_type", "save numbers, or text (dtype U) for classes")
    return shape, size


def _check_sizes(sizes: Mapping[str, tuple[tuple[int, ...], int]]) -> None:
    problems = list(_size_problems(sizes))
    if problems:
        raise BadData(problems)


def _size_problems(sizes: Mapping[str, tuple[tuple[int, ...], int]]) -> Iterator[Problem]:
    numbers = 0
    widths = set()
    for name, (shape, size) in sizes.items():
        pointer = pointer_to("arrays", name)
        features = math.prod(shape[1:])
        if name.startswith("x"):
            widths.add(features)
            numbers += math.prod(shape)
            if len(shape) < 2 or not 1 <= features <= MAX_FEATURES or not 1 <= shape[0] <= MAX_ROWS:
                detail = f"{name} has the shape {shape}"
                hint = f"it must be (rows, features), with at most {MAX_FEATURES:,} features"
                yield Problem(pointer, detail, "wrong_shape", hint)
        elif len(shape) != 1 or size > 8 * MAX_NUMBERS:
            detail = f"{name} has the shape {shape}"
            yield Problem(pointer, detail, "wrong_shape", "it must be (rows,)")
    if numbers > MAX_NUMBERS:
        detail = f"there are {numbers:,} numbers, more than {MAX_NUMBERS:,}"
        yield Problem("", detail, "too_large", "send fewer rows or features")
    if len(widths) > 1:
        detail = f"the parts have {', '.join(map(str, sorted(widths)))} features"
        yield Problem("", detail, "wrong_shape", "give all parts the same features")


def _read(archive: ZipFile, info: ZipInfo, dimensions: int) -> NDArray[Any]:
    with archive.open(info) as file:
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        file.read(1)  # at the end of the member its checksum is compared
    return np.ascontiguousarray(array).reshape(len(array), -1) if dimensions == 2 else array
