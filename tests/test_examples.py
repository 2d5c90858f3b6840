"""Each program in examples/, and the one in the guide, runs through `argbest try`."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from search_spaces.yaml_files import load_yaml
from service.cli import main
from tests.service.cli.tries import Tries, try_it

__all__ = ["try_it"]  # a fixture

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/search.yaml"))
#: The program's own metric in the last report.
LAST = {
    "function": "epoch 10: mse=", "gradient_boosting": "epoch 10: val_rmse=",
    "key_value": "epoch 4: val/loss=", "notebook_cell": "epoch 1: validation mse=",
    "pytorch": "epoch 5: ", "scikit_learn": "epoch 1: accuracy=", "shell_script": "epoch 8: error=",
}  # fmt: skip


@pytest.fixture(autouse=True)
def python_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `python` be the interpreter of these tests."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)


@pytest.mark.parametrize("folder", EXAMPLES, ids=[path.name for path in EXAMPLES])
def test_an_example_runs(folder: Path, try_it: Tries) -> None:
    done = try_it(ROOT, str(folder / "search.yaml"))
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1].startswith(LAST[folder.name])
    assert "Hint" not in done.err


def test_every_example_is_here_and_in_the_page() -> None:
    page = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in EXAMPLES} == {*LAST}
    assert [name for name in LAST if f"[{name}/]({name}/search.yaml)" not in page] == []


def test_the_program_in_the_guide_is_drafted_and_tried(
    tmp_path: Path, try_it: Tries, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    section = guide.partition("## Your own program in five minutes")[2].partition("\n## ")[0]
    program, search = re.findall(r"```(?:python|yaml)\n(.*?)```", section, re.DOTALL)
    (tmp_path / "train.py").write_text(program)
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["init", "train.py"]).exit_code == 0
    assert load_yaml((tmp_path / "search.yaml").read_text()).value == load_yaml(search).value
    done = try_it(tmp_path, "search.yaml")
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1].startswith("epoch 5: val_loss=")
