"""The IDX parser, on whole and on damaged files."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trainables.image_files import idx_bytes
from trainables.datasets.idx import BadIdxFile, read_idx

ARRAY = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "array.gz"


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content))
    return path


def test_reads_a_file_written_by_hand(path: Path) -> None:
    write(path, b"\0\0\x08\x02" + b"\0\0\0\x02" + b"\0\0\0\x03" + b"abcdef")
    assert read_idx(path, (2, 3)).tolist() == [[97, 98, 99], [100, 101, 102]]


def test_array_is_read_only_unsigned_bytes(path: Path) -> None:
    array = read_idx(write(path, idx_bytes(ARRAY)), ARRAY.shape)
    assert array.dtype == np.uint8
    assert not array.flags.writeable
    np.testing.assert_array_equal(array, ARRAY)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "header , expected 00000803000000040000000200000003"),
        (b"\0\0\x08", "header 000008, expected 00000803"),
        (b"\0\0\x0d\x03" + idx_bytes(ARRAY)[4:], "header 00000d03"),  # float32 elements
        (b"\0\0\x08\x01" + idx_bytes(ARRAY)[4:], "header 00000801"),
        (idx_bytes(ARRAY)[:10], "header 00000803000000040000, expected"),
        (idx_bytes(ARRAY[:3]), r"header 0000080300000003.* for shape \(4, 2, 3\)"),
        (idx_bytes(ARRAY)[:-1], "only 39 bytes where the header promises 40"),
        (idx_bytes(ARRAY) + b"x", "more bytes where the header promises 40"),
        (
            b"\0\0\x08\x03" + struct.pack(">3I", 2**32 - 1, 2**32 - 1, 2**32 - 1),
            "header 00000803ffffffffffffffffffffffff",
        ),
    ],
)
def test_refuses_damaged_content(path: Path, content: bytes, message: str) -> None:
    with pytest.raises(BadIdxFile, match=message) as caught:
        read_idx(write(path, content), ARRAY.shape)
    assert str(path) in str(caught.value)


def test_stops_unpacking_a_file_that_goes_on(path: Path) -> None:
    write(path, idx_bytes(ARRAY) + bytes(1 << 26))
    with pytest.raises(BadIdxFile, match="more bytes"):
        read_idx(path, ARRAY.shape)


@pytest.mark.parametrize("keep", [0, 5, 12, -9, -1])
def test_refuses_a_truncated_archive(path: Path, keep: int) -> None:
    content = gzip.compress(idx_bytes(ARRAY))
    path.write_bytes(content[:keep])
    with pytest.raises(BadIdxFile):
        read_idx(path, ARRAY.shape)


def test_refuses_what_is_not_gzip(path: Path) -> None:
    path.write_bytes(idx_bytes(ARRAY))
    with pytest.raises(BadIdxFile, match="damaged gzip data"):
        read_idx(path, ARRAY.shape)


def test_missing_file_is_an_os_error(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_idx(path, ARRAY.shape)


@given(position=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_a_changed_byte_never_gives_another_array(
    tmp_path_factory: pytest.TempPathFactory, position: int, flip: int
) -> None:
    content = bytearray(gzip.compress(idx_bytes(ARRAY), mtime=0))
    content[position % len(content)] ^= flip
    path = tmp_path_factory.getbasetemp() / "changed.gz"
    path.write_bytes(content)
    try:
        array = read_idx(path, ARRAY.shape)
    except BadIdxFile:
        return
    np.testing.assert_array_equal(array, ARRAY)
