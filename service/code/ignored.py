"""Which files of a folder are no part of its code: .gitignore, .argbestignore and our own list."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore import GitIgnorePatternError

#: The files of rules, in the order in which they are read: the later one may take back the former.
RULE_FILES = (".gitignore", ".argbestignore")
#: Never code: what version control, environments, caches and editors keep.
_NEVER = (
    ".git", ".hg", ".svn", ".venv", "__pycache__", "*.pyc", ".mypy_cache/", ".pytest_cache/",
    ".ruff_cache/", ".ipynb_checkpoints/", "node_modules/", ".DS_Store",
)  # fmt: skip
#: A folder with this file is a virtual environment, whatever its name.
_ENVIRONMENT = "pyvenv.cfg"


class BadRules(Exception):
    """A file of rules that cannot be read; the message names it."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """The rules for one folder: its own, and those of the folders that it lies in.

    ``rules`` are pairs of a folder and the rules that it has for the names in it; a later pair goes
    first. ``never`` goes before all of them.
    """

    never: tuple[Path, GitIgnoreSpec]
    rules: tuple[tuple[Path, GitIgnoreSpec], ...] = ()

    @classmethod
    def of(cls, folder: Path, left_out: Sequence[Path] = ()) -> Ignored:
        """Return the rules of an absolute ``folder``; in a git repository, of those above it too.

        ``left_out`` are folders that are no code, wherever they lie.
        """
        inside = [path.relative_to(folder) for path in left_out if folder in path.parents]
        lines = [*_NEVER, *(f"/{path.as_posix()}" for path in inside)]
        found = cls((folder, GitIgnoreSpec.from_lines(lines)))
        repository = next((p for p in (folder, *folder.parents) if (p / ".git").exists()), folder)
        above = [path for path in folder.parents if path.is_relative_to(repository)]
        for each in (*reversed(above), folder):
            found = found.within(each)
        return found

    def within(self, folder: Path) -> Ignored:
        """Return the rules inside ``folder``, which may have files of rules itself."""
        own = [(folder, spec) for name in RULE_FILES if (spec := _read(folder / name)) is not None]
        return replace(self, rules=(*self.rules, *own)) if own else self

    def covers(self, path: Path, *, is_folder: bool) -> bool:
        """Whether a file or a folder is left out, with all that is in it."""
        if is_folder and (path / _ENVIRONMENT).exists():
            return True
        for base, spec in (self.never, *reversed(self.rules)):
            name = path.relative_to(base).as_posix() + "/" * is_folder
            for pattern in reversed(spec.patterns):
                if pattern.regex is not None and _names(pattern.regex, name):
                    return pattern.include is True
        return False


def _names(pattern: re.Pattern[Any], name: str) -> bool:
    """Whether a pattern names an entry itself, and not only a folder that it lies in.

    Git judges each folder on the way by itself, as we do; the library judges whole paths, with
    another outcome where a later pattern takes a folder back. Folders' names end in a slash, for
    which a pattern has the group ``ps_d``; the pattern ``x/**`` names what is in x, not x.
    """
    for found in pattern.finditer(name):
        is_whole = found.end() == len(name)
        if found.groupdict().get("ps_d") is not None:
            if is_whole:
                return True
        elif not (is_whole and name.endswith("/")):
            return True
    return False


def _read(path: Path) -> GitIgnoreSpec | None:
    try:
        lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except (FileNotFoundError, IsADirectoryError):
        return None
    except OSError as error:
        raise BadRules(f"cannot read {path}: {os.strerror(error.errno or 0)}") from error
    try:
        return GitIgnoreSpec.from_lines(lines)
    except GitIgnorePatternError as error:
        raise BadRules(f"{path} holds a pattern that cannot be used: {error}") from error
