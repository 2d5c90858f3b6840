"""`argbest try`, in a process of its own, as it ends all of its descendants."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from service.cli import main
from tests.service.running import has_ended

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


def try_it(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service.cli", "try", *arguments],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder.parent)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_shows_what_is_run_and_what_was_understood(folder: Path) -> None:
    done = try_it(folder, "search.yaml")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "epoch 1: loss=5.4200\nepoch 2: loss=5.4200\n"
    told = (
        "code: 2 files of", "configuration: a=5", "running sh run.sh 2 42 5",
        '| {"epoch": 1, "loss": 5.42}', "ok: 2 epochs", "the search has 2 trials",
    )  # fmt: skip
    assert [said for said in told if said not in done.stderr] == []
    assert sorted(path.name for path in folder.iterdir()) == ["run.sh", "search.yaml"]
    assert list(folder.parent.glob("argbest-try-*")) == []


def test_chooses_configuration_epochs_and_seed_and_keeps_the_folder(folder: Path) -> None:
    (folder / "run.sh").write_text("touch made\n" + SCRIPT)
    done = try_it(
        folder, "search.yaml", "--set", "a=9", "--epochs", "1", "--seed", "3", "--keep", "kept"
    )
    assert (done.returncode, done.stdout) == (0, "epoch 1: loss=9.3000\n")
    assert (folder / "kept" / "code" / "made").exists()
    assert (folder / "kept" / "config.json").read_text() == '{"a": 9}'
    assert "epoch 1: loss=6.4" in try_it(folder, "search.yaml", "--trial", "1").stdout


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 3", "exited with status 3"),
        ("echo hello", "loss"),
        ("echo '{\"loss\": 1}'", "1 of 2 epochs reported"),
        ('echo \'{"epoch": 1, "loss": NaN}\'; echo \'{"epoch": 2, "loss": 1}\'', "finite"),
    ],
)
def test_what_is_wrong_is_said_and_exits_with_1(folder: Path, script: str, said: str) -> None:
    (folder / "run.sh").write_text(script)
    done = try_it(folder, "search.yaml")
    assert done.returncode == 1, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert said in " ".join(errors)


def test_a_search_that_cannot_run_is_said_after_a_trial_that_went_well(folder: Path) -> None:
    (folder / "search.yaml").write_text(SEARCH + "strategy: cmaes\n")
    done = try_it(folder, "search.yaml")
    assert (done.returncode, done.stdout.count("epoch")) == (1, 2)
    assert "the trial went well, but the search cannot run" in done.stderr
    assert "strategy: cmaes draws numbers of ranges only" in done.stderr


def test_nothing_is_left_running_when_it_is_told_to_stop(folder: Path) -> None:
    (folder / "run.sh").write_text('sleep 400 & echo $! > "$PIDS"; setsid sleep 400 & wait\n')
    pids = folder / "pids"
    search = SEARCH + f"environment: {{PIDS: '{pids}'}}\n"
    (folder / "search.yaml").write_text(search)
    process = subprocess.Popen(
        [sys.executable, "-m", "service.cli", "try", "search.yaml"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    over = time.monotonic() + 60
    while not (pids.exists() and pids.read_text().strip()) and time.monotonic() < over:
        time.sleep(0.02)
    child = int(pids.read_text())
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 130
    with suppress(psutil.NoSuchProcess):
        assert has_ended(psutil.Process(child))


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


@pytest.mark.parametrize(
    ("line", "said"),
    [("config['none']", "KeyError: 'none'"), ("raise SystemExit(3)", "SystemExit: 3")],
)
def test_an_error_of_a_function_is_shown_with_its_traceback(
    folder: Path, line: str, said: str
) -> None:
    search = SEARCH.replace("command: [sh, run.sh, '{epochs}', '{seed}', '{a}']",
                            "trainable: my_model.py:train")  # fmt: skip
    (folder / "search.yaml").write_text(search)
    model = "def train(config, data, report, *, epochs, seed):\n    report(1, {'loss': 1.0})\n    "
    (folder / "my_model.py").write_text(f"{model}{line}\n")
    done = try_it(folder, "search.yaml")
    assert (done.returncode, done.stdout) == (1, "epoch 1: loss=1.0000\n")
    assert f"the function raised {said}" in done.stderr
    assert "my_model.py" in done.stderr
