"""A folder of checkpoints becomes an array, and comes back."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from trainables.checkpoint_folders import is_empty, pack, unpack
from trainables.program_errors import CheckpointRefused


def test_files_folders_and_links_come_back(tmp_path: Path) -> None:
    folder, other = tmp_path / "a", tmp_path / "b"
    (folder / "deep" / "er").mkdir(parents=True)
    other.mkdir()
    (folder / "deep" / "é").write_bytes(b"\0" * 10_000)
    (folder / "run").write_text("x")
    (folder / "run").chmod(0o750)
    (folder / "latest").symlink_to("deep/é")
    archive = pack(folder, 2**20)
    assert archive.dtype == np.uint8
    unpack(archive, other)
    assert (other / "latest").read_bytes() == b"\0" * 10_000
    assert (other / "deep" / "er").is_dir()
    assert (other / "run").stat().st_mode & 0o777 == 0o750


def test_is_empty(tmp_path: Path) -> None:
    assert is_empty(tmp_path)
    assert is_empty(tmp_path / "missing")
    (tmp_path / "file").touch()
    assert not is_empty(tmp_path)


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).touch()
    assert pack(tmp_path, 2**20, 3).size > 0
    with pytest.raises(CheckpointRefused, match="or 2 files with"):
        pack(tmp_path, 2**20, 2)


def test_a_folder_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointRefused, match="cannot be read"):
        pack(tmp_path / "missing", 2**20)


def test_an_archive_that_leads_out_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../out"), io.BytesIO())
    with pytest.raises(CheckpointRefused, match="cannot be unpacked"):
        unpack(np.frombuffer(stream.getvalue(), np.uint8), tmp_path)
    with pytest.raises(CheckpointRefused, match="cannot be unpacked"):
        unpack(np.zeros(1000, np.uint8) + 7, tmp_path)
