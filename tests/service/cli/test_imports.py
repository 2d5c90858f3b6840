"""The command line is quick: help needs click alone, and no command's module loads the server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from service.cli import COMMANDS

ROOT = Path(__file__).parents[3]
MODULES = sorted(
    {
        module if "." in module else f"service.cli.{module}"
        for section in COMMANDS.values()
        for module, _ in section.values()
    }
)
NEVER = {"ray", "torch", "fastapi", "starlette", "uvicorn", "sqlalchemy", "alembic", "matplotlib",
         "optuna", "numba"}  # fmt: skip
#: Modules that only a command that needs them loads.
LAZY = {"httpx2", "rich", "yaml", "pydantic", "numpy", "asyncio", "jsonschema", "search_spaces",
        "email"}  # fmt: skip


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh process has loaded after ``code``."""
    names = "{name.partition('.')[0] for name in sys.modules}"
    program = (
        f"import atexit, sys\natexit.register(lambda: print(*{names}, file=sys.stderr))\n{code}"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    return set(done.stderr.splitlines()[-1].split())


def command(*arguments: str) -> str:
    """A program that runs a command with no server to be reached."""
    return f"from service.cli import main\nmain(['--url', 'http://127.0.0.1:1', *{arguments!r}])"


def test_help_loads_nothing_that_it_does_not_need() -> None:
    found = loaded_by(command("--help"))
    assert "click" in found
    assert found & (NEVER | LAZY) == set()


#: Runs each of some steps, and prints after each the modules of the server that it has loaded.
STEPS = """
import importlib, sys
from service.cli import main

def run(arguments):
    try:
        main(["--url", "http://127.0.0.1:1", *arguments])
    except SystemExit:
        pass

seen = set()
for step in {steps!r}:
    importlib.import_module(step) if isinstance(step, str) else run(step)
    found = {never!r} & {{name.partition(".")[0] for name in sys.modules}}
    print("step", step, *sorted(found - seen), sep="|")
    seen |= found
"""


def loading_too_much(*steps: str | list[str]) -> list[str]:
    """The steps, modules to import or commands, that load a part of the server."""
    done = subprocess.run(
        [sys.executable, "-c", STEPS.format(steps=steps, never=NEVER)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [line.split("|") for line in done.stdout.splitlines() if line.startswith("step|")]
    assert [line[1] for line in lines] == [str(step) for step in steps]
    return ["|".join(line) for line in lines if line[2:]]


def test_no_module_loads_a_part_of_the_server() -> None:
    assert loading_too_much(*MODULES, "service.client.client", "argbest", "handin") == []
    assert loading_too_much("sqlalchemy") == ["step|sqlalchemy|sqlalchemy"]


def test_no_command_loads_a_part_of_the_server_while_it_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ARGBEST_DATA_DIR", str(tmp_path))
    searched = str(ROOT / "examples" / "shell_script" / "search.yaml")
    assert loading_too_much(
        ["data", "ls"], ["doctor"], ["version"], ["ls"], ["plan", "q3_mlp"], ["try", searched]
    ) == []  # fmt: skip
