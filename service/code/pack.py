"""Packs a folder into an archive of code: the same files give the same bytes."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from results.formatting import count
from service.code import unpack
from service.code.archive import BadArchive, Limits, digest_of
from service.code.ignored import BadRules, Ignored

#: Of the files that make an archive too large, so many are named.
_MOST_NAMED = 5
_COMPRESSION = 6


class PackError(Exception):
    """A folder that cannot be packed; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A packed folder: its ``digest``, ``content``, number of ``files`` and their ``bytes``.

    ``left_out`` names links and special files, which cannot be sent.
    """

    digest: str
    content: bytes
    files: int
    bytes: int
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _File:
    """A file to pack: its name in the archive, and where it is."""

    name: str
    path: Path
    size: int
    may_run: bool


def pack(folder: Path, *, limits: Limits | None = None, left_out: Sequence[Path] = ()) -> Archive:
    """Return the archive of a folder without what ``.gitignore`` and ``.argbestignore`` leave out.

    ``left_out`` are folders that are no code: the service's data folder, say. Links to files inside
    the folder become files. Raises :class:`PackError`.
    """
    limits, root = limits or Limits(), folder.resolve()
    if not root.is_dir():
        raise PackError(f"{folder} is not a folder: name the folder of the code")
    special: list[str] = []
    try:
        rules = Ignored.of(root, [path.resolve() for path in left_out])
        files = sorted(_files(root, rules, special), key=lambda file: file.name)
        _check_size(folder, files, limits)
        content = gzip.compress(_tar(files), _COMPRESSION, mtime=0)
    except BadRules as error:
        raise PackError(str(error)) from error
    except OSError as error:
        reason = error.strerror or error
        raise PackError(f"cannot read {error.filename or folder}: {reason}") from error
    if len(content) > limits.packed:
        raise _too_large(folder, f"packed, it has {_size(len(content))}", limits.packed, files)
    return _checked(folder, content, limits, special)


def _checked(folder: Path, content: bytes, limits: Limits, special: list[str]) -> Archive:
    """Return the archive, read as the service reads it."""
    try:
        found = unpack.check(io.BytesIO(content), limits)
    except BadArchive as error:
        raise PackError(f"{folder} cannot be sent: {error.detail}; {error.hint}") from error
    return Archive(digest_of(content), content, found.files, found.bytes, tuple(sorted(special)))


def _files(root: Path, rules: Ignored, special: list[str]) -> Iterator[_File]:
    """Yield the files in ``root``; names of what cannot be packed are added to ``special``.

    Folders may be nested deeper than functions may call each other: the archive says how deep.
    """
    folders = [(root, rules)]
    while folders:
        folder, rules = folders.pop()
        for path, is_folder in _entries(folder):
            name = path.relative_to(root).as_posix()
            if rules.covers(path, is_folder=is_folder):
                continue
            if is_folder:
                folders.append((path, rules.within(path)))
            elif _is_file_in(root, path):
                status = path.stat()
                yield _File(name, path, status.st_size, bool(status.st_mode & 0o100))
            else:
                special.append(name)


def _entries(folder: Path) -> list[tuple[Path, bool]]:
    """Return what is in a folder, each with whether it is a folder; a link is none."""
    with os.scandir(folder) as found:
        return [(Path(entry.path), entry.is_dir(follow_symlinks=False)) for entry in found]


def _is_file_in(root: Path, path: Path) -> bool:
    """Whether there is a file, which a link may lead to, in the folder ``root``."""
    try:
        return path.is_file() and path.resolve().is_relative_to(root)
    except OSError:  # a link that leads to itself
        return False


def _check_size(folder: Path, files: Sequence[_File], limits: Limits) -> None:
    if not files:
        raise PackError(f"{folder} holds no file to send: name the folder of the code")
    if len(files) > limits.entries:
        hint = "leave some out, in a file .argbestignore"
        raise PackError(f"{folder} has {len(files):,} files, at most {limits.entries:,}; {hint}")
    size = sum(file.size for file in files)
    if size > limits.unpacked:
        raise _too_large(folder, f"its files have {_size(size)}", limits.unpacked, files)


def _too_large(folder: Path, what: str, limit: int, files: Sequence[_File]) -> PackError:
    largest = sorted(files, key=lambda file: file.size, reverse=True)[:_MOST_NAMED]
    named = ", ".join(f"{file.name} ({_size(file.size)})" for file in largest)
    return PackError(
        f"{folder} is too large to send: {what}, at most {_size(limit)} are allowed. Largest of "
        f"{count(len(files), 'file')}: {named}. Leave data and models out, in a file .argbestignore"
    )


def _tar(files: Sequence[_File]) -> bytes:
    """Return the tar archive of the files, without owners and times."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for file in files:
            content = file.path.read_bytes()
            member = tarfile.TarInfo(file.name)
            member.size, member.mode = len(content), 0o755 if file.may_run else 0o644
            tar.addfile(member, io.BytesIO(content))
    return target.getvalue()


def _size(size: int) -> str:
    """Return a number of bytes for people."""
    if size < 1_000_000:
        return f"{size / 1_000:.1f} kB" if size >= 1_000 else count(size, "byte")
    return f"{size / 1_000_000:.1f} MB"
