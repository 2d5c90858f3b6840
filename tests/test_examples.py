"""Each program in examples/, and the one in the guide, runs through `argbest try`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from search_spaces.yaml_files import load_yaml

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/search.yaml"))
#: The program's own metric in the last report.
LAST = {
    "function": "epoch 10: mse=", "gradient_boosting": "epoch 10: val_rmse=",
    "key_value": "epoch 4: val/loss=", "notebook_cell": "epoch 1: validation mse=",
    "pytorch": "epoch 5: ", "scikit_learn": "epoch 1: accuracy=", "shell_script": "epoch 8: error=",
}  # fmt: skip


def argbest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in which `python` is the interpreter of these tests."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", "service.cli", *arguments],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": path},
        capture_output=True, text=True, timeout=250, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("folder", EXAMPLES, ids=[path.name for path in EXAMPLES])
def test_an_example_runs(folder: Path) -> None:
    done = argbest(ROOT, "try", str(folder / "search.yaml"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(LAST[folder.name])
    assert "Hint" not in done.stderr


def test_every_example_is_here_and_in_the_page() -> None:
    page = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in EXAMPLES} == {*LAST}
    assert [name for name in LAST if f"[{name}/]({name}/search.yaml)" not in page] == []


def test_the_program_in_the_guide_is_drafted_and_tried(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    section = guide.partition("## Your own program in five minutes")[2].partition("\n## ")[0]
    program, search = re.findall(r"```(?:python|yaml)\n(.*?)```", section, re.DOTALL)
    (tmp_path / "train.py").write_text(program)
    assert argbest(tmp_path, "init", "train.py").returncode == 0
    assert load_yaml((tmp_path / "search.yaml").read_text()).value == load_yaml(search).value
    done = argbest(tmp_path, "try", "search.yaml")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("epoch 5: val_loss=")
