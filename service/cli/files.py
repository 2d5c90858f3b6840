"""Writing files so that a reader sees the old one or the whole new one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``: beside it first, then over it; a failure is a usage error."""
    try:
        _replace(path, content)
    except OSError as error:
        raise click.UsageError(f"cannot write {path}: {error.strerror or error}") from error


def _replace(path: Path, content: bytes) -> None:
    target = path.resolve()
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files that only their owner reads; give it the usual permissions.
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def make_folder(path: Path) -> None:
    """Make a folder and those above it; a failure is a usage error."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"cannot make the folder {path}: {error.strerror}") from error


def check_writable(path: Path) -> None:
    """Refuse a ``path`` that could not be written in the end, before hours of work begin."""
    if path.is_dir():
        raise click.UsageError(f"cannot write {path}: it is a folder")
    folder = path.resolve().parent
    if not folder.is_dir():
        raise click.UsageError(f"cannot write {path}: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise click.UsageError(f"cannot write {path}: the folder {folder} is not yours to write")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
