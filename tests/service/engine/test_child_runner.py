"""A user's trainable in a child process: what is sent of it, every end, and nothing left."""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from results.records import Checkpoint, Failure
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
from service.engine.training import TrialContext
from tests.real_data import DATASETS
from tests.service.stand_ins import spec, trial_context
from trainables import datasets, registry
from trainables.descendants import descendants, end_descendants

#: A package whose trainable runs the code that is given as its parameter `code`, between epochs.
PACKAGE = """
from trainables.contract import Metric
from trainables.parameters import Parameters
from trainables.registry import Trainable

class Code(Parameters):
    code: str = ""

def train(config, data, report, *, epochs, seed, resume=None):
    scope = {"report": report, "seed": seed, "epochs": epochs, "resume": resume}
    exec(config["code"], scope)

RUNS = Trainable("runs_code", "Runs code", "runs_code:train", ("ames",),
                 (Metric("score", "Score", "max", "none"),), Code)
"""
METADATA = "Metadata-Version: 2.1\nName: runs-code\nVersion: 1.0\n"
ONE = "report(1, {'score': 1.0})\n"
TWO = ONE + "report(2, {'score': 2.0})\n"

CHILDREN = ChildProcesses(ahead=False)


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrialContext]:
    datasets.ensure("ames", DATASETS)
    (tmp_path / "runs_code.py").write_text(PACKAGE, encoding="utf-8")
    info = tmp_path / "runs_code-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA, encoding="utf-8")
    (info / "entry_points.txt").write_text("[argbest.trainables]\nruns_code = runs_code:RUNS\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry._load.cache_clear()
    job = spec(trainable="runs_code", metric="score", mode="max", epochs=2)
    yield trial_context(job, tmp_path / "storage", checkpoint_seconds=0)
    registry._load.cache_clear()
    sys.modules.pop("runs_code", None)


def run(
    context: TrialContext,
    code: str,
    *checkpoints: Checkpoint,
    stop: bool = False,
    limit: float | None = None,
    **keywords: Any,
) -> tuple[list[Message], Failure | None, str]:
    """Return the messages, the failure, and what was printed."""
    sent, end, printed = follow(context, code, *checkpoints, stop=stop, limit=limit, **keywords)
    return sent, end.failure if isinstance(end, Failed) else None, printed


def follow(
    context: TrialContext,
    code: str,
    *offered: Checkpoint,
    stop: bool = False,
    limit: float | None = None,
    children: ChildProcesses = CHILDREN,
    **keywords: Any,
) -> tuple[list[Message], End, str]:
    """Return the messages after the start, the end, and what was printed."""
    sent: list[Message] = []
    assignment = Assignment("segment", 7, {"code": code}, 5, context.spec.space.epochs, offered)
    storage = Storage(context.storage)
    checkpoints = SegmentCheckpoints(assignment, context, sent.append, storage)
    checkpoints.stop_requested = stop
    with checkpoints.fetched() as resume:
        end = run_in_child(
            assignment,
            context,
            sent.append,
            checkpoints,
            resume,
            children,
            time_limit_s=limit,
            **keywords,
        )
    printed = "".join(message.text for message in sent if isinstance(message, Output))
    messages = [message for message in sent if not isinstance(message, Output)]
    assert [type(m) is Started for m in messages] == [True] + [False] * (len(messages) - 1)
    return messages[1:], end, printed


def test_epochs_and_every_printed_line_are_sent_in_order(context: TrialContext) -> None:
    """Also what is printed just before the end, without a line feed."""
    code = "print('value 1.0')\nprint('value 2.0')\n" + TWO + "print('last', end='')"
    sent, failure, printed = run(context, code)
    assert failure is None
    assert [(m.epoch, m.metrics) for m in sent if isinstance(m, Epoch)] == [
        (1, {"score": 1.0}), (2, {"score": 2.0}),
    ]  # fmt: skip
    assert printed == "value 1.0\nvalue 2.0\nlast\n"


def test_code_runs_in_the_main_thread_with_seeded_generators(context: TrialContext) -> None:
    code = TWO + (
        "import asyncio, os, random, signal, numpy\n"
        "signal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
        "asyncio.run(asyncio.sleep(0))\n"
        "print(random.random(), numpy.random.rand(), os.getsid(0) == os.getpid())\n"
    )
    printed = {run(context, code)[2] for _ in range(2)}
    assert len(printed) == 1
    assert printed.pop().endswith(" True\n")


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("raise KeyboardInterrupt", "user_error", "KeyboardInterrupt"),
        ("class Odd(BaseException): pass\nraise Odd('x')", "user_error", "Odd: x"),
        (
            "class Mute(Exception):\n  def __str__(self): raise OSError\nraise Mute",
            "user_error",
            "its text cannot be shown: OSError",
        ),
        ("import os\nos._exit(3)", "user_error", "exited with status 3 after it had reported 1"),
        ("import os\nos.kill(os.getpid(), 9)", "worker_lost", "ended by SIGKILL after it had"),
        ("import ctypes\nctypes.string_at(0)", "worker_lost", "ended by SIGSEGV after it had"),
        ("import os\nos._exit(0)", "user_error", "exited with status 0 after it had reported 1"),
        ("", "user_error", "reported 1 of 2 epochs"),
    ],
)
def test_every_end_is_named(context: TrialContext, code: str, kind: str, words: str) -> None:
    sent, failure, _ = run(context, ONE + code)
    assert failure is not None
    assert failure.kind == kind
    assert words in failure.message
    assert len(sent) == 1


