"""The command as a whole: help, laziness, exit codes of each error, quiet interruptions."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from service.cli import COMMANDS, main
from service.cli.errors import ExitCode
from tests.service.fake_api import FakeApi, serving

DOCS = Path(__file__).parents[3] / "docs" / "cli.md"
ALL = [(name, *entry) for section in COMMANDS.values() for name, entry in section.items()]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serving() as served:
        yield served


def run(api: FakeApi, *args: str) -> Result:
    return CliRunner().invoke(main, ["--url", api.url, *args])


@pytest.mark.parametrize(("name", "module", "function", "text"), ALL, ids=[row[0] for row in ALL])
def test_help_table_says_what_each_command_says(
    name: str, module: str, function: str, text: str
) -> None:
    command = getattr(import_module(f"service.cli.{module}"), function)
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


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from service.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "heavy = {'httpx2', 'rich', 'yaml', 'pydantic', 'numpy', 'ray', 'torch', 'asyncio'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "handin" in done.stdout


def test_client_and_all_commands_import_no_server() -> None:
    modules = ", ".join(sorted({f"service.cli.{row[1]}" for row in ALL}))
    code = (
        f"import sys, service.client.client, {modules}, handin\n"
        "from service.cli.data import datasets_folders\n"
        "wrong = {'ray', 'torch', 'fastapi', 'sqlalchemy', 'matplotlib', 'optuna', 'uvicorn'}\n"
        "wrong &= set(sys.modules)\n"
        "sys.exit(f'imported: {wrong}' if wrong else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_unknown_command_is_a_usage_error() -> None:
    result = CliRunner().invoke(main, ["lss"])
    assert result.exit_code == 2
    assert "No such command" in result.stderr


@pytest.mark.parametrize(
    ("status", "code"), [(400, 2), (422, 2), (401, 3), (403, 3), (404, 4), (409, 4), (500, 5)]
)
def test_exit_code_of_each_status(api: FakeApi, status: int, code: int) -> None:
    api.canned = [(status, {"Content-Type": "application/json"}, b'{"detail": "no"}')]
    result = run(api, "ls")
    assert result.exit_code == code
    assert result.stdout == ""
    assert "Error: no" in result.stderr


def test_exit_code_of_a_busy_server_and_when_to_come_back(api: FakeApi) -> None:
    api.canned = [(503, {"Retry-After": "120"}, b'{"detail": "the disk is full"}')]
    result = run(api, "ls")
    assert result.exit_code == 5
    assert "the disk is full" in result.stderr
    assert "try again in 120 s" in result.stderr


def test_unreachable_server_is_five_and_says_how_to_start_one() -> None:
    with serving() as gone:
        pass
    result = run(gone, "ls")
    assert result.exit_code == 5
    assert "argbest serve" in result.stderr


def test_another_program_is_five(api: FakeApi) -> None:
    api.canned = [(200, {"Content-Type": "text/html"}, b"<html>")]
    result = run(api, "ls")
    assert result.exit_code == 5
    assert "is argbest served there?" in result.stderr


def test_bad_url_is_a_usage_error() -> None:
    result = CliRunner().invoke(main, ["ls", "--url", "localhost:8000"])
    assert result.exit_code == 2
    assert "not an http or https URL" in result.stderr


def test_url_and_token_come_from_the_environment_and_options_go_first(api: FakeApi) -> None:
    api.token = "right"
    environment = {"ARGBEST_URL": api.url, "ARGBEST_TOKEN": "right"}
    runner = CliRunner(env=environment)
    assert runner.invoke(main, ["ls"]).exit_code == 0
    assert runner.invoke(main, ["ls", "--token", "wrong"]).exit_code == 3
    assert runner.invoke(main, ["--token", "wrong", "ls", "--token", "right"]).exit_code == 0
    assert runner.invoke(main, ["--url", "http://127.0.0.1:1", "ls"]).exit_code == 5


def test_missing_token_says_where_to_put_it(api: FakeApi) -> None:
    api.token = "right"
    result = run(api, "ls")
    assert result.exit_code == 3
    assert "ARGBEST_TOKEN" in result.stderr


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
