"""The folders of segments go with them; those of killed processes are removed by later segments."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from service.engine.segment_folders import PREFIX, segment_folder


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def nothing(text: str) -> None:
    raise AssertionError(text)


def left(temporary: Path, name: str, *, modified: float = 1.0) -> Path:
    """A folder as a killed process leaves it."""
    folder = temporary / name
    (folder / "program" / "code").mkdir(parents=True)
    (folder / "program" / "code" / "train.py").touch()
    os.utime(folder, (modified, modified))
    return folder


def test_a_folder_goes_at_the_end_of_its_segment(temporary: Path) -> None:
    with segment_folder(nothing) as folder:
        (folder / "resume.npz").touch()
        assert folder.parent == temporary
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_has_left_is_removed(temporary: Path) -> None:
    dead = left(temporary, f"{PREFIX}dead")
    with segment_folder(nothing):
        assert not dead.exists()


def test_a_folder_that_is_held_stays(temporary: Path) -> None:
    with segment_folder(nothing) as held:
        os.utime(held, (1.0, 1.0))
        with segment_folder(nothing) as other:
            assert held.exists()
            assert other != held


def test_others_are_left_alone(temporary: Path) -> None:
    new = left(temporary, f"{PREFIX}new", modified=4e9)
    mine = left(temporary, "mine")
    (temporary / f"{PREFIX}link").symlink_to(mine)
    (temporary / f"{PREFIX}file").touch()
    with segment_folder(nothing) as folder:
        pass
    names = {path.name for path in temporary.iterdir()}
    assert names == {new.name, "mine", f"{PREFIX}link", f"{PREFIX}file"}
    assert (mine / "program" / "code" / "train.py").exists()
    assert not folder.exists()
