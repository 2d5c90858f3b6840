"""The process in which a user's trainable runs: ``python -m service.engine.child IN OUT``.

IN and OUT are file descriptors of pipes, which carry one line of JSON for each message. It reads
what to train, sends its messages, and reads an answer to each question among them. The user's code
runs in the main thread.

Whatever the user's code starts ends with the trial process, however that ends. So a process that
runs our code alone keeps hold of the others, and another one above it is the trial process's child:
Ray kills the children of a trial process, not theirs, when a job's driver has ended. A program is
run by the process that keeps hold; a function, whose code could turn off any signal, by a fork.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TextIO

from results.spec import JobSpec
from search_spaces import COMMAND
from service.engine.failures import failure_of_trial
from service.engine.messages import (
    Assignment,
    Failed,
    Finished,
    Message,
    StateOffered,
    StateWritten,
    Stopped,
    Wish,
    to_json,
)
from service.engine.reporter import SegmentStop
from service.engine.training import Resume, TrialContext, train_segment
from trainables import state_files
from trainables.contract import State
from trainables.descendants import adopt_orphans, end_descendants, end_with_parent


def to_request(assignment: Assignment, context: TrialContext, resume: Resume, folder: Path) -> str:
    """Return the line that :func:`main` reads first; the child's states go into ``folder``."""
    values = {
        "assignment": assignment.to_json(),
        # The trial process has laid its code out, and stores its states: the storage's address may
        # hold credentials, and a user's function runs in the child.
        "context": {
            **asdict(replace(context, code=None, storage="")),
            "spec": context.spec.to_json(),
        },
        "resume": asdict(resume),
        "folder": folder,
        "working_folder": Path.cwd(),  # Tune gives each trial its own
    }
    return json.dumps(values, default=str)  # paths


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _from_request(request: dict[str, Any]) -> tuple[Assignment, TrialContext, Resume, Path]:
    values = request["context"]
    context = TrialContext(
        **{
            **values,
            "spec": JobSpec.from_json(values["spec"]),
            "datasets_dir": Path(values["datasets_dir"]),
            "fashion_mnist_dir": _path(values["fashion_mnist_dir"]),
        }
    )
    resume = Resume(**{**request["resume"], "path": _path(request["resume"]["path"])})
    return Assignment.from_json(request["assignment"]), context, resume, Path(request["folder"])


def _move_to(folder: str) -> None:
    """Work in the trial's folder: this process may have been started in that of another trial."""
    os.chdir(folder)
    sys.path[0] = folder  # python -m has put the folder there in which it was started


class _Parent:
    """The driver of a segment whose messages go through the trial process."""

    def __init__(self, requests: TextIO, reports: TextIO, folder: Path) -> None:
        self._requests, self._reports, self._folder = requests, reports, folder

    def send(self, message: Message) -> None:
        self._reports.write(json.dumps(to_json(message)) + "\n")
        self._reports.flush()

    def _ask(self, question: StateOffered | StateWritten) -> Any:
        self.send(question)
        return json.loads(self._requests.readline())

    def wish(self, epoch: int, *, can_resume: bool) -> Wish:
        return Wish(**self._ask(StateOffered(epoch, can_resume)))

    def keep(self, state: State, epoch: int, seconds: float) -> bool:
        path = self._folder / "state.npz"
        error = ""
        try:
            state_files.save(path, state)
        except OSError as failed:
            error = str(failed)
        return bool(self._ask(StateWritten(str(path), epoch, seconds, error)))


def _seed_generators(seed: int) -> None:
    """Seed the global random generators of Python, and of numpy and torch if they are loaded."""
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def _keep_hold() -> None:
    """When the trial process ends, end all that this one has started, also what has left it."""
    adopt_orphans()
    signal.signal(signal.SIGTERM, _end_all)
    end_with_parent(signal.SIGTERM)


def _go_on_in_a_fork() -> None:
    """Return in a child in a session of its own; this process keeps hold and ends as that does."""
    keeper, child = os.getpid(), os.fork()
    if child == 0:
        os.setsid()
        end_with_parent()
        if os.getppid() != keeper:  # it has ended already
            os._exit(1)
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _keep_hold()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    end_descendants()
    if status < 0:
        if -status != signal.SIGKILL:  # whose effect nothing changes
            signal.signal(-status, signal.SIG_DFL)
        os.kill(keeper, -status)
    os._exit(status)


def _end_all(number: int, _frame: FrameType | None) -> NoReturn:
    end_descendants()
    os._exit(128 + number)


def main(arguments: Sequence[str]) -> None:
    """Train the segment that is read, and send how it went."""
    end_with_parent()  # however the trial process ends
    signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a script; ours are ignored
    source, target = map(int, arguments)
    for pipe in (source, target):
        os.set_inheritable(pipe, False)  # noqa: FBT003 - no program that it runs may use them
    requests = os.fdopen(source, encoding="utf-8")
    reports = os.fdopen(target, "w", encoding="utf-8")
    request = requests.readline()
    if not request:  # it was started ahead, and is not needed
        return
    values = json.loads(request)
    _move_to(values["working_folder"])
    assignment, context, resume, folder = _from_request(values)
    _go_on_in_a_fork()
    if context.spec.space.trainable == COMMAND:
        _keep_hold()
    else:
        _go_on_in_a_fork()
    parent, seed = _Parent(requests, reports, folder), assignment.seed
    prepare = partial(_seed_generators, seed)
    try:
        train_segment(assignment, context, parent, resume, folder, prepare)
    except SegmentStop:
        parent.send(Stopped())
    except BaseException as error:  # noqa: BLE001 - whatever it is, it fails the trial
        parent.send(Failed(failure_of_trial(error)))
    else:
        parent.send(Finished())


if __name__ == "__main__":
    main(sys.argv[1:])
