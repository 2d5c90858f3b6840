"""A folder is packed without what is no code, to the same bytes each time, under limits."""

from __future__ import annotations

import io
import os
import tarfile
import time
from pathlib import Path

import pytest

from search_spaces import is_digest
from service.code.archive import Limits
from service.code.pack import PackError, pack


def put(folder: Path, name: str, text: str = "") -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def names(folder: Path, **options: object) -> list[str]:
    archive = pack(folder, **options)  # type: ignore[arg-type]
    with tarfile.open(fileobj=io.BytesIO(archive.content)) as opened:
        return opened.getnames()


def test_the_same_files_give_the_same_digest(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        for name in ("z.py", "m/n.py", "a.py") if folder == "a" else ("a.py", "m/n.py", "z.py"):
            put(tmp_path / folder, name, name)
    os.utime(tmp_path / "a" / "z.py", (1.0, time.time()))
    one, two = pack(tmp_path / "a"), pack(tmp_path / "b")
    assert one == two
    assert is_digest(one.digest)
    assert (one.files, one.bytes) == (3, 14)
    assert names(tmp_path / "a") == ["a.py", "m/n.py", "z.py"]
    put(tmp_path / "b", "z.py", "other")
    assert pack(tmp_path / "b").digest != one.digest


def test_the_run_bit_counts_and_other_bits_do_not(tmp_path: Path) -> None:
    put(tmp_path, "run.sh", "#!/bin/sh\n")
    (tmp_path / "run.sh").chmod(0o600)
    first = pack(tmp_path)
    (tmp_path / "run.sh").chmod(0o664)
    assert pack(tmp_path) == first
    (tmp_path / "run.sh").chmod(0o700)
    assert pack(tmp_path).digest != first.digest


def test_what_is_no_code_is_left_out(tmp_path: Path) -> None:
    kept = ["train.py", "lib/model.py"]
    dropped = [
        ".git/config", "lib/__pycache__/model.cpython-311.pyc", ".venv/bin/python", "old.pyc",
        "env/pyvenv.cfg", "env/lib/x.py", "node_modules/x.js", "lib/.git", "data/argbest.db",
    ]  # fmt: skip
    for name in (*kept, *dropped):
        put(tmp_path, name)
    assert names(tmp_path, left_out=[tmp_path / "data"]) == sorted(kept)


def test_gitignore_counts_as_in_git_and_argbestignore_goes_first(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    put(tmp_path, ".gitignore", "*.csv\n!small.csv\n/build/\nnotes.txt\n")
    put(tmp_path, "project/.gitignore", "*.log\n")
    put(tmp_path, "project/.argbestignore", "!notes.txt\nplots/\n")
    put(tmp_path, "project/deep/.gitignore", "!kept.log\n")
    for name in ("train.py", "big.csv", "small.csv", "notes.txt", "a.log", "deep/kept.log",
                 "deep/b.log", "plots/p.py", "build/kept.py"):  # fmt: skip
        put(tmp_path, f"project/{name}")
    assert names(tmp_path / "project") == [
        ".argbestignore", ".gitignore", "build/kept.py", "deep/.gitignore", "deep/kept.log",
        "notes.txt", "small.csv", "train.py",
    ]  # fmt: skip


def test_rules_above_a_folder_count_only_in_a_repository(tmp_path: Path) -> None:
    put(tmp_path, ".gitignore", "*.py\n")
    put(tmp_path, "project/train.py")
    assert names(tmp_path / "project") == ["train.py"]


def test_links_to_files_inside_become_files_and_others_are_named(tmp_path: Path) -> None:
    put(tmp_path, "project/real.py", "x = 1\n")
    put(tmp_path, "secret", "key")
    project = tmp_path / "project"
    (project / "inside.py").symlink_to("real.py")
    (project / "outside").symlink_to(tmp_path / "secret")
    (project / "above").symlink_to("..")
    (project / "broken").symlink_to("nowhere")
    (project / "loop").symlink_to("loop")
    os.mkfifo(project / "pipe")
    archive = pack(project)
    assert archive.left_out == ("above", "broken", "loop", "outside", "pipe")
    with tarfile.open(fileobj=io.BytesIO(archive.content)) as opened:
        assert opened.getnames() == ["inside.py", "real.py"]
        assert all(member.isreg() for member in opened)


def test_a_folder_that_is_too_large_names_its_largest_files(tmp_path: Path) -> None:
    put(tmp_path, "train.py", "x")
    (tmp_path / "weights.bin").write_bytes(os.urandom(3_000_000))
    with pytest.raises(PackError, match=r"weights\.bin \(3\.0 MB\).*\.argbestignore") as unpacked:
        pack(tmp_path, limits=Limits(unpacked=2_000_000))
    assert "its files have 3.0 MB, at most 2.0 MB" in str(unpacked.value)
    with pytest.raises(PackError, match=r"packed, it has 3\.0 MB, at most 1\.0 MB"):
        pack(tmp_path, limits=Limits(packed=1_000_000))
    put(tmp_path, ".argbestignore", "*.bin\n")
    assert pack(tmp_path, limits=Limits(packed=1_000_000)).files == 2


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "holds no file"),
        (["Train.py", "train.py"], "differ only in case"),
        (["a\nb.py"], "rename it"),
        ([f"{number}.py" for number in range(9)], "9 files, at most 5"),
    ],
)
def test_a_folder_that_the_service_would_refuse_is_not_sent(
    names: list[str], message: str, tmp_path: Path
) -> None:
    for name in names:
        put(tmp_path, name)
    with pytest.raises(PackError, match=message):
        pack(tmp_path, limits=Limits(entries=5))


def test_a_folder_or_a_pattern_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="is not a folder"):
        pack(tmp_path / "none")
    put(tmp_path, "train.py")
    put(tmp_path, ".gitignore", "!\n")
    with pytest.raises(PackError, match=r"\.gitignore holds a pattern"):
        pack(tmp_path)


def test_folders_that_are_nested_too_deep_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    put(folder, "train.py")
    deepest = folder
    for _ in range(60):
        deepest = deepest / "d"
        deepest.mkdir()
    assert names(folder) == ["train.py"]
    (deepest / "x.py").touch()
    with pytest.raises(PackError, match=r"d/d.* lies in more than 50 folders; move it up"):
        pack(folder)
