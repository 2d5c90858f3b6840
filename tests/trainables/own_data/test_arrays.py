"""Arrays are loaded only after their headers were checked; nothing is unpickled."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trainables.own_data.files import made, npz, problems

X, Y = np.random.RandomState(0).randn(30, 3), np.arange(30) % 2


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def npy(shape: str, content: bytes = b"", descr: str = "'<f8'") -> bytes:
    """Return an array's file with a header that may lie."""
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content


def lying(shape: str) -> bytes:
    """Return a file whose x has another size than its header says."""
    return zipped({"x.npy": npy(shape, b"\0" * 1000), "y.npy": npy("(2,)", b"\0" * 16)})


def arrays(**values: Any) -> bytes:
    return npz(**({"x": X, "y": Y} | values))


BAD = {
    "objects": (arrays(y=np.array([{}, []] * 15, dtype=object)), "object_array"),
    "objects in x": (arrays(x=np.full((30, 2), None)), "object_array"),
    "fields": (arrays(x=np.zeros((30, 2), dtype=[("a", "f8")])), "wrong_type"),
    "complex": (arrays(x=X.astype(complex)), "wrong_type"),
    "bomb": (lying("(1000000, 1000)"), "bad_file"),
    "huge, honest": (arrays(x=np.zeros((30, 10_001), np.uint8)), "wrong_shape"),
    "negative": (lying("(-1, 3)"), "bad_file"),
    "code in the header": (lying("(__import__('os'),)"), "bad_file"),
    "endless header": (lying("(2," + " " * 20_000 + ")"), "bad_file"),
    "no array": (zipped({"xl/workbook.xml": b"<xml/>"}), "bad_file"),
    "many members": (zipped({f"{i}.npy": b"" for i in range(101)}), "too_many"),
    "cut short": (arrays()[:-200], "bad_file"),
    "damaged": (arrays().replace(X.tobytes()[:80], b"\1" * 80), "bad_file"),
    "no y": (npz(x=X), "unknown_column"),
    "only x_train": (npz(x_train=X, y_train=Y), "missing"),
    "no x": (npz(a=X, y=Y), "missing"),
    "flat x": (arrays(x=X[:, 0]), "wrong_shape"),
    "matrix y": (arrays(y=X), "wrong_shape"),
    "other lengths": (arrays(y=Y[:20]), "wrong_shape"),
    "no rows": (arrays(x=X[:0], y=Y[:0]), "wrong_shape"),
    "two rows": (arrays(x=X[:2], y=Y[:2]), "too_few_rows"),
    "infinite": (arrays(x=np.full((30, 2), np.inf)), "number_range"),
    "other widths": (npz(x_train=X, y_train=Y, x_test=X[:, :2], y_test=Y), "wrong_shape"),
    "other dtypes": (npz(x_train=X, y_train=Y, x_test=X.astype(int), y_test=Y), "wrong_type"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_arrays_are_named(tmp_path: Path, name: str) -> None:
    content, code = BAD[name]
    assert problems(tmp_path, content)[0].code == code


def test_options_of_tables_are_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, arrays(), types={"x": "number"})[0].pointer == "/query/types"
    parts = npz(x_train=X, y_train=Y, x_test=X, y_test=Y)
    assert problems(tmp_path, parts, split=(0.5, 0.25, 0.25))[0].pointer == "/query/split"


def test_compressed_arrays_are_read(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.savez_compressed(file, x=X, y=Y)
    assert made(tmp_path, file.getvalue()).prepared.x.shape == (30, 3)
