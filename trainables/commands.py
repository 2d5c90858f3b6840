"""Runs any program as a trainable: its printed metrics are reports, its checkpoints the state.

:class:`CommandRun` is a :class:`trainables.contract.Train` function. The program runs in a session
of its own, in the trial's copy of the code, and has ended, with all that it started, when the
function returns or raises.
"""

from __future__ import annotations

import os
import shlex
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from search_spaces import Program
from search_spaces.text import printable
from trainables import checkpoint_folders
from trainables.command_lines import CommandLine
from trainables.contract import Report, State
from trainables.environment import passed_on
from trainables.executables import exit_hint
from trainables.gathering import Gatherer
from trainables.printed import EPOCH, Reader
from trainables.program_errors import TRY_IT, MemoryExceeded, ProgramExited, ProgramKilled
from trainables.program_limits import Watch
from trainables.program_process import GRACE_SECONDS, Line, ProgramProcess, running
from trainables.resume import check_state
from trainables.workplace import Workplace

_NAME = "command"
_CHECKPOINT = "checkpoint"
_LINES = "lines"
#: What a state's file has besides the folder of checkpoints.
_ROOM = 64 * 1024
_LONGEST_LINE = 300
_NO_MEMORY = ("MemoryError", "out of memory", "OutOfMemoryError", "Cannot allocate memory")


def to_stdout(data: bytes) -> None:
    """Write to this process's standard output, without a buffer."""
    while data:
        data = data[os.write(1, data) :]


@dataclass(frozen=True, slots=True)
class CommandRun:
    """A train function that runs ``program`` in ``workplace``.

    ``compared`` are the metrics that the space compares. ``log`` takes what the program prints, and
    lines of our own that begin with ``argbest:``. A program that is to stop gets ``grace_seconds``.
    """

    program: Program
    compared: frozenset[str]
    workplace: Workplace
    log: Callable[[bytes], None] = to_stdout
    grace_seconds: float = GRACE_SECONDS

    def __call__(
        self,
        config: Mapping[str, Any],
        data: object,
        report: Report,
        *,
        epochs: int,
        seed: int,
        resume: State | None = None,
    ) -> None:
        """Run the program with these hyperparameters and report what it prints.

        Raises a :class:`trainables.program_errors.ProgramError` where the program fails.
        """
        del data  # a program brings its own
        notes = _Notes(self.log)
        self.workplace.prepare(config)
        reader = Reader(self.program.patterns, notes)
        reports = _Reports(report, self.workplace)
        patterns = frozenset(self.program.patterns) - {EPOCH}
        done = 0 if resume is None else reports.restore(resume)
        gatherer = Gatherer(
            reports, notes, self.compared, patterns, epochs, done, self.program.resumes
        )
        _gather(reports.left(), reader, gatherer)
        gatherer.go_on()
        line = CommandLine(self.program, config, self._places(epochs, seed))
        with self._started(line, gatherer.done, notes, reader.mark) as process:
            reports.process = process
            _gather(process.lines(), reader, gatherer)
            _check_status(process, f"after {gatherer.done} of {epochs} epochs")
            gatherer.finish(may_end_early=self.program.early_end)

    def from_the_beginning(
        self,
        config: Mapping[str, Any],
        data: object,
        report: Report,
        *,
        epochs: int,
        seed: int,
    ) -> None:
        """Run a program that cannot go on from its checkpoints, as :meth:`__call__`."""
        self(config, data, report, epochs=epochs, seed=seed)

    def _started(
        self, line: CommandLine, done: int, notes: _Notes, mark: bytes
    ) -> AbstractContextManager[ProgramProcess]:
        """Start the program, which goes on after the epoch ``done``."""
        place, arguments = self.workplace, line.arguments()
        environment = self._environment(line, {**line.places, "resumed_epoch": str(done)})
        notes("command", f"running {shlex.join(part[:_LONGEST_LINE] for part in arguments)}")
        watch = Watch(place.limits, place.folder)
        return running(
            arguments, place.code, environment, place.pipe,
            log=self.log, tick=watch.look, merged=bool(self.program.patterns), mark=mark,
            grace_seconds=self.grace_seconds,
        )  # fmt: skip

    def _places(self, epochs: int, seed: int) -> dict[str, str]:
        place = self.workplace
        return {
            "config": str(place.config),
            "seed": str(seed),
            "epochs": str(epochs),
            "trial_dir": str(place.code),
            "checkpoint_dir": str(place.checkpoint),
        }

    def _environment(self, line: CommandLine, values: Mapping[str, str]) -> dict[str, str]:
        """Return the program's variables: those passed on, then the space's, then ours."""
        wanted = {**passed_on(os.environ), "PYTHONUNBUFFERED": "1", **line.environment()}
        theirs = line.environment().get("PYTHONPATH")
        paths = [str(self.workplace.python), *([theirs] if theirs else [])]
        ours = {f"ARGBEST_{name.upper()}": value for name, value in values.items()}
        ours |= {"ARGBEST_REPORT": str(self.workplace.pipe), "PYTHONPATH": os.pathsep.join(paths)}
        return {**wanted, **ours}


