"""Where code came from: its commit, and the Python, the packages and the machine that sent it."""

from __future__ import annotations

import ast
import os
import platform
import subprocess
import sys
import warnings
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

from search_spaces.text import printable
from service.code.ignored import Ignored

_GIT_SECONDS = 10.0
#: Python files that are looked through for imports, and packages that are named.
_MOST_FILES = 500
_MOST_PACKAGES = 200


def read_source(folder: Path) -> dict[str, Any]:
    """Return where the code in ``folder`` comes from, as JSON.

    ``commit`` and ``dirty`` are None outside a git repository; ``dirty`` is whether files in the
    folder differ from the commit. ``packages`` has the versions of the installed packages that the
    folder's Python files import. ``python``, ``platform`` and ``machine`` are those of the sender.
    """
    root = folder.resolve()
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    changes = None if commit is None else _git(root, "status", "--porcelain", "--", ".")
    return {
        "folder": printable(root.name),
        "commit": commit,
        "dirty": None if changes is None else bool(changes),
        "python": platform.python_version(),
        "platform": printable(platform.platform()),
        "machine": f"{printable(platform.node())}, {os.cpu_count()} CPUs",
        "packages": _packages(root),
    }


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints, None where it does not answer or the folder is in no repository."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True,
            timeout=_GIT_SECONDS, env=environment, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.strip()


def _packages(root: Path) -> dict[str, str]:
    """Return the versions of the installed packages that the folder's Python files import."""
    imported = {name for path in _python_files(root) for name in _imports(path)}
    foreign = sorted(imported - sys.stdlib_module_names)
    if not foreign:
        return {}
    found: dict[str, str] = {}
    unknown = []
    for module in foreign:
        try:
            found[module] = version(module)
        except PackageNotFoundError:
            unknown.append(module)
    if unknown:  # to look into all installed packages takes half a second
        installed = packages_distributions()
        named = {name for module in unknown for name in installed.get(module, [])}
        found |= {name: version(name) for name in named}
    return dict(sorted(found.items())[:_MOST_PACKAGES])


def _python_files(root: Path) -> list[Path]:
    """Return the Python files that are packed, a bounded number of them."""
    found: list[Path] = []
    folders = [(root, Ignored.of(root))]
    while folders and len(found) < _MOST_FILES:
        folder, rules = folders.pop()
        for path in sorted(folder.iterdir()):
            is_folder = path.is_dir() and not path.is_symlink()
            if rules.covers(path, is_folder=is_folder):
                continue
            if is_folder:
                folders.append((path, rules.within(path)))
            elif path.suffix == ".py" and path.is_file():
                found.append(path)
    return found[:_MOST_FILES]


def _imports(path: Path) -> Iterator[str]:
    """Yield the top-level modules that a Python file imports; none where it cannot be read."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of the code that is read
            tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):  # nested too deep
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.partition(".")[0]
