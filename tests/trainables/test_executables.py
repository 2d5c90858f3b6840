"""Which program a word names. What cannot be started: test_bad_programs.py."""

from __future__ import annotations

import errno
import shutil
import sys
from pathlib import Path

import pytest

from trainables.executables import executable, exit_hint, not_started
from trainables.program_errors import ProgramNotStarted


def test_a_word_is_looked_for_in_the_programs_own_path(tmp_path: Path) -> None:
    script = tmp_path / "bin" / "tool"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o700)
    assert executable("tool", tmp_path, {"PATH": str(script.parent)}) == str(script)
    assert executable("bin/tool", tmp_path, {}) == str(script)
    assert executable("sh", tmp_path, {}) == shutil.which("sh", path="/usr/local/bin:/usr/bin:/bin")


def test_python_is_ours_where_path_has_none(tmp_path: Path) -> None:
    assert executable("python", tmp_path, {"PATH": str(tmp_path)}) == sys.executable
    with pytest.raises(ProgramNotStarted, match="PATH under environment"):
        executable("Rscript", tmp_path, {"PATH": str(tmp_path)})


def test_windows_line_ends_are_named(tmp_path: Path) -> None:
    script = tmp_path / "run.sh"
    script.write_bytes(b"#!/bin/sh\r\necho 1\r\n")
    error = not_started("run.sh", str(script), OSError(errno.ENOENT, "no such file"))
    assert "its lines end as on Windows" in str(error)


@pytest.mark.parametrize(
    ("printed", "hint"),
    [
        ("ModuleNotFoundError: No module named 'torch'", "/usr/bin/python ran it: install there"),
        ("FileNotFoundError: [Errno 2] No such file or directory: '../data/x'", "full path of"),
        ("run.sh: line 5: syntax error near unexpected token `$'in\\r''", "as on Windows"),
        ("/usr/bin/env: \u2018bash\\r\u2019: No such file or directory", "as on Windows"),
        ("ValueError: x", ""),
    ],
)
def test_what_to_do_about_errors_that_many_make(printed: str, hint: str) -> None:
    said = exit_hint(printed, "/usr/bin/python")
    assert hint in said
    assert bool(said) == bool(hint)
