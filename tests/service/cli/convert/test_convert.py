"""The command, and files that are traps."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from search_spaces import SearchSpace
from search_spaces.yaml_files import load_yaml
from service.cli import main

SWEEP = """
program: t.py
method: grid
project: p
metric: {name: loss}
parameters: {x: {values: [1, 2]}}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["convert", *arguments])


def test_prints_a_space_with_what_is_lost_as_comments(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(SWEEP)
    result = run(str(path))
    assert (result.exit_code, result.stderr) == (0, "")
    space = SearchSpace.from_json(load_yaml(result.stdout).value)
    assert space.program is not None
    assert space.program.command == ("python", "t.py", "{args}")
    assert "# No counterpart:\n# - project\n" in result.stdout


def test_writes_a_new_file_and_says_what_is_lost(tmp_path: Path) -> None:
    path, output = tmp_path / "sweep.yaml", tmp_path / "search.yaml"
    path.write_text(SWEEP)
    result = run(str(path), "-o", str(output))
    assert (result.exit_code, result.stdout) == (0, "")
    assert "No counterpart:\n- project\n" in result.stderr
    assert f"wrote {output}" in result.stderr
    SearchSpace.from_json(load_yaml(output.read_text()).value)
    written = output.read_text()
    again = run(str(path), "-o", str(output))
    assert again.exit_code == 2
    assert "is not overwritten" in again.stderr
    assert output.read_text() == written


def test_what_is_still_wrong_is_said_and_exits_with_1(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(SWEEP.replace("name: loss", "name: epoch"))
    result = run(str(path))
    assert result.exit_code == 1
    assert "To correct before it runs" in result.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: &a [x]\nb: [*a, *a]\n", "anchors and aliases"),
        (b"!!python/object/apply:os.system ['true']\n", "tags are not read"),
        (b"x: " + b"y" * 70_000, "larger than"),
        (b"[" * 300, "nesting is too deep"),
        (b"a: 1\na: 2\n", "comes twice"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"just text", "no mapping"),
        (b"", "no mapping"),
        (b"{}", "no mapping"),
        (b"a: 1\n", "of no system that is known here"),
        (b"strategy: grid\nparameters: {x: 1}\n", "search space already"),
        (b"a: [1\n", "line "),
    ],
)
def test_a_file_that_cannot_be_converted_is_refused(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(content)
    result = run(str(path))
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize(("text", "said"), [("[" * 60_000, "too deep"), ("{", "not JSON")])
def test_json_that_is_a_trap_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "file.json"
    path.write_text(text)
    result = run(str(path))
    assert (result.exit_code, said in result.stderr) == (2, True)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    result = run(str(tmp_path / "none.yaml"))
    assert (result.exit_code, "cannot read" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("wandb", "parameters: {x: 1, y: {min: a, max: [1]}, z: {values: []}}\nmetric: 3\n"),
        ("katib", "spec: {parameters: [3, {name: x}], objective: 1, trialTemplate: [1]}\n"),
        ("nni", "{x: {_type: choice, _value: [{_name: a, y: 3}, 2]}}\n"),
        ("hydra", "params: {x: 'choice(', y: ')', z: 'range(,)', w: [1, 2]}\nsampler: 3\n"),
        ("optuna", "x: {name: CategoricalDistribution, attributes: {choices: []}}\n"),
    ],
)  # fmt: skip
def test_nonsense_of_each_system_ends_in_words(tmp_path: Path, kind: str, text: str) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(text)
    result = run(str(path), "--from", kind)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "No counterpart" in result.stdout
