"""Which program a word names. What cannot be started: test_bad_programs.py."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from trainables.executables import executable
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