#: Starts a process that leaves the session and one that stays, and prints their ids.
LEAVES = """
import os, subprocess, sys, time
from multiprocessing import get_context
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
print(subprocess.Popen(sleep, start_new_session=True).pid)
forked = get_context("fork").Process(target=time.sleep, args=(600,), daemon=True)
forked.start()
print(forked.pid)
"""


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        ("os.kill(os.getpid(), 9)", FailureKind.WORKER_LOST),
        ("time.sleep(600)", FailureKind.TIME_LIMIT),
        ("report(2, {'score': 2.0})", None),
    ],
)
def test_nothing_of_the_trial_is_left(
    context: TrialContext, end: str, kind: FailureKind | None
) -> None:
    """Neither a child that left the session, nor one that was forked and holds the pipes."""
    marker = Path(context.storage).with_name("left")
    code = f"{ONE}{LEAVES}open({str(marker)!r}, 'w').close()\n{end}"
    ticks = itertools.count(step=0.5)

    def clock() -> float:
        return next(ticks) if marker.exists() else 0.0

    _, failure, printed = run(context, code, limit=30.0, clock=clock)
    assert (failure.kind if failure else None) == kind
    pids = [int(line.rpartition(" ")[2]) for line in printed.splitlines()]
    assert len(pids) == 2
    assert not any(map(psutil.pid_exists, pids))


def test_nothing_leaks_into_the_next_trial(
    context: TrialContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process has waited since the one before, in whose folder it was started."""
    before = {process.pid for process in descendants()}
    children = ChildProcesses(ahead=True)
    looks = TWO + "print(os.environ.get('LEAK'), os.getcwd(), sys.path[0])\n"
    for name, code in {"a": TWO, "b": looks}.items():
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        begins = "import os, sys\nos.environ['LEAK'] = os.environ.get('LEAK', '') + 'x'\n"
        _, failure, printed = run(context, f"{begins}{code}os.chdir('/')\n", children=children)
        assert failure is None
    assert printed == f"x {tmp_path / 'b'} {tmp_path / 'b'}\n"
    last = children.take()
    end_descendants(before)  # not the database that other tests share
    last.close()


# --- states ------------------------------------------------------------------------------------

STATES = """
def state(epoch):
    return lambda: {"epoch": epoch, "text": "é"}
for epoch in range((resume or {"epoch": 0})["epoch"] + 1, epochs + 1):
    report(epoch, {"score": float(epoch)}, state=state(epoch))
"""


def test_a_child_hands_over_its_states_and_another_goes_on_from_one(context: TrialContext) -> None:
    sent, end, _ = follow(context, STATES, stop=True)
    assert end == Stopped()
    epoch, kept = sent
    assert isinstance(epoch, Epoch)
    assert isinstance(kept, Checkpointed)
    assert kept.checkpoint.epoch == 1
    assert Storage(context.storage).names() == [kept.checkpoint.name]
    sent, end, _ = follow(context, STATES, kept.checkpoint)
    assert end == Finished()
    assert [m.epoch for m in sent if isinstance(m, Epoch)] == [2]
    (model,) = [m.checkpoint for m in sent if isinstance(m, Checkpointed)]
    assert model.epoch == 2
    assert model.seconds >= kept.checkpoint.seconds


def test_a_state_that_cannot_be_written_is_a_line_of_the_log(
    context: TrialContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file's folder is gone, as a full disk would have it; no other segment's is touched."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = "import shutil, glob\n" + (
        f"[shutil.rmtree(f) for f in glob.glob({str(tmp_path)!r} + '/argbest-trial-*')]\n"
    )
    sent, end, printed = follow(context, code + STATES, stop=True)
    assert end == Finished()
    assert [type(message) for message in sent] == [Epoch, Epoch]
    assert "the state after epoch 1 could not be stored: " in printed


def test_a_value_that_no_state_can_hold_fails_the_trial(context: TrialContext) -> None:
    _, failure, _ = run(context, "report(1, {'score': 1.0}, state=lambda: {'x': object()})")
    assert failure is not None
    assert failure.kind is FailureKind.USER_ERROR
    assert "StateError" in failure.message
