"""The examples in docs/programs.md report what the page says."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from search_spaces import Program, SearchSpace
from search_spaces.yaml_files import load_yaml
from trainables import functions
from trainables.commands import CommandRun
from trainables.contract import State
from trainables.environment import PASSED_ON
from trainables.workplace import Workplace

PAGE = (Path(__file__).parents[1] / "docs" / "programs.md").read_text(encoding="utf-8")
JSON_LINES, REPORT, CHECKPOINTS, FUNCTION, MODEL = re.findall(
    r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE
)
PIPE, PRINTED = re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
SPACE, PATTERNS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def ran(
    folder: Path,
    program: Program,
    files: Mapping[str, str],
    config: Mapping[str, Any],
    resume: State | None = None,
) -> tuple[list[tuple[int, Mapping[str, float]]], list[State]]:
    """Run the program for three epochs; return its reports and its states."""
    workplace = Workplace(folder)
    workplace.code.mkdir(parents=True)
    for name, text in files.items():
        (workplace.code / name).write_text(text, encoding="utf-8")
    reports: list[tuple[int, Mapping[str, float]]] = []
    states: list[State] = []

    def report(
        epoch: int,
        metrics: Mapping[str, float],
        *,
        engine: str = "",
        state: Callable[[], State] | None = None,
    ) -> None:
        reports.append((epoch, metrics))
        states.extend([] if state is None else [state()])

    train = CommandRun(program, frozenset({"val_loss"}), workplace)
    train(config, None, report, epochs=3, seed=1, resume=resume)
    return reports, states


def test_the_first_example(tmp_path: Path) -> None:
    space = SearchSpace.from_json({**load_yaml(SPACE).value, "strategy": "single"})
    assert space.program is not None
    config = {"lr": 0.5, "layers": 2}
    reports, _ = ran(tmp_path, space.program, {"train.py": JSON_LINES}, config)
    assert reports == [(epoch, {"val_loss": 0.5 / epoch + 2}) for epoch in (1, 2, 3)]


@pytest.mark.parametrize(
    ("command", "files", "wanted"),
    [
        (["python", "x.py"], {"x.py": REPORT},
         {"loss/train": [1, 1 / 2, 1 / 3], "val_loss": [2, 1, 2 / 3]}),
        (["sh", "x.sh"], {"x.sh": PIPE}, {"val_loss": [0.1, 0.2, 0.3]}),
    ],
)  # fmt: skip
def test_each_way_to_report(
    command: list[str], files: Mapping[str, str], wanted: Mapping[str, list[float]], tmp_path: Path
) -> None:
    reports, _ = ran(tmp_path, Program(command=tuple(command)), files, {})
    assert [epoch for epoch, _ in reports] == [1, 2, 3]
    assert {name: [metrics[name] for _, metrics in reports] for name in wanted} == wanted


def test_patterns(tmp_path: Path) -> None:
    program = Program(command=("sh", "x.sh"), patterns=load_yaml(PATTERNS).value["patterns"])
    reports, _ = ran(tmp_path, program, {"x.sh": PRINTED}, {})
    assert reports == [(1, {"val_loss": 0.41}), (2, {"val_loss": 0.37}), (3, {"val_loss": 0.35})]


def test_checkpoints(tmp_path: Path) -> None:
    program = Program(command=("python", "x.py"), resumes=True)
    reports, states = ran(tmp_path / "a", program, {"x.py": CHECKPOINTS}, {})
    assert reports == [(1, {"val_loss": 0.5}), (2, {"val_loss": 0.25}), (3, {"val_loss": 0.125})]
    assert [state["epoch"] for state in states] == [1, 2, 3]
    for number, state in enumerate(states):
        again, _ = ran(tmp_path / str(number), program, {"x.py": CHECKPOINTS}, {}, state)
        assert again == reports[number + 1 :]


@pytest.mark.parametrize(
    ("code", "curve"), [(FUNCTION, [0.5, 0.25]), (MODEL, [1.5, 1.0])], ids=["mapping", "model"]
)
def test_a_function(
    code: str, curve: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_model.py").write_text(code, encoding="utf-8")
    reports: list[tuple[int, Mapping[str, float]]] = []

    def report(epoch: int, metrics: Mapping[str, float], **_: Any) -> None:
        reports.append((epoch, metrics))

    train = functions.load("my_model.py", "train", tmp_path)
    train({"lr": 0.5}, None, report, epochs=2, seed=1)
    assert reports == [(epoch, {"val_loss": value}) for epoch, value in enumerate(curve, 1)]


def test_every_variable_that_is_passed_on_is_listed() -> None:
    assert [name for name in PASSED_ON if f"`{name}`" not in PAGE] == []
