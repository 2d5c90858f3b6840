"""The schema of a function's parameters is read out of its code, in another process."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import pytest

from search_spaces import SearchSpace
from service.cli.convert.fitting import problems
from service.cli.parameter_model import with_parameters

MODEL = """
from __future__ import annotations
from argbest import Parameters
from pydantic import Field
import secret_helper
print("loading ...")
class Settings(Parameters):
    lr: float = Field(gt=0, le=1)
    layers: int = Field(2, ge=1)
def train(config: Settings, data, report: Report, *, epochs, seed):
    report(1, {"loss": config.lr})
"""
SPACE: dict[str, Any] = {
    "name": "x", "trainable": "my_model.py:train", "code": ".", "metric": "loss", "mode": "min",
    "strategy": "grid", "parameters": {"lr": {"values": [0.1, 2]}, "depth": 3},
}  # fmt: skip


def test_wrong_parameters_are_found_and_the_code_is_not_imported_here(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my_model.py").write_text(MODEL)
    (tmp_path / "secret_helper.py").touch()
    found = with_parameters(SPACE, tmp_path)
    assert found["parameters_schema"]["properties"].keys() == {"lr", "layers"}
    assert SearchSpace.from_json(found).program is not None
    wrong = {problem.pointer: problem.detail for problem in problems(found)}
    assert wrong == {
        "/parameters/lr/values/1": "2 is not valid for lr",
        "/parameters/depth": 'the trainable has no parameter "depth"',
    }
    assert "secret_helper" not in sys.modules
    assert {path.name for path in tmp_path.iterdir()} == {"my_model.py", "secret_helper.py"}
    assert capfd.readouterr() == ("", "")


def test_code_that_cannot_be_imported_here_is_a_note(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my_model.py").write_text(MODEL)
    assert with_parameters(SPACE, tmp_path) == SPACE
    assert "checked by my_model.py alone, in the trials, as its model cannot be read here: Mod" in (
        capfd.readouterr().err
    )


def test_a_function_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "my_model.py").write_text("def trian(config): ...")
    with pytest.raises(click.UsageError, match="no function train: did you mean trian"):
        with_parameters(SPACE, tmp_path)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("def train(config, data, report): ...", {}),
        ("def train(config: dict[str, object], data, report): ...", {}),
        ("def train(config: typing.Mapping, data, report): ...", {}),
        ("def train(): ...", {}),
        (MODEL, {"parameters_schema": {}}),
        (MODEL, {"trainable": "numpy_mlp"}),
        (MODEL, {"trainable": 5}),
    ],
)
def test_most_code_is_not_run(
    tmp_path: Path, code: str, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/python")
    (tmp_path / "my_model.py").write_text(code)
    space = {**SPACE, **changes}
    assert with_parameters(space, tmp_path) == space