def _gather(lines: Iterable[Line], reader: Reader, gatherer: Gatherer) -> None:
    """Let the metrics in the lines become epochs."""
    for source, text in lines:
        found = reader.sent(text) if source == "report" else reader.printed(text)
        if found is not None:
            gatherer.take(found)


@dataclass(slots=True)
class _Reports:
    """Reports epochs with their states: the program's checkpoint, and the lines not yet reported.

    A program does not wait for its reports to be read. So its checkpoint may be of a later epoch
    than the report, and what it printed until then belongs to the state.
    """

    report: Report
    place: Workplace
    process: ProgramProcess | None = None
    _left: deque[Line] = field(default_factory=deque)

    def restore(self, state: State) -> int:
        """Unpack the folder of checkpoints; return the epoch that was reported last."""
        check_state(state, _NAME, [_CHECKPOINT, _LINES])
        checkpoint_folders.unpack(state[_CHECKPOINT], self.place.checkpoint)
        self._left.extend(state[_LINES])
        return int(state["epoch"])

    def left(self) -> Iterator[Line]:
        """Yield the lines that an earlier attempt has printed, but not reported."""
        while self._left:
            yield self._left.popleft()

    def __call__(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Report an epoch, and offer the state."""
        folder = self.place.checkpoint
        state = None if checkpoint_folders.is_empty(folder) else partial(self._state, epoch)
        self.report(epoch, metrics, state=state)

    def _state(self, epoch: int) -> State:
        folder, most = self.place.checkpoint, self.place.limits.checkpoint - _ROOM
        if self.process is None:
            lines, archive = list(self._left), checkpoint_folders.pack(folder, most)
        else:
            with self.process.paused():
                lines = self.process.read_all()
                archive = checkpoint_folders.pack(folder, most)
        return {"trainable": _NAME, "epoch": epoch, _CHECKPOINT: archive, _LINES: lines}


@dataclass(slots=True)
class _Notes:
    """Writes a line of ours into the log, once for each key."""

    log: Callable[[bytes], None]
    _written: set[str] = field(default_factory=set)

    def __call__(self, key: str, text: str) -> None:
        if key not in self._written:
            self._written.add(key)
            self.log(f"argbest: {printable(text)}\n".encode())


def _check_status(process: ProgramProcess, when: str) -> None:
    """Raise an error that names how the program ended, unless that was well."""
    status, printed = process.status, process.printed.strip()
    if status == 0:
        return
    last = printable(printed.rpartition("\n")[2][:_LONGEST_LINE])
    said = f": {last}" if last else ", and printed nothing"
    if any(words in printed for words in _NO_MEMORY):
        raise MemoryExceeded(
            f"the program ran out of memory {when}{said}; use a smaller model or batch, or fewer "
            "trials at once (max_concurrent_trials)"
        )
    if status < 0:
        raise ProgramKilled(f"the program was ended by {_signal_name(-status)} {when}{said}")
    advice = ""
    if status > 128:
        name = _signal_name(status - 128)
        advice = f" (a shell's way to say that {name} ended what it ran)"
    hint = exit_hint(printed, process.path)
    text = f"the program exited with status {status}{advice} {when}{said}"
    raise ProgramExited(f"{text}{f'; {hint}' if hint else ''}{TRY_IT}")


def _signal_name(number: int) -> str:
    hints = {
        signal.SIGKILL: " (the machine may have run out of memory)",
        signal.SIGSEGV: " (it, or a library of it, used memory that is not its own)",
        signal.SIGXFSZ: " (a file became larger than the system allows)",
    }
    try:
        found = signal.Signals(number)
    except ValueError:
        return f"signal {number}"
    return found.name + hints.get(found, "")
