"""Where code came from is said as far as it is known."""

from __future__ import annotations

import json
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from service.code.source import read_source


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_commit_and_whether_the_folder_differs_from_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "project").mkdir()
    train = tmp_path / "project" / "train.py"
    train.write_text("print(1)\n", encoding="utf-8")
    assert read_source(train.parent)["commit"] is None  # nothing is committed yet
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "First")
    found = read_source(train.parent)
    assert (found["commit"], found["dirty"]) == (git(tmp_path, "rev-parse", "HEAD"), False)
    (tmp_path / "elsewhere.txt").write_text("no code of ours", encoding="utf-8")
    assert read_source(train.parent)["dirty"] is False
    train.write_text("print(2)\n", encoding="utf-8")
    assert read_source(train.parent)["dirty"] is True


def test_a_folder_outside_a_repository_has_the_rest(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        'import numpy.linalg, yaml\nfrom sklearn import nothing\nfrom . import a\n"\\d"\n',
        encoding="utf-8",
    )
    (tmp_path / "broken.py").write_text("import click (", encoding="utf-8")
    (tmp_path / "deep.py").write_text("-" * 100_000 + "1", encoding="utf-8")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "old.py").write_text("import torch", encoding="utf-8")
    found = read_source(tmp_path)
    assert (found["commit"], found["dirty"]) == (None, None)
    assert found["folder"] == tmp_path.name
    assert found["python"] == platform.python_version()
    assert platform.node() in found["machine"]
    packages = found["packages"]
    assert packages["numpy"] == version("numpy")
    assert packages["PyYAML"] == version("pyyaml")
    assert set(packages) <= {"numpy", "PyYAML", "scikit-learn"}
    assert json.loads(json.dumps(found)) == found
