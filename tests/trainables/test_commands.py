"""Programs that do what they should. The others: test_bad_programs.py."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from search_spaces import Program
from trainables.commands import CommandRun
from trainables.contract import State, accepts_resume
from trainables.workplace import Workplace


class Stop(BaseException):
    """As a segment ends its trainable."""


class Reports:
    """Keeps reports and states, and ends the program at an epoch."""

    def __init__(self, stop_at: int = 0) -> None:
        self.epochs: list[tuple[int, Mapping[str, float]]] = []
        self.states: list[State] = []
        self._stop_at = stop_at

    def __call__(
        self,
        epoch: int,
        metrics: Mapping[str, float],
        *,
        engine: str = "",
        state: Callable[[], State] | None = None,
    ) -> None:
        self.epochs.append((epoch, dict(metrics)))
        if state is not None:
            self.states.append(state())
        if epoch == self._stop_at:
            raise Stop


def run(
    folder: Path, code: str, reports: Reports, resume: State | None = None, **program: Any
) -> str:
    log: list[bytes] = []
    place = Workplace(folder)
    place.code.mkdir(parents=True)
    (place.code / "main.py").write_text(code, encoding="utf-8")
    command = (sys.executable, "-S", "main.py", "{args}", "{seed}", "{epochs}")
    made = Program(command=command, **program)
    train = CommandRun(made, frozenset({"loss"}), place, log=log.append, grace_seconds=5)
    train({"lr": 0.5, "name": "a b"}, None, reports, epochs=3, seed=7, resume=resume)
    return b"".join(log).decode()


def test_what_a_program_is_given(tmp_path: Path) -> None:
    code = (
        "import json, os, sys\n"
        "env = {k: v for k, v in os.environ.items() if k.startswith('ARGBEST_')}\n"
        "print([sys.argv[1:], os.getcwd(), env, json.load(open(env['ARGBEST_CONFIG']))])\n"
        "from argbest import report\nfor epoch in 1, 2, 3: report(loss=epoch)\n"
    )
    reports = Reports()
    log = run(tmp_path / "w", code, reports, environment={"X": "y"})
    assert reports.epochs == [(epoch, {"loss": float(epoch)}) for epoch in (1, 2, 3)]
    first, line = log.splitlines()
    assert first.startswith("argbest: running ")
    assert first.endswith(" -S main.py --lr=0.5 '--name=a b' 7 3")
    arguments, folder, variables, config = json.loads(line.replace("'", '"'))
    assert arguments == ["--lr=0.5", "--name=a b", "7", "3"]
    assert folder == variables["ARGBEST_TRIAL_DIR"] == str(tmp_path / "w" / "code")
    assert config == {"lr": 0.5, "name": "a b"}
    assert (variables["ARGBEST_SEED"], variables["ARGBEST_EPOCHS"]) == ("7", "3")
    assert variables["ARGBEST_RESUMED_EPOCH"] == "0"


#: Trains far faster than its reports are read.
FAST = """
import os, pathlib
from argbest import report
file = pathlib.Path(os.environ["ARGBEST_CHECKPOINT_DIR"], "epoch")
done = int(file.read_text()) if file.exists() else 0
if done: report(loss=done, epoch=done)
for epoch in range(done + 1, 4):
    file.with_suffix(".part").write_text(str(epoch))
    file.with_suffix(".part").replace(file)
    report(loss=epoch, epoch=epoch)
"""


@pytest.mark.parametrize("stop_at", [1, 2, 3])
def test_nothing_is_lost_of_a_program_that_was_ahead_of_its_reports(
    stop_at: int, tmp_path: Path
) -> None:
    first = Reports(stop_at)
    with pytest.raises(Stop):
        run(tmp_path / "1", FAST, first, resumes=True)
    again = Reports()
    run(tmp_path / "2", FAST, again, first.states[-1], resumes=True)
    assert first.epochs + again.epochs == [(e, {"loss": float(e)}) for e in (1, 2, 3)]
    for number, state in enumerate(again.states):
        third = Reports()
        run(tmp_path / f"3{number}", FAST, third, state, resumes=True)
        assert third.epochs == again.epochs[number + 1 :]


def test_the_model_is_what_the_program_has_left_at_its_end(tmp_path: Path) -> None:
    code = (
        "import os, time\nos.chdir(os.environ['ARGBEST_CHECKPOINT_DIR'])\n"
        "for epoch in 1, 2, 3: print('{\"loss\": %d}' % epoch, flush=True)\n"
        "time.sleep(0.1)\nopen('model', 'w').write('trained')"
    )
    reports = Reports()
    run(tmp_path, code, reports)
    (state,) = reports.states
    assert state["epoch"] == 3
    assert b"trained" in state["checkpoint"].tobytes()


def test_a_program_that_cannot_resume_takes_no_state(tmp_path: Path) -> None:
    train = CommandRun(Program(command=("x",)), frozenset(), Workplace(tmp_path))
    assert accepts_resume(train)
    assert not accepts_resume(train.from_the_beginning)
