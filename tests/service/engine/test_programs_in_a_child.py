"""A space's program in the child of a trial process: reports, states, stops, and nothing left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from results.records import Checkpoint
from results.states import FailureKind
from results.storage import Storage
from service.engine.checkpoints import SegmentCheckpoints
from service.engine.child_processes import ChildProcesses
from service.engine.child_runner import run_in_child
from service.engine.messages import (
    Assignment,
    Checkpointed,
    End,
    Epoch,
    Failed,
    Finished,
    Message,
    Output,
    Started,
    Stopped,
)
from service.engine.training import TrialContext, workplace
from tests.service.stand_ins import spec, trial_context

PYTHON = [sys.executable, "-S", "main.py"]
#: Goes on from its checkpoint; `{each}` runs in each epoch, before its report.
RESUMES = """
import os, pathlib, signal
from argbest import report
file = pathlib.Path(os.environ["ARGBEST_CHECKPOINT_DIR"], "epoch")
done = int(file.read_text()) if file.exists() else 0
print("goes on after", done, flush=True)
for epoch in range(done + 1, int(os.environ["ARGBEST_EPOCHS"]) + 1):
    EACH
    file.with_suffix(".part").write_text(str(epoch))
    file.with_suffix(".part").replace(file)
    report(score=epoch, epoch=epoch)
"""
SLEEPER = """
import os, time
here, there = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.environ.clear()
        os.execv("/bin/sleep", ["sleep", "600"])
    os._exit(0)
