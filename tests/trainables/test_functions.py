"""Functions of files that are sent along."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from trainables.functions import load
from trainables.program_errors import FunctionNotFound


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    monkeypatch.chdir(tmp_path)


def test_the_folders_modules_come_first(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "near.py").write_text("VALUE = 1\n")
    (tmp_path / "far.py").write_text("VALUE = 2\n")
    code = "import near, far, os\ndef train(): return near.VALUE, far.VALUE, os.getcwd()\n"
    (tmp_path / "sub" / "my_model.py").write_text(code)
    train = load("sub/my_model.py", "train", tmp_path)
    assert train() == (1, 2, str(tmp_path))  # type: ignore[call-arg, func-returns-value]
    assert sys.modules["my_model"].train is train


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"my_modle.py": ""}, "no file my_model.py: did you mean my_modle.py?"),
        ({"my_model.py": "def trian(): ..."}, "no function train: did you mean trian?"),
        ({"my_model.py": "train = 3"}, "has a int, not a function, train"),
        ({"my_model.py": "", "results.py": ""}, "has a module results, .* rename it"),
    ],
)
def test_what_is_not_there_is_named(files: dict[str, str], message: str, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(FunctionNotFound, match=message):
        load("my_model.py", "train", tmp_path)


def test_what_the_import_raises_is_raised(tmp_path: Path) -> None:
    (tmp_path / "my_model.py").write_text("import nothing_here")
    with pytest.raises(ModuleNotFoundError, match="nothing_here"):
        load("my_model.py", "train", tmp_path)
