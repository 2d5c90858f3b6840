"""Looks at a program: how it is run, its arguments, and what it prints."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from service.cli.init import arguments, metrics
from service.cli.init.arguments import Argument
from service.cli.init.metrics import Printed

LARGEST_SOURCE = 4_000_000
HELP_SECONDS = 30.0
_INTERPRETERS = {
    ".py": "python", ".sh": "bash", ".r": "Rscript", ".jl": "julia", ".pl": "perl", ".js": "node",
    ".rb": "ruby",
}  # fmt: skip
#: What a source says that answers to --help.
_HELPS = re.compile(
    r"argparse|--help|click|typer|absl|\bfire\b|docopt|optparse|optparse|jsonargparse"
)


@dataclass(frozen=True)
class Program:
    """A program and what was found in it; ``notes`` say what could not be looked at."""

    name: str
    words: tuple[str, ...]
    arguments: tuple[Argument, ...]
    printed: tuple[Printed, ...]
    source: str
    by_help: bool = False
    notes: tuple[str, ...] = ()

    @property
    def has_checkpoints(self) -> bool:
        """Whether it names the folder of checkpoints."""
        return "ARGBEST_CHECKPOINT_DIR" in self.source


def look_at(script: Path, folder: Path) -> Program:
    """Return what the file ``script``, in ``folder``, says of itself."""
    with script.open("rb") as file:
        source = file.read(LARGEST_SOURCE).decode("utf-8", "replace")
    words = _words(script, folder, source)
    notes: list[str] = []
    found: list[Argument] = []
    printed: list[Printed] = []
    if script.suffix == ".py":
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            why = str(error) or "it is nested too deep"
            notes.append(f"{script.name} is not Python that can be read here: {why}")
        else:
            found, printed = arguments.in_source(tree), metrics.in_source(tree)
            if any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree)):
                words = _as_module(script, folder) or words
    by_help = not found and _HELPS.search(source) is not None
    if by_help:
        text, problem = _help(words, folder)
        found = arguments.in_help(text)
        notes += [problem] if problem else []
    name = script.relative_to(folder).as_posix()
    return Program(name, tuple(words), tuple(found), tuple(printed), source, by_help, tuple(notes))


def _words(script: Path, folder: Path, source: str) -> list[str]:
    path = script.relative_to(folder).as_posix()
    interpreter = _INTERPRETERS.get(script.suffix.lower())
    if interpreter is None and not source.startswith("#!"):
        return [f"./{path}"]
    if interpreter is None:
        first = source.partition("\n")[0].removeprefix("#!").split()
        interpreter = first[-1].rpartition("/")[2] if first else "sh"
    return [interpreter, path]


def _as_module(script: Path, folder: Path) -> list[str] | None:
    """Return the command of a script that imports its neighbours, None where it is in no folder."""
    parts = script.relative_to(folder).with_suffix("").parts
    return ["python", "-m", ".".join(parts)] if len(parts) > 1 else None


def _help(words: list[str], folder: Path) -> tuple[str, str]:
    """Return what the program prints for --help, and a problem where it prints nothing."""
    program = shutil.which(words[0]) or (sys.executable if words[0] == "python" else None)
    if words[0].startswith("./"):
        program = str(folder / words[0])
    if program is None:
        return "", f"its --help was not read: no program is called {words[0]} here"
    with tempfile.TemporaryFile() as output:
        try:
            subprocess.run(
                [program, *words[1:], "--help"], cwd=folder, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, timeout=HELP_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return "", f"its --help was not read: no answer within {HELP_SECONDS:g} s"
        except OSError as error:
            return "", f"its --help was not read: {error.strerror}"
        output.seek(0)
        return output.read(LARGEST_SOURCE).decode("utf-8", "replace"), ""
