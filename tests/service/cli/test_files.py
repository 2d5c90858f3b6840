"""Files are written whole or not at all, under names that every system takes."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from service.cli.files import check_writable, file_names, make_folder, write_atomically


def test_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    path.write_text("old", encoding="utf-8")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert [found.name for found in tmp_path.iterdir()] == ["report.md"]


def test_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "report.md", tmp_path / "link.md"
    target.write_text("old", encoding="utf-8")
    link.symlink_to(target)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("path", [".", "missing/report.pdf", "file/report.pdf"])
def test_path_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(click.UsageError, match="cannot write"):
        check_writable(tmp_path / path)
    with pytest.raises(click.UsageError, match="cannot write"):
        write_atomically(tmp_path / path, b"")
    check_writable(tmp_path / "report.pdf")


def test_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_names_get_files_of_their_own() -> None:
    assert file_names(["loss", "val/loss", "val loss", "Loss", "", "..", "loss_2"]) == {
        "loss": "loss",
        "val/loss": "val_loss",
        "val loss": "val_loss_2",
        "Loss": "Loss_2",
        "": "_",
        "..": "__2",
        "loss_2": "loss_2_2",
    }
