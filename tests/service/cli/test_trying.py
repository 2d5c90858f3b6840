"""`argbest try`, whose trial runs in a fork."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from service.cli import main
from tests.service.cli.tries import Tries, try_it
from tests.service.running import until

__all__ = ["try_it"]  # a fixture

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")

ROOT = Path(__file__).parents[3]
SEARCH = """
name: t
command: [sh, run.sh, '{epochs}', '{seed}', '{a}']
code: .
epochs: 2
metric: loss
mode: min
parameters: {a: {values: [5, 6]}}
"""
SCRIPT = """
for epoch in $(seq $1); do echo "{\\"epoch\\": $epoch, \\"loss\\": $3.$2}"; done
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "search.yaml").write_text(SEARCH)
    (tmp_path / "run.sh").write_text(SCRIPT)
    return tmp_path


def test_shows_what_is_run_and_what_was_understood(folder: Path, try_it: Tries) -> None:
    done = try_it(folder, "search.yaml")
    assert done.code == 0, done.err
    assert done.out == "epoch 1: loss=5.4200\nepoch 2: loss=5.4200\n"
    told = (
        "code: 2 files of", "configuration: a=5", "running sh run.sh 2 42 5",
        '| {"epoch": 1, "loss": 5.42}', "ok: 2 epochs", "the search has 2 trials",
    )  # fmt: skip
    assert [said for said in told if said not in done.err] == []
    assert sorted(path.name for path in folder.iterdir()) == ["run.sh", "search.yaml"]
    assert list(try_it.places.iterdir()) == []


def test_chooses_configuration_epochs_and_seed_and_keeps_the_folder(
    folder: Path, try_it: Tries
) -> None:
    (folder / "run.sh").write_text("touch made\n" + SCRIPT)
    done = try_it(
        folder, "search.yaml", "--set", "a=9", "--epochs", "1", "--seed", "3", "--keep", "kept"
    )
    assert (done.code, done.out) == (0, "epoch 1: loss=9.3000\n")
    assert (folder / "kept" / "code" / "made").exists()
    assert (folder / "kept" / "config.json").read_text() == '{"a": 9}'
    assert "epoch 1: loss=6.4" in try_it(folder, "search.yaml", "--trial", "1").out


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 3", "exited with status 3"),
        ("echo hello", "loss"),
        ("echo loss=0.5", "it printed loss=0.5, which patterns: {loss: "),
        ("echo '{\"loss\": 1}'", "1 of 2 epochs: "),
        ('echo \'{"epoch": 1, "loss": NaN}\'; echo \'{"epoch": 2, "loss": 1}\'', "finite"),
    ],
)
def test_what_is_wrong_is_said_and_exits_with_1(
    folder: Path, try_it: Tries, script: str, said: str
) -> None:
    (folder / "run.sh").write_text(script)
    done = try_it(folder, "search.yaml")
    assert done.code == 1, done.err
    errors = [line for line in done.err.splitlines() if line.startswith("Error: ")]
    assert said in " ".join(errors)


def test_a_search_that_cannot_run_is_said_after_a_trial_that_went_well(
    folder: Path, try_it: Tries
) -> None:
    (folder / "search.yaml").write_text(SEARCH + "strategy: cmaes\n")
    done = try_it(folder, "search.yaml")
    assert (done.code, done.out.count("epoch")) == (1, 2)
    assert "the trial went well, but the search cannot run" in done.err
    assert "strategy: cmaes draws numbers of ranges only" in done.err


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_nothing_is_left_when_it_is_told_to_stop_or_killed(
    folder: Path, number: signal.Signals, status: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Neither the program, nor what has left its session, nor the trial's folder."""
    places = tmp_path_factory.mktemp("places")
    (folder / "run.sh").write_text("sleep 400 & (setsid sleep 500 &) & wait\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "service.cli", "try", "search.yaml"], cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(places)},
        stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def both() -> list[psutil.Process]:
        found = psutil.Process(process.pid).children(recursive=True)
        return found if sum("sleep" in p.name() for p in found) >= 2 else []

    there = until(both, within_s=60, what="the two programs run")
    process.send_signal(number)
    assert process.wait(60) == status
    _, left = psutil.wait_procs(there, timeout=60)
    assert left == []
    assert list(places.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        (SEARCH + "epoch: 3\n", [], "epoch: this key is not known here"),
        (SEARCH.replace("{a}", "{b}"), [], "is no parameter"),
        (SEARCH, ["--trial", "2"], "2 trials, from 0 on"),
        (SEARCH, ["--set", "a={values: []}"], "the list is empty"),
        (SEARCH, ["--keep", "."], "name a new folder"),
        (SEARCH.replace("code: .", f"code: 'sha256:{'0' * 64}'"), [], "needs the folder itself"),
        (SEARCH.replace("code: .", "code: none"), [], "is not a folder"),
        ("name: x\ntrainable: numpy_mlp\ndataset: fashion_mnist\nepochs: 1\nmetric: m\nmode: min\n"
         "parameters: {}\n", [], "argbest run"),
        ("[", [], "is not a search space"),
    ],
)  # fmt: skip
def test_a_search_that_cannot_be_tried_is_refused(
    folder: Path, text: str, arguments: list[str], said: str
) -> None:
    path = folder / "search.yaml"
    path.write_text(text)
    result = CliRunner().invoke(main, ["try", str(path), *arguments])
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr


def test_a_program_in_place_of_a_search_is_told_from_it(folder: Path) -> None:
    (folder / "train.py").write_text("print(1)\n[")
    result = CliRunner().invoke(main, ["try", str(folder / "train.py")])
    assert result.exit_code == 2
    assert f"argbest init {folder / 'train.py'}" in result.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [("config['none']", "KeyError: 'none'"), ("raise SystemExit(3)", "SystemExit: 3")],
)
def test_an_error_of_a_function_is_shown_with_its_traceback(
    folder: Path, try_it: Tries, line: str, said: str
) -> None:
    search = SEARCH.replace("command: [sh, run.sh, '{epochs}', '{seed}', '{a}']",
                            "trainable: my_model.py:train")  # fmt: skip
    (folder / "search.yaml").write_text(search)
    model = "def train(config, data, report, *, epochs, seed):\n    report(1, {'loss': 1.0})\n    "
    (folder / "my_model.py").write_text(f"{model}{line}\n")
    done = try_it(folder, "search.yaml")
    assert (done.code, done.out) == (1, "epoch 1: loss=1.0000\n")
    assert f"the function raised {said}" in done.err
    assert "my_model.py" in done.err


def test_parameters_that_the_functions_model_refuses_are_named_before_the_trial(
    folder: Path,
) -> None:
    search = SEARCH.replace("command: [sh, run.sh, '{epochs}', '{seed}', '{a}']",
                            "trainable: my_model.py:train")  # fmt: skip
    (folder / "search.yaml").write_text(search)
    (folder / "my_model.py").write_text(
        "from argbest import Parameters\nclass Settings(Parameters):\n    a: int\n    b: int\n"
        "def train(config: Settings, data, report, *, epochs, seed): ...\n"
    )
    result = CliRunner().invoke(main, ["try", str(folder / "search.yaml"), "--set", "a=x"])
    assert result.exit_code == 2
    assert 'parameters.a: "x" is not valid for a' in result.stderr
    assert "a takes a whole number" in result.stderr
    assert "parameters.b: the trainable always needs the parameter b" in result.stderr
