"""Writing files so that a reader sees the old one or the whole new one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

#: Characters; a file system takes names of 255 bytes, and a letter may need four.
_LONGEST_STEM = 50


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``, whole or not at all; a failure is a usage error."""
    from trainables.files import replace

    with writing(path):
        replace(path.resolve(), lambda part: part.write_bytes(content))


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failure to write ``path`` into a usage error."""
    try:
        yield
    except OSError as error:
        raise click.UsageError(f"cannot write {path}: {error.strerror or error}") from error


def make_folder(path: Path) -> None:
    """Make a folder and those above it; a failure is a usage error."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"cannot make the folder {path}: {error.strerror}") from error


def check_writable(path: Path) -> None:
    """Refuse a ``path`` that cannot be written, before hours of work begin."""
    folder = path.resolve().parent
    if path.is_dir():
        raise click.UsageError(f"cannot write {path}: it is a folder")
    if not folder.is_dir():
        raise click.UsageError(f"cannot write {path}: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise click.UsageError(f"cannot write {path}: the folder {folder} is not writable")


def file_names(names: Iterable[str]) -> dict[str, str]:
    """Return a file name without suffix for each of ``names``, which may hold any characters.

    Letters, digits, ``_``, ``.`` and ``-`` are kept. Names that would share a file, also where
    upper and lower case are one, get a number.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        stem = re.sub(r"[^\w.-]+", "_", name)[:_LONGEST_STEM].strip(".") or "_"
        file, number = stem, 1
        while file.casefold() in taken:
            number += 1
            file = f"{stem}_{number}"
        taken.add(file.casefold())
        found[name] = file
    return found
