"""``argbest.report``, in and outside of a trial."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import argbest
from argbest import report

FOLDER = Path(argbest.__file__).parent


def test_outside_of_a_trial_it_prints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ARGBEST_REPORT", raising=False)
    report({"a/b": 1, "c": {"d": np.float32(0.5)}}, e=np.int64(3), epoch=np.int64(2))
    report(loss=float("nan"))
    assert capsys.readouterr().out == (
        '{"epoch": 2, "a/b": 1, "c": {"d": 0.5}, "e": 3.0}\n{"loss": NaN}\n'
    )


@pytest.mark.parametrize("value", ["0.5", True, None, [1], b"x"])
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match=r"report: loss is .*must be a number"):
        report(loss=value)


def test_in_a_trial_it_writes_to_the_pipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR)
    monkeypatch.setenv("ARGBEST_REPORT", str(pipe))
    report(loss=0.5)
    assert os.read(reader, 100) == b'{"loss": 0.5}\n'
    os.close(reader)
    monkeypatch.setenv("ARGBEST_REPORT", str(tmp_path / "gone"))
    report(loss=0.5)
    assert capsys.readouterr().out == '{"loss": 0.5}\n'


@pytest.mark.parametrize("name", ["__init__.py", "reporting.py"])
def test_it_is_python_3_8_without_dependencies(name: str) -> None:
    tree = ast.parse((FOLDER / name).read_text(encoding="utf-8"), feature_version=(3, 8))
    modules = {
        alias.name.partition(".")[0] if isinstance(node, ast.Import) else node.module or ""
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert modules <= {"__future__", "importlib", "typing", *sys.stdlib_module_names}


def test_it_runs_alone_on_the_path(tmp_path: Path) -> None:
    """Without site-packages, as in an environment of its own that a program may have."""
    (tmp_path / "argbest").symlink_to(FOLDER)
    done = subprocess.run(
        [sys.executable, "-S", "-c", "from argbest import report; report(a=1, epoch=1)"],
        env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ('{"epoch": 1, "a": 1}\n', "")
