"""Programs that do what they should not: each ends by itself, with an error that says what to do.

They run as a trial's program does, but for the child process: the reports go to the reporter of a
segment, and errors become failures.
"""

from __future__ import annotations

import signal
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from results.records import Failure
from search_spaces import Program
from service.engine.failures import failure_of_trial
from service.engine.messages import Epoch, Message, Wish
from service.engine.reporter import Reporter
from trainables import state_files
from trainables.commands import CommandRun
from trainables.contract import State
from trainables.program_limits import Limits
from trainables.workplace import Workplace

PYTHON = (sys.executable, "-S", "main.py")
LOSS = "print('{\"loss\": 0.5}', flush=True)\n"
#: The same in one write, for programs whose other processes print at the same time.
WHOLE_LOSS = "os.write(1, b'{\"loss\": 0.5}\\n')\n"
CHECKPOINTS = "import os\nos.chdir(os.environ['ARGBEST_CHECKPOINT_DIR'])\n"
#: Starts a process that has left its parent's session and has no parent any more.
DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        {daemon}
    os._exit(0)
os.wait()
"""
SLEEP = "os.write(1, b'daemon %d\\n' % os.getpid()); time.sleep(600)"


@dataclass
class Driver:
    """Takes everything, and wants a checkpoint whenever one is offered."""

    sent: list[Message] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)
    folder: Path = Path()
    last_wish: Wish = field(default_factory=lambda: Wish(checkpoint=True))

    def send(self, message: Message) -> None:
        self.sent.append(message)

    def wish(self, epoch: int, *, can_resume: bool) -> Wish:
        return self.last_wish

    def keep(self, state: State, epoch: int, seconds: float) -> bool:
        path = self.folder / "state.npz"
        state_files.save(path, state)
        self.states.append(state_files.load(path, max_bytes=2**24))
        return True


@dataclass
class Ran:
    failure: Failure | None
    reports: list[Mapping[str, float]]
    log: str
    driver: Driver

    @property
    def says(self) -> str:
        """What the failure and our own lines of the log say."""
        ours = [line for line in self.log.splitlines() if line.startswith("argbest: ")]
        return "\n".join([f"{self.failure.message}" if self.failure else "", *ours[1:]])


class Log:
    """Keeps the beginning of what is printed, and counts all of it."""

    def __init__(self) -> None:
        self.kept, self.size = bytearray(), 0

    def __call__(self, data: bytes) -> None:
        self.size += len(data)
        if len(self.kept) < 2**20:
            self.kept += data


def run(
    folder: Path,
    code: str = "",
    *,
    command: tuple[str, ...] = PYTHON,
    epochs: int = 1,
    compared: tuple[str, ...] = ("loss",),
    config: Mapping[str, Any] | None = None,
    limits: Limits | None = None,
    early_end: bool = False,
    files: Mapping[str, str] | None = None,
    run_bits: tuple[str, ...] = (),
    grace_seconds: float = 5.0,
    **program: Any,
) -> Ran:
    """Run ``code`` as main.py, or the command, in the folder; return how it went."""
    workplace = Workplace(folder / "work", limits or Limits(checkpoint=2**20))
    workplace.code.mkdir(parents=True)
    for name, text in {"main.py": code, **(files or {})}.items():
        path = workplace.code / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name in run_bits:
        (workplace.code / name).chmod(stat.S_IRWXU)
    driver, log = Driver(folder=folder), Log()
    reporter = Reporter(compared, epochs, driver, early_end=early_end)
    train = CommandRun(
        Program(command=command, early_end=early_end, **program), frozenset(compared), workplace,
        log=log, grace_seconds=grace_seconds,
    )  # fmt: skip
    failure = None
    try:
        train(config or {}, None, reporter, epochs=epochs, seed=1)
        reporter.check_complete()
    except Exception as error:  # noqa: BLE001 - as a trial has it
        failure = failure_of_trial(error)
    reports = [message.metrics for message in driver.sent if isinstance(message, Epoch)]
    return Ran(failure, reports, log.kept.decode("utf-8", "replace"), driver)


BAD: dict[str, tuple[str, dict[str, Any], str, tuple[str, ...]]] = {
    # --- what is printed: code, options, the failure's kind, words of the message or of the notes
    "no metric": ("print('hello')", {}, "user_error", ("no metric seen", "printed no loss")),
    "another metric": (
        "print('{\"los\": 1}')", {}, "user_error", ("reported los", "did you mean los?"),
    ),
    "NaN": ("print('{\"loss\": NaN}')", {}, "diverged", ("loss was nan in epoch 1",)),
    "Infinity": ("print('{\"loss\": -Infinity}')", {}, "diverged", ("loss was -inf",)),
    "too large a number": ("print('{\"loss\": 1e999}')", {}, "diverged", ("loss was inf",)),
    "400 digits": ("print('{\"loss\": ' + '9' * 400 + '}')", {}, "diverged", ("loss was inf",)),
    "text": (
        "print('{\"loss\": \"0.5\"}')", {}, "user_error", ('loss is "0.5", which is no number',),
    ),
    "a boolean": ("print('{\"loss\": true}')", {}, "user_error", ("loss is true, which is no",)),
    "null": ("print('{\"loss\": null}')", {}, "user_error", ("loss is null, which is no",)),
    "a list": ("print('{\"loss\": [1]}')", {}, "user_error", ("loss is a list, which is no",)),
    "a JSON list": ("print('[0.5]')", {}, "user_error", ("no metric seen",)),
    "a dict of Python": (
        "print({'loss': 0.5})", {}, "user_error", ("looks like JSON, but is not", "json.dumps"),
    ),
    "deeply nested": (
        "print('{\"a\": ' * 5000 + '1' + '}' * 5000)", {}, "user_error", ("looks like JSON",),
    ),
    "nested": (
        "print('{\"loss\": {\"val\": 1}}')", {}, "user_error",
        ("reported loss/val", "did you mean loss/val"),
    ),
    "half an object": ("print('{\"loss\": 0.5')", {}, "user_error", ("looks like JSON",)),
    "a name with a control character": (
        "print('{\"loss\": 1, \"a\\\\u0007\": 1}')", {}, "user_error",
        ("must be one printable line",),
    ),
    "a metric called trial": (
        "print('{\"loss\": 1, \"trial\": 7}')", {}, "user_error", ("choose another name",),
    ),
    "a pattern that finds no number": (
        "print('loss: low')", {"patterns": {"loss": "loss: (.*)"}}, "user_error",
        ("the pattern of loss found 'low'", "only digits"),
    ),
    "garbage on the pipe": (
        "import os\nopen(os.environ['ARGBEST_REPORT'], 'wb').write(b'\\xff\\n[1]\\n')", {},
        "user_error", ("looks like JSON", "no JSON object", "no metric seen"),
    ),
    "report of text": (
        "from argbest import report\nreport(loss='low')", {}, "user_error",
        ("TypeError: report: loss is 'low', but must be a number",),
    ),
    "closed output": ("import os\nos.close(1)\nos.close(2)", {}, "user_error", ("no metric seen",)),
    "prints after its end": (
        DAEMON.format(daemon="time.sleep(0.2)\n        print('{\"loss\": 1}', flush=True)"), {},
        "user_error", ("no metric seen",),
    ),
    # --- epochs
    "an epoch twice": (
        "for x in 1, 2: print('{\"epoch\": 1, \"loss\": %d}' % x)", {"epochs": 2}, "user_error",
        ("loss of epoch 1 twice, with different values",),
    ),
    "epochs backwards": (
        "for e in 1, 2, 1: print('{\"epoch\": %d, \"loss\": 1}' % e)", {"epochs": 5}, "user_error",
        ("reported epoch 1 where epoch 3 is next", "leave epoch out"),
    ),
    "an epoch left out": (
        "for e in 1, 3: print('{\"epoch\": %d, \"loss\": 1}' % e)", {"epochs": 5}, "user_error",
        ("reported epoch 3 where epoch 2 is next",),
    ),
    "epoch 0": ("print('{\"epoch\": 0, \"loss\": 1}')", {}, "user_error", ("epoch 0", "add 1")),
    "half an epoch": ("print('{\"epoch\": 0.5, \"loss\": 1}')", {}, "user_error", ("epoch 0.5:",)),
    "an epoch of text": ("print('{\"epoch\": \"1\", \"loss\": 1}')", {}, "user_error", ("'1':",)),
    "an epoch that is true": ("print('{\"epoch\": true}')", {}, "user_error", ("epoch True:",)),
    "an epoch that is NaN": ("print('{\"epoch\": NaN}')", {}, "user_error", ("epoch nan:",)),
    "too many epochs": (
        "for e in 1, 2: print('{\"epoch\": %d, \"loss\": 1}' % e)", {}, "user_error",
        ("reported epoch 2, and the space has epochs: 1; set epochs",),
    ),
    "too many reports": (2 * LOSS, {}, "user_error", ("epoch 2, and the space has epochs: 1",)),
    "too few epochs": (LOSS, {"epochs": 2}, "user_error", ("reported 1 of 2 epochs", "early_end")),
    "an early end without the objective": (
        "print('{\"epoch\": 1, \"loss\": 1}\\n{\"epoch\": 2, \"a\": 1}')",
        {"epochs": 9, "early_end": True}, "user_error", ("last epoch, 2", "compares loss"),
    ),
    "no objective in the last epoch": (
        "print('{\"epoch\": 1, \"loss\": 1}\\n{\"epoch\": 2, \"a\": 1}')", {"epochs": 2},
        "user_error", ("in its last epoch, 2, where the job compares loss",),
    ),
    # --- its end
    "exit 3": (
        f"{LOSS}print('broken'); raise SystemExit(3)", {}, "user_error",
        ("exited with status 3 after 0 of 1 epochs: broken", "argbest try"),
    ),
    "a traceback": ("raise ValueError('bad')", {}, "user_error", ("status 1", "ValueError: bad")),
    "a missing module": (
        "import nothing_here", {}, "user_error", ("No module named 'nothing_here'",),
    ),
    "wrong syntax": ("print(", {}, "user_error", ("status 1", "SyntaxError")),
    "reads its input": ("input()", {}, "user_error", ("EOFError",)),
    "out of memory": ("raise MemoryError", {}, "out_of_memory", ("smaller model",)),
    "a crash": ("import ctypes\nctypes.string_at(0)", {}, "worker_lost", ("SIGSEGV (it, or",)),
    "a crash within a shell": (
        "", {"command": ("sh", "-c", "sh -c 'kill -9 $$'; exit $?")}, "user_error",
        ("status 137 (a shell's way to say that SIGKILL",),
    ),
    **{
        f"ended by {name}": (
            "", {"command": ("sh", "-c", f"kill -{name} $$")}, "worker_lost",
            (f"ended by SIG{name}",),
        )
        for name in ("TERM", "KILL", "INT", "HUP", "ABRT", "XFSZ", "USR1", "PIPE", "ALRM")
    },
    # --- its start
    "a missing interpreter": (
        "", {"command": ("no-such-program",)}, "infeasible",
        ("no program is called 'no-such-program' on this node: install it",),
    ),
    "a file without its path": (
        "", {"command": ("main.py",)}, "infeasible", ("is a file of the code: write ./main.py",),
    ),
    "a missing file": ("", {"command": ("./no.sh",)}, "infeasible", ("./no.sh is not there",)),
    "no run bit": (
        "#!/bin/sh", {"command": ("./main.py",)}, "infeasible",
        ("it may not be run: chmod +x ./main.py, or begin the command with /bin/sh",),
    ),
    "a folder": ("", {"command": ("../code",)}, "infeasible", ("it is a folder",)),
    "an unknown kind of file": (
        "", {"command": ("./x",), "files": {"x": "\x7f\x01"}, "run_bits": ("x",)}, "infeasible",
        ("no program of this machine",),
    ),
    "a script's missing interpreter": (
        "#!/no/such", {"command": ("./main.py",), "run_bits": ("main.py",)}, "infeasible",
        ("#!/no/such, names an interpreter that this node does not have",),
    ),
    "arguments that are too long": (
        "", {"command": (*PYTHON, "{x}"), "config": {"x": "x" * 2**23}}, "infeasible",
        ("arguments are too long: have it read the file {config}",),
    ),
    "a zero byte in an argument": (
        "", {"command": (*PYTHON, "{x}"), "config": {"x": "\0"}}, "infeasible", ("null byte",),
    ),
    # --- what it takes, and what it keeps
    "too much memory": (
        "x = bytearray(80_000_000)\nimport time\ntime.sleep(60)",
        {"limits": Limits(memory=50_000_000, seconds=0.05), "grace_seconds": 0}, "out_of_memory",
        ("may take 50,000,000", "ARGBEST_MAX_PROGRAM_MEMORY_BYTES"),
    ),
    "a full folder": (
        "open('big', 'wb').write(bytes(3_000_000))\nimport time\ntime.sleep(60)",
        {"limits": Limits(disk=1_000_000, seconds=0.01), "grace_seconds": 0}, "user_error",
        ("may have 1,000,000", "ARGBEST_MAX_PROGRAM_DISK_BYTES"),
    ),
    "a link as checkpoint": (
        f"{CHECKPOINTS}os.symlink('/etc/passwd', 'x')\n{LOSS}", {}, "user_error",
        ("x in the folder of checkpoints is a link to /etc/passwd",),
    ),
    "a link out of the checkpoints": (
        f"{CHECKPOINTS}os.symlink('../config.json', 'x')\n{LOSS}", {}, "user_error",
        ("only relative links within the folder",),
    ),
    "a pipe as checkpoint": (
        f"{CHECKPOINTS}os.mkfifo('x')\n{LOSS}", {}, "user_error",
        ("x in the folder of checkpoints is neither a file nor a folder",),
    ),
    "a checkpoint of 10 GB": (
        f"{CHECKPOINTS}open('x', 'w').truncate(10**10)\n{LOSS}", {}, "user_error",
        ("more than", "keep only the newest", "ARGBEST_MAX_CHECKPOINT_BYTES"),
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _signals_count() -> Iterator[None]:
    """Let SIGHUP and SIGINT end programs also where these tests run under nohup or after "&"."""
    both = (signal.SIGHUP, signal.SIGINT)
    ignored = [one for one in both if signal.getsignal(one) == signal.SIG_IGN]
    for one in ignored:
        signal.signal(one, signal.SIG_DFL)
    yield
    for one in ignored:
        signal.signal(one, signal.SIG_IGN)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_program_is_named_and_says_what_to_do(name: str, tmp_path: Path) -> None:
    code, options, kind, words = BAD[name]
    ran = run(tmp_path, code, **options)
    assert ran.failure is not None
    assert ran.failure.kind == kind
    for each in words:
        assert each in ran.says


def test_there_are_enough_of_them() -> None:
    assert len(BAD) >= 40


#: Programs that are odd, and succeed: code, options, and a note in the log.
ODD: dict[str, tuple[str, dict[str, Any], str]] = {
    "a key twice": ("print('{\"loss\": 1, \"loss\": 0.5}')", {}, "the last value counts"),
    "a byte order mark": ("print('\\ufeff{\"loss\": 0.5}')", {}, ""),
    "Windows line ends": ("print('{\"loss\": 0.5}', end='\\r\\n')", {}, ""),
    "colours": ("print('\\x1b[32m{\"loss\": 0.5}\\x1b[0m')", {}, ""),
    "no last line feed": ("print('{\"loss\": 0.5}', end='')", {}, ""),
    "a progress bar": (f"for i in range(99): print(i, end='\\r')\n{LOSS}", {}, ""),
    "a progress bar on stderr": (
        f"import sys\nsys.stderr.write('\\r50 %')\nsys.stderr.flush()\n{LOSS}", {}, "",
    ),
    "a huge line": (f"print('x' * 1_000_000, end='')\nprint()\n{LOSS}", {}, ""),
    "binary output": (f"import os\nos.write(1, os.urandom(9999) + b'\\n')\n{LOSS}", {}, ""),
    "another folder": (f"import os\nos.chdir('/')\n{LOSS}", {}, ""),
    "removes its folder": (f"import os, shutil\nshutil.rmtree(os.getcwd())\n{LOSS}", {}, ""),
    "removes everything": (
        "import os, shutil\nfrom argbest import report\n"
        "shutil.rmtree(os.path.dirname(os.getcwd()))\nreport(loss=0.5)", {}, "",
    ),
    "closes all files": (
        "import os\nfrom argbest import report\nos.closerange(3, 99)\nreport(loss=0.5)", {}, "",
    ),
    "metrics after the last compared one": (
        "print('{\"epoch\": 1, \"loss\": 0.5}\\n{\"epoch\": 1, \"late\": 1}')",
        {"epochs": 3, "early_end": True}, "late came after the report of epoch 1",
    ),
    "the same epoch from each process": (
        2 * "print('{\"epoch\": 1, \"loss\": 0.5}')\n", {"epochs": 3, "early_end": True}, "",
    ),
    "an epoch after a crash of a child": (
        f"import os\nif os.fork() == 0: os.abort()\nos.wait()\n{LOSS}", {}, "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_an_odd_program_succeeds(name: str, tmp_path: Path) -> None:
    code, options, note = ODD[name]
    ran = run(tmp_path, code, **options)
    assert ran.failure is None
    assert [report["loss"] for report in ran.reports] == [0.5]
    assert note in ran.says


def test_100_mb_of_output_are_read(tmp_path: Path) -> None:
    """Lines without end, and then one without an end."""
    command = ("sh", "-c", "yes | head -c 50000000; head -c 50000000 /dev/zero; echo; echo $0")
    ran = run(tmp_path, command=(*command, '{{"loss": 0.5}}'))
    assert ran.failure is None
    assert ran.reports == [{"loss": 0.5}]


#: The children print too, so its line is written whole, which `print` does not do.
FLEET = f"""
import os, time
for _ in range(50):
    if os.fork() == 0:
        {SLEEP}
{WHOLE_LOSS}"""


@pytest.mark.parametrize(
    "code",
    [DAEMON.format(daemon=SLEEP) + WHOLE_LOSS, FLEET],
    ids=["leaves its session", "50 children"],
)
def test_nothing_of_a_program_is_left(code: str, tmp_path: Path) -> None:
    ran = run(tmp_path, code)
    assert ran.failure is None
    started = [int(line.split()[1]) for line in ran.log.splitlines() if line.startswith("daemon")]
    assert not any(map(psutil.pid_exists, started))


def test_two_processes_report_at_once(tmp_path: Path) -> None:
    code = (
        "import os\nfrom argbest import report\nname = 'b' if os.fork() == 0 else 'loss'\n"
        "for epoch in range(1, 201): report({name: epoch}, epoch=1)\n"
        "if name == 'b': os._exit(0)\nos.wait()\n"
    )
    ran = run(tmp_path, code)
    assert ran.failure is None
    assert ran.reports == [{"loss": 200.0, "b": 200.0}]
