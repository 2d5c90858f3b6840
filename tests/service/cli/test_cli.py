"""The command as a whole: help, documentation, quiet interruptions."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from keyword import iskeyword
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from service.cli import COMMANDS, main
from service.cli.errors import ExitCode
from tests.service.cli.commands import run
from tests.service.fake_api import FakeApi

DOCS = Path(__file__).parents[3] / "docs" / "cli.md"
ALL = [(name, *entry) for section in COMMANDS.values() for name, entry in section.items()]


def path_of(module: str) -> str:
    return module if "." in module else f"service.cli.{module}"


@pytest.mark.parametrize(("name", "module", "text"), ALL, ids=[row[0] for row in ALL])
def test_help_table_says_what_each_command_says(name: str, module: str, text: str) -> None:
    function = f"{name}_" if iskeyword(name) else name
    command = getattr(import_module(path_of(module)), function)
    assert isinstance(command, click.Command)
    assert command.help is not None
    assert (command.name, command.help.splitlines()[0]) == (name, text)


@pytest.mark.parametrize("name", [row[0] for row in ALL])
def test_documentation_names_each_command_and_all_its_options(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    text = DOCS.read_text(encoding="utf-8")
    section = re.search(rf"^### `argbest {name}\b.*?(?=^##|\Z)", text, re.DOTALL | re.MULTILINE)
    assert section, f"docs/cli.md has no section on {name}"
    missing = [option for option in _options(command) if f"`{option}" not in section[0]]
    assert missing == []


def _options(command: click.Command) -> set[str]:
    """The long options of a command and its subcommands, without those that all have."""
    inside = command.commands.values() if isinstance(command, click.Group) else ()
    parameters = [*command.params, *(one for child in inside for one in child.params)]
    found = {
        option
        for parameter in parameters
        if isinstance(parameter, click.Option)
        for option in parameter.opts
        if option.startswith("--")
    }
    return found - {"--url", "--token", "--json", "--help"}


def test_documentation_names_each_exit_code() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert [code for code in ExitCode if f"| {code.value} |" not in text] == []


def test_unknown_command_is_a_usage_error() -> None:
    result = CliRunner().invoke(main, ["lss"])
    assert result.exit_code == 2
    assert "No such command" in result.stderr


def test_terminal_escapes_of_the_server_are_written_out(api: FakeApi) -> None:
    api.add_job("\x1b[2Jevil")
    result = run(api, "ls")
    assert "\x1b" not in result.stdout
    assert "\\x1b[2Jevil" in result.stdout


def test_closed_pipe_is_quiet(api: FakeApi) -> None:
    for _ in range(2000):
        api.add_job()
    program = [sys.executable, "-m", "service.cli", "ls", "--limit", "2000", "--url", api.url]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 130


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let child processes be interrupted, also where the shell began this run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_is_quiet_and_says_that_the_job_goes_on(api: FakeApi) -> None:
    api.add_job("endless")
    program = [sys.executable, "-m", "service.cli", "watch", "j1", "--url", api.url]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            deadline = time.monotonic() + 20
            while "/api/v1/jobs/j1/events" not in api.paths("GET"):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "job j1 goes on" in said
