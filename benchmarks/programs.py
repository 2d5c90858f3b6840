"""Time what running a user's code costs, for a trial and for a report, without Ray.

A trial of one report is timed, and the reports of one of many, from the first to the last but one.
Every way sends its messages as a trial process does. A built-in trainable runs in this process; a
function of a file in a fresh child; a command in a process of that child. None of them trains.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.records import BenchmarkError, Figure
from results.spec import JobSpec
from results.storage import Storage
from service.engine.checkpoints import SegmentCheckpoints
from service.engine.child_processes import ChildProcesses
from service.engine.child_runner import run_in_child
from service.engine.messages import Assignment, Epoch, Finished, Message, Wish
from service.engine.reporter import Reporter
from service.engine.training import TrialContext, workplace
from trainables.contract import State

REPORTS = 1_000
_LINES = """i=0
while [ $i -lt "$ARGBEST_EPOCHS" ]; do i=$((i+1)); echo "{\\"epoch\\": $i, \\"loss\\": 0.5}"; done
"""
_FUNCTION = """def train(config, data, report, *, epochs, seed):
    for epoch in range(1, epochs + 1):
        report(epoch, {"loss": 0.5})
"""
_REPORT = """import os
from argbest import report
for epoch in range(1, int(os.environ["ARGBEST_EPOCHS"]) + 1):
    report(loss=0.5, epoch=epoch)
"""
_CHECKPOINTS = """import os
from argbest import report
checkpoint = os.path.join(os.environ["ARGBEST_CHECKPOINT_DIR"], "checkpoint")
for epoch in range(1, int(os.environ["ARGBEST_EPOCHS"]) + 1):
    with open(checkpoint + ".part", "wb") as file:
        file.write(bytes(1_000_000))
    os.replace(checkpoint + ".part", checkpoint)
    report(loss=0.5, epoch=epoch)
"""
#: By name: what the space says of it, the file of its code, and how many reports there are.
WAYS: dict[str, tuple[Mapping[str, Any], Mapping[str, str], int]] = {
    "a function of a file": (
        {"trainable": "main.py:train", "code": f"sha256:{0:064}"}, {"main.py": _FUNCTION}, REPORTS,
    ),
    "a command, lines of JSON": ({"command": ["sh", "main.sh"]}, {"main.sh": _LINES}, REPORTS),
    "a command, argbest.report": (
        {"command": [sys.executable, "-S", "main.py"]}, {"main.py": _REPORT}, REPORTS,
    ),
    "a command, a checkpoint of 1 MB kept at every report": (
        {"command": [sys.executable, "-S", "main.py"], "resumes": True},
        {"main.py": _CHECKPOINTS}, 100,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Driver:
    """Takes the messages of a segment in this process."""

    send: Callable[[Message], None]

    def wish(self, epoch: int, *, can_resume: bool) -> Wish:  # noqa: ARG002 - a protocol
        return Wish()

    def keep(self, state: State, epoch: int, seconds: float) -> bool:  # noqa: ARG002
        return False


@dataclass(slots=True)
class Clock:
    """Takes the messages of a trial, and notes when its reports came."""

    began: float = field(default_factory=time.perf_counter)
    trial_ms: float = 0.0
    reports: list[float] = field(default_factory=list)

    def send(self, message: Message) -> None:
        """Take a message."""
        if isinstance(message, Epoch):
            self.reports.append(time.perf_counter())

    def stop(self) -> None:
        """Note that the trial has ended."""
        self.trial_ms = (time.perf_counter() - self.began) * 1e3

    @property
    def report_us(self) -> float:
        """Time of a report; the last one may wait for the end of the program."""
        return (self.reports[-2] - self.reports[0]) / (len(self.reports) - 2) * 1e6


def built_in(epochs: int) -> Clock:
    """Run a trial in this process."""
    clock = Clock()
    report = Reporter(["loss"], epochs, _Driver(clock.send))
    for epoch in range(1, epochs + 1):
        report(epoch, {"loss": 0.5})
    report.check_complete()
    clock.stop()
    return clock


def in_child(name: str, epochs: int) -> Clock:
    """Run a trial whose code runs in a child."""
    space, files, _ = WAYS[name]
    job = JobSpec.from_json({
        "name": "benchmark", "search_space": "benchmark", "metric": "loss", "mode": "min",
        "trainable": "command", "dataset": "none", "strategy": "single", "parameters": {"x": 1},
        "trials": 1, "seed": 1, "epochs": epochs, **space,
    })  # fmt: skip
    with TemporaryDirectory(prefix="argbest-bench-") as folder:
        context = TrialContext("0" * 16, job, Path(folder), None, folder, 0.0, 2**30)
        clock = Clock()
        assignment = Assignment("segment", 0, {"x": 1}, 1, epochs)
        checkpoints = SegmentCheckpoints(assignment, context, clock.send, Storage(folder))
        with checkpoints.fetched() as resume:
            code = workplace(context, checkpoints.folder).code
            code.mkdir(parents=True)
            for file, text in files.items():
                (code / file).write_text(text, encoding="utf-8")
            clock.began = time.perf_counter()
            end = run_in_child(
                assignment, context, clock.send, checkpoints, resume,
                ChildProcesses(ahead=False), time_limit_s=None,
            )  # fmt: skip
            clock.stop()
    if end != Finished() or len(clock.reports) != epochs:
        raise BenchmarkError(f"{name}: {end}")
    return clock


def measure(*, quick: bool = False, reports: int | None = None) -> list[Figure]:
    """Return the figures; ``quick`` repeats less, ``reports`` are those of the longer trials."""
    turns = 3 if quick else 11
    figures = _of("a built-in trainable", built_in, reports or REPORTS, turns)
    for name, (_, _, most) in WAYS.items():
        figures += _of(name, partial(in_child, name), reports or most, turns)
    return figures


def _of(name: str, run: Callable[[int], Clock], reports: int, turns: int) -> list[Figure]:
    trials = tuple(run(1).trial_ms for _ in range(turns))
    each = tuple(run(reports).report_us for _ in range(turns))
    return [
        Figure(f"{name}: a trial of one report", "ms", trials),
        Figure(f"{name}: a report more", "µs", each),
    ]