os.wait()
os.close(there)
os.read(here, 1)  # ends when the sleeper's program has begun
print('{"score": 1}', flush=True)
time.sleep(600)
"""

CHILDREN = ChildProcesses(ahead=False)


def context(folder: Path, *, epochs: int = 2, **changes: Any) -> TrialContext:
    job = spec(
        trainable="command", dataset="none", command=PYTHON, metric="score", mode="max",
        epochs=epochs, parameters={"x": 3}, **changes,
    )  # fmt: skip
    return trial_context(job, folder / "storage", checkpoint_seconds=0)


def follow(
    context: TrialContext,
    code: str,
    *offered: Checkpoint,
    stop: bool = False,
    send: Callable[[Message], None] = lambda message: None,
    files: Mapping[str, str] | None = None,
) -> tuple[list[Message], End]:
    """Return the messages of a segment and its end."""
    sent: list[Message] = []

    def take(message: Message) -> None:
        sent.append(message)
        send(message)

    last = context.spec.space.epochs
    assignment = Assignment("segment", 7, {"x": 3}, 5, last, offered)
    storage = Storage(context.storage)
    checkpoints = SegmentCheckpoints(assignment, context, take, storage)
    checkpoints.stop_requested = stop
    with checkpoints.fetched() as resume:
        folder = workplace(context, checkpoints.folder).code
        folder.mkdir(parents=True)
        for name, text in {"main.py": code, **(files or {})}.items():
            (folder / name).write_text(text, encoding="utf-8")
        end = run_in_child(
            assignment, context, take, checkpoints, resume, CHILDREN, time_limit_s=None
        )
    return sent, end


def printed(messages: list[Message]) -> str:
    return "".join(message.text for message in messages if isinstance(message, Output))


def reported(messages: list[Message]) -> list[tuple[int, Mapping[str, float]]]:
    return [(m.epoch, m.metrics) for m in messages if isinstance(m, Epoch)]


def test_a_program_gets_nothing_of_the_services_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGBEST_DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    code = (
        "import os\nprint(sorted(os.environ))\n"
        "print(open(f'/proc/{os.getppid()}/environ').read().split(chr(0)))\n"
        "for epoch in 1, 2: print('{\"score\": %d}' % epoch)"
    )
    sent, end = follow(context(tmp_path, environment={"OWN": "{seed}"}), code)
    assert end == Finished()
    assert reported(sent) == [(1, {"score": 1.0}), (2, {"score": 2.0})]
    log = printed(sent)
    assert "'OWN'" in log
    assert "'ARGBEST_SEED'" in log
    for name in ("ARGBEST_DATABASE_URL", "AWS_SECRET_ACCESS_KEY", "RAY_AUTH_TOKEN", "secret"):
        assert name not in log


def test_a_thousand_reports_are_all_taken(tmp_path: Path) -> None:
    """As fast as the program can."""
    code = (
        "from argbest import report\nfor epoch in range(1, 1001): report(score=epoch, epoch=epoch)"
    )
    sent, end = follow(context(tmp_path, epochs=1_000), code)
    assert end == Finished()
    assert reported(sent) == [(epoch, {"score": float(epoch)}) for epoch in range(1, 1001)]


def test_a_program_that_was_killed_goes_on_from_its_last_checkpoint(tmp_path: Path) -> None:
    each = "if epoch == 4 and done == 0: os.kill(os.getpid(), signal.SIGKILL)"
    job, code = context(tmp_path, epochs=5, resumes=True), RESUMES.replace("EACH", each)
    sent, end = follow(job, code)
    assert isinstance(end, Failed)
    assert end.failure.kind is FailureKind.WORKER_LOST
    assert "ended by SIGKILL" in end.failure.message
    kept = [message.checkpoint for message in sent if isinstance(message, Checkpointed)]
    assert kept[-1].epoch in (1, 2, 3)
    again, end = follow(job, code, kept[-1])
    assert end == Finished()
    assert [m.resumed_from for m in again if isinstance(m, Started)] == [kept[-1].epoch]
    assert [epoch for epoch, _ in reported(again)] == list(range(kept[-1].epoch + 1, 6))
    assert "goes on after 3" in printed(again)
    assert all(metrics["score"] == epoch for epoch, metrics in reported(again))


def arguments(process: psutil.Process) -> list[str]:
    """The arguments of a process; none of one that has ended."""
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def test_a_program_that_is_asked_to_stop_leaves_a_checkpoint_and_no_process(tmp_path: Path) -> None:
    each = "import time; time.sleep(600 if epoch == 2 else 0)"
    sent, end = follow(context(tmp_path, resumes=True), RESUMES.replace("EACH", each), stop=True)
    assert end == Stopped()
    assert [m.checkpoint.epoch for m in sent if isinstance(m, Checkpointed)] == [1]
    assert not [p for p in psutil.Process().children(recursive=True) if "-S" in arguments(p)]


def test_a_function_of_the_code_is_trained(tmp_path: Path) -> None:
    job = spec(
        trainable="my_model.py:train", dataset="none", code="sha256:" + "0" * 64, metric="score",
        mode="max", epochs=2, parameters={"x": 3},
    )  # fmt: skip
    files = {
        "helper.py": "FACTOR = 2.0\n",
        "my_model.py": "from pathlib import Path\nfrom helper import FACTOR\n"
        "def train(config, data, report, *, epochs, seed):\n"
        "  print(Path('helper.py').exists(), data)\n"
        "  for epoch in range(1, epochs + 1):\n"
        "    report(epoch, {'score': FACTOR * config['x']})\n",
    }
    sent, end = follow(trial_context(job, tmp_path / "storage"), "", files=files)
    assert end == Finished()
    assert reported(sent) == [(1, {"score": 6.0}), (2, {"score": 6.0})]
    assert "True None" in printed(sent)


#: A trial process of its own; its argument is the folder.
TRIAL_PROCESS = """
import sys
from pathlib import Path
from tests.service.engine import test_programs_in_a_child as tests
job = tests.context(Path(sys.argv[1]))
tests.follow(job, tests.SLEEPER, send=lambda message: print(message, flush=True))
"""


def test_nothing_is_left_of_a_trial_process_that_is_killed(tmp_path: Path) -> None:
    """Neither the program, nor what has left its session and its environment."""
    process = subprocess.Popen(
        [sys.executable, "-c", TRIAL_PROCESS, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Epoch("):
            break
    there = psutil.Process(process.pid).children(recursive=True)
    try:
        assert {"600", "main.py"} <= {p.cmdline()[-1] for p in there}
        assert len(there) == 4
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    _, left = psutil.wait_procs(there, timeout=30)
    assert left == []
