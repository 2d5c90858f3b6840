"""The command, the look at a program and the drafted space, as users see them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from search_spaces.yaml_files import load_yaml
from service.cli import main
from service.cli.convert.fitting import problems

TRAIN = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.01, help="learning rate")
parser.add_argument("--amp", action="store_true")
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--data", default="data.csv")
args = parser.parse_args()
for epoch in range(args.epochs):
    print(f"Epoch {epoch + 1}: val loss {args.lr:.3f}")
"""


def init(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["init", *arguments])


def drafted(folder: Path, name: str, source: str) -> dict[str, Any]:
    """What the command writes for a program; it can run as it is."""
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(source)
    result = init(str(folder / name), "-o", str(folder / "search.yaml"))
    assert result.exit_code == 0, result.output
    space = load_yaml((folder / "search.yaml").read_text()).value
    assert problems(space) == ()
    return dict(space)


def test_a_python_script(tmp_path: Path) -> None:
    space = drafted(tmp_path, "train.py", TRAIN)
    pattern = space.pop("patterns")
    assert set(pattern) == {"epoch", "val_loss"}
    assert space == {
        "name": "train",
        "command": ["python", "train.py", "--epochs={epochs}", "--seed={seed}", "{args}"],
        "code": ".",
        "flags": {"amp": {"true": "--amp", "false": ""}},
        "metric": "val_loss",
        "mode": "min",
        "epochs": 5,
        "trials": 20,
        "parameters": {
            "lr": {"low": 0.001, "high": 0.1, "log": True, "default": 0.01},
            "amp": {"values": [False, True]},
        },
    }
    text = (tmp_path / "search.yaml").read_text()
    for said in ("RANGES ARE GUESSES", "# a guess around its default, 0.01; learning rate",
                 "#   --data: it says where"):  # fmt: skip
        assert said in text


def test_nothing_is_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(TRAIN)
    assert "argbest try search.yaml" in init("train.py").stderr
    Path("search.yaml").write_text("mine")
    result = init("train.py")
    assert (result.exit_code, "is not overwritten" in result.stderr) == (2, True)
    assert Path("search.yaml").read_text() == "mine"


def test_a_script_in_a_folder_of_the_code(tmp_path: Path) -> None:
    assert drafted(tmp_path, "src/train.py", TRAIN)["command"][1] == "src/train.py"


def test_a_module_that_imports_its_neighbours(tmp_path: Path) -> None:
    space = drafted(tmp_path, "pkg/main.py", "from .a import b\n" + TRAIN)
    assert (space["name"], space["command"][:3]) == ("main", ["python", "-m", "pkg.main"])


def test_a_metric_that_is_printed_once_leaves_the_epochs_alone(tmp_path: Path) -> None:
    source = TRAIN.replace("    print", "    x = 1\nprint").replace("Epoch {epoch + 1}: ", "")
    space = drafted(tmp_path, "train.py", source)
    assert space["epochs"] == 1
    assert space["command"] == ["python", "train.py", "--seed={seed}", "{args}"]
    assert "early_end" not in space


def test_a_script_that_says_nothing_gets_a_file_that_says_what_to_change(tmp_path: Path) -> None:
    space = drafted(tmp_path, "My Script.py", "print('hello')\n")
    assert space["name"] == "my_script"
    assert space["parameters"] == {"example": 1}
    assert (tmp_path / "search.yaml").read_text().count("CHANGE THIS") == 2


def test_arguments_that_must_be_given_are_marked(tmp_path: Path) -> None:
    source = TRAIN.replace('parser.add_argument("--data", default="data.csv")',
                           'parser.add_argument("data")\n'
                           'parser.add_argument("-w", type=int, default=8)')  # fmt: skip
    space = drafted(tmp_path, "train.py", source)
    assert space["command"] == [
        "python", "train.py", "--epochs={epochs}", "--seed={seed}", "CHANGE_ME", "--lr={lr}",
        "{amp}", "-w", "{w}",
    ]  # fmt: skip
    assert "CHANGE THIS: give data a value" in (tmp_path / "search.yaml").read_text()


def test_the_help_of_a_shell_script(tmp_path: Path) -> None:
    source = """#!/bin/bash
if [ "$1" = --help ]; then
  echo "  --rate R    learning rate (default: 0.1)"
  exit
fi
touch ran
"""
    space = drafted(tmp_path, "train.sh", source)
    assert space["command"] == ["bash", "train.sh", "{args}"]
    assert space["parameters"]["rate"]["default"] == 0.1
    assert not (tmp_path / "ran").exists()


def test_a_script_without_a_help_is_not_run(tmp_path: Path) -> None:
    space = drafted(tmp_path, "train.sh", "#!/bin/bash\ntouch ran\n")
    assert space["parameters"] == {"example": 1}
    assert not (tmp_path / "ran").exists()


def test_a_help_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    script = tmp_path / "train.xyz"
    script.write_text("#!/usr/bin/none-such --help\n")
    result = init(str(script), "-o", str(tmp_path / "s.yaml"))
    assert result.exit_code == 0
    assert "its --help was not read" in result.stderr


@pytest.mark.parametrize("source", ["def (:\n", "-" * 100_000 + "1"], ids=["wrong", "too deep"])
def test_python_that_cannot_be_parsed_is_said(tmp_path: Path, source: str) -> None:
    script = tmp_path / "train.py"
    script.write_text(source)
    result = init(str(script), "-o", str(tmp_path / "s.yaml"))
    assert result.exit_code == 0
    assert "is not Python that can be read here" in result.stderr


@pytest.mark.parametrize(
    ("name", "said"), [("none.py", "there is no file"), ("x.ipynb", "nbconvert")]
)
def test_what_cannot_be_looked_at_is_refused(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "x.ipynb").write_text("{}")
    result = init(str(tmp_path / name))
    assert (result.exit_code, said in result.stderr) == (2, True)


def test_a_script_outside_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "other").mkdir()
    result = init(str(tmp_path / "train.py"), "-o", str(tmp_path / "other" / "search.yaml"))
    assert (result.exit_code, "is not in" in result.stderr) == (2, True)
