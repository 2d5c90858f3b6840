"""Prepared arrays: written, mapped and verified (their repair is in test_images.py)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainables.datasets.prepared import (
    MANIFEST,
    ArraySpec,
    NotPrepared,
    map_arrays,
    verify,
    write_arrays,
)

ARRAYS = {"x": np.arange(6, dtype=np.uint8).reshape(2, 3), "y": np.array([1, 2])}
SPECS = {"x": ArraySpec((2, 3), "uint8"), "y": ArraySpec((2,), "int64")}


def test_arrays_are_mapped_as_they_were_written(tmp_path: Path) -> None:
    write_arrays(tmp_path, ARRAYS)
    verify(tmp_path, SPECS)
    found = map_arrays(tmp_path, SPECS)
    assert {name: array.tolist() for name, array in found.items()} == {
        name: array.tolist() for name, array in ARRAYS.items()
    }
    assert all(isinstance(array, np.memmap) for array in found.values())
    assert sorted(path.name for path in tmp_path.iterdir()) == [MANIFEST, "x.npy", "y.npy"]


@pytest.mark.parametrize("spec", [ArraySpec((3, 2), "uint8"), ArraySpec((2, 3), "int8")])
def test_another_shape_or_dtype_is_refused(tmp_path: Path, spec: ArraySpec) -> None:
    write_arrays(tmp_path, ARRAYS)
    with pytest.raises(NotPrepared, match=r"x\.npy: uint8 \(2, 3\), expected "):
        map_arrays(tmp_path, {"x": spec})


def test_only_verify_reads_the_elements(tmp_path: Path) -> None:
    write_arrays(tmp_path, ARRAYS)
    path = tmp_path / "x.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    map_arrays(tmp_path, SPECS)
    with pytest.raises(NotPrepared, match=r"x\.npy: its sha256 is not the one in manifest\.json"):
        verify(tmp_path, SPECS)


def test_an_empty_folder_is_not_prepared(tmp_path: Path) -> None:
    with pytest.raises(NotPrepared, match=r"manifest\.json: No such file"):
        map_arrays(tmp_path, SPECS)
