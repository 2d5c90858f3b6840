"""`argbest run` with a real service: a command with code and checkpoints, through Ray."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from service.engine.processes import with_variable

TRAIN = """
import json, os, sys, time
from pathlib import Path
from argbest import report

rate = float(sys.argv[1].partition("=")[2])
checkpoint = Path(os.environ["ARGBEST_CHECKPOINT_DIR"], "state.json")
done = json.loads(checkpoint.read_text()) if checkpoint.exists() else 0
print("began after epoch", done, "with", Path("table.csv").read_text().strip())
for epoch in range(done + 1, 4):
    checkpoint.with_suffix(".part").write_text(json.dumps(epoch))
    checkpoint.with_suffix(".part").replace(checkpoint)
    report({"loss": rate / epoch}, epoch=epoch)
    time.sleep(1)  # in which it is told to stop
"""
SEARCH = """
name: mine
command: [python, train.py, "--rate={rate}"]
code: .
resumes: true
epochs: 3
metric: loss
mode: min
strategy: grid
scheduler: asha
parameters:
  rate: {values: [3.0, 2.0, 1.0]}
"""


@pytest.mark.ray
def test_a_command_is_promoted_from_its_checkpoints_and_nothing_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, text in (("train.py", TRAIN), ("search.yaml", SEARCH), ("table.csv", "a,b")):
        (folder / name).write_text(text)
    data = tmp_path / "data"
    ended = subprocess.run(
        [sys.executable, "-m", "service.cli", "run", "search.yaml", "--data-dir", str(data)],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "ARGBEST_NUM_CPUS": "2",
             "ARGBEST_WARM_PROCESSES": "0"},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert re.search(r"^best trial: +2$", ended.stdout, re.MULTILINE)
    assert "<html" in (data / "report.html").read_text(encoding="utf-8")
    printed = "".join(log.read_text() for log in (data / "logs").glob("*.log"))
    assert "began after epoch 0 with a,b" in printed
    # A program does not wait for its reports, so its checkpoint may be of a later epoch than 1.
    assert re.search("began after epoch [123] with a,b", printed)
    assert not with_variable("ARGBEST_DATA_DIR", str(data))
