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

#: Prints, at its end, the top-level modules that were loaded.
PROGRAM = """
import atexit, sys
atexit.register(lambda: print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr))
"""


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


@pytest.mark.parametrize("module", [*MODULES, "service.client.client", "argbest", "handin"])
def test_module_loads_no_part_of_the_server(module: str) -> None:
    found = loaded_by(f"import {module}")
    assert module.partition(".")[0] in found
    assert found & NEVER == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["data", "ls"], ["doctor"], ["version"], ["ls"], ["plan", "q3_mlp"],
        ["try", str(ROOT / "examples" / "shell_script" / "search.yaml")],
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_command_loads_no_part_of_the_server_while_it_runs(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ARGBEST_DATA_DIR", str(tmp_path))
    found = loaded_by(command(*arguments))
    assert "service" in found
    assert found & NEVER == set()
