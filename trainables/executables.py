"""Finds a command's program, and says why one cannot be started."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from trainables.program_errors import ProgramNotStarted

#: For these words, where PATH has no such program, the interpreter that argbest runs in is taken.
_PYTHON = ("python", "python3")
_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
_WINDOWS = r"its lines end as on Windows: sed -i 's/\r$//' FILE mends that"
#: What a program prints, and what to do then.
_HINTS = (
    (re.compile(r"\\r['\u2019]"), _WINDOWS),
    (
        re.compile("ModuleNotFoundError|there is no package called"),
        "{} ran it: install there what is missing, or name another interpreter in command",
    ),
    (
        re.compile("FileNotFoundError|No such file or directory|can't open file|cannot open file"),
        "it runs in a folder of its own, which has what `code: .` sends along, without what "
        ".gitignore and .argbestignore name: pass the full path of other files",
    ),
)


def executable(word: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Return the path of the program that ``word`` names: a path in ``folder``, or in PATH.

    Raises :class:`ProgramNotStarted` where there is none.
    """
    if "/" in word:
        path = folder / word
        if not path.exists():
            raise ProgramNotStarted(
                f"{word} is not there: its path starts in the folder of the code, so send the code "
                "along (code: .) or give a path that every node has"
            )
        return str(path)
    found = shutil.which(word, path=environment.get("PATH", _DEFAULT_PATH))
    if found is not None:
        return found
    if word in _PYTHON:
        return sys.executable
    if (folder / word).is_file():
        raise ProgramNotStarted(f"{word} is a file of the code: write ./{word}")
    raise ProgramNotStarted(
        f"no program is called {word!r} on this node: install it there, give its full path, or "
        f"set PATH under environment (it is {environment.get('PATH', _DEFAULT_PATH)})"
    )


def not_started(word: str, path: str, error: OSError | ValueError) -> ProgramNotStarted:
    """Return why the program ``word``, found at ``path``, could not be started."""
    number = error.errno if isinstance(error, OSError) else None
    script, is_from_windows = _first_line(path)
    if Path(path).is_dir():
        why = "it is a folder: name the program in it"
    elif number == errno.EACCES and not os.access(path, os.X_OK):
        interpreter = script.removeprefix("#!").strip() or "bash"
        why = f"it may not be run: chmod +x {word}, or begin the command with {interpreter}"
    elif number == errno.ENOENT and script.startswith("#!") and is_from_windows:
        why = _WINDOWS
    elif number == errno.ENOENT and script.startswith("#!"):
        why = f"its first line, {script}, names an interpreter that this node does not have"
    elif number == errno.ENOEXEC:
        why = "it is no program of this machine, nor does it begin with #!: name an interpreter"
    elif number == errno.E2BIG:
        why = "its arguments are too long: have it read the file {config} instead"
    else:
        why = f"{error}"
    return ProgramNotStarted(f"{word} could not be started: {why}")


def exit_hint(printed: str, path: str) -> str:
    """Return what to do about an error that is among the last lines of the program ``path``.

    "" where none is known.
    """
    return next((hint for pattern, hint in _HINTS if pattern.search(printed)), "").format(path)


def _first_line(path: str) -> tuple[str, bool]:
    """Return the first line of a script, as far as it can be read, and whether it ends in CR LF."""
    try:
        with Path(path).open("rb") as file:
            line = file.readline(200)
    except OSError:
        return "", False
    return line.decode("utf-8", "replace").strip(), line.endswith(b"\r\n")
