"""Progress as plain lines, and as bars on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from service.cli.display import Display, left_text
from tests.service.fake_api import serving


def test_plain_display_shows_the_total_seldom_and_only_when_it_changed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = [0.0]
    shown = Display(lambda: now[0])
    for moment, done in ((0, 0), (1, 1), (11, 2), (30, 2), (31, 3)):
        now[0] = moment
        shown.total("0/5 trials", done, 100, 90.0)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[2] for line in lines] == ["0/100", "2/100", "3/100"]
    assert lines[0] == "0/5 trials: 0/100 epochs, about 1 min 30 s left"
    assert (left_text(None), left_text(0.0)) == ("", "")
    now[0] = 60.0
    shown.total("0/5 trials", 4, 100, 90.0, word="at most")
    said = "0/5 trials: 4 of at most 100 epochs, at most about 1 min 30 s left\n"
    assert capsys.readouterr().err == said
    now[0] = 90.0
    shown.total("0/5 trials", 5, 30, 90.0, word="about")
    assert capsys.readouterr().err == "0/5 trials: 5 of about 30 epochs, about 1 min 30 s left\n"


def on_a_terminal(*args: str) -> str:
    """Run a command with both outputs on a terminal; return what it drew."""
    controller, terminal = pty.openpty()
    environment = {**os.environ, "COLUMNS": "120", "TERM": "xterm"}
    program = [sys.executable, "-m", "service.cli", *args]
    with subprocess.Popen(
        program, stdout=terminal, stderr=terminal, env=environment, cwd=Path(__file__).parents[3]
    ) as process:
        os.close(terminal)
        drawn = b""
        while True:
            try:
                part = os.read(controller, 65536)
            except OSError:  # Linux says EIO once the other end is closed
                break
            if not part:
                break
            drawn += part
    os.close(controller)
    assert process.returncode == 0
    return drawn.decode()


def test_bars_and_tables_are_drawn_on_a_terminal() -> None:
    with serving() as api:
        api.add_job("a [bold]name")
        watched = on_a_terminal("watch", "j1", "--url", api.url)
        listed = on_a_terminal("ls", "--url", api.url)
    assert "━" in watched
    assert "4/4 epochs" in watched
    assert "trial 1 succeeded after 2 epochs" in watched
    assert "a [bold]name" in listed
    assert "─" in listed
