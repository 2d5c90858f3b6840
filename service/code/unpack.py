"""Checks archives of code, and unpacks them. Only plain files and folders pass.

The rules are stricter than those of ``tarfile``: an archive comes from a client, and its files are
unpacked beside those of other jobs.
"""

from __future__ import annotations

import tarfile
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, BinaryIO, cast

from search_spaces.text import printable, unprintable
from service.code.archive import BadArchive, Contents, Fault, Limits
from service.code.stream import MOST_HEADER_BYTES, GzipStream

_CHUNK_BYTES = 1024 * 1024
_LONGEST_NAME_BYTES = 1_000
_LONGEST_PART_BYTES = 255
_DEEPEST = 50
_SHOWN = 100
_SPECIAL_BITS = 0o7000
_RENAME = "rename it"

#: Takes a file: its relative name, whether it may be executed, and its content in parts.
Take = Callable[[str, bool, Iterator[bytes]], object]


def check(archive: BinaryIO, limits: Limits) -> Contents:
    """Read an archive to its end and return what it holds; raise :class:`BadArchive`."""
    return _read(archive, limits, lambda _name, _may_run, parts: [None for _ in parts])


def unpack(archive: BinaryIO, target: Path, limits: Limits) -> Contents:
    """Write an archive's files into ``target``, an empty folder that nobody else writes to.

    Raises :class:`BadArchive`, and ``OSError`` where a file cannot be written; what has been
    written by then stays. Empty folders are left out.
    """

    def write(name: str, may_run: bool, parts: Iterator[bytes]) -> None:  # noqa: FBT001
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            for part in parts:
                file.write(part)
        path.chmod(0o755 if may_run else 0o644)

    return _read(archive, limits, write)


def _read(archive: BinaryIO, limits: Limits, take: Take) -> Contents:
    stream, names = GzipStream(archive), _Names(limits.entries)
    files = size = 0
    try:
        for member in _members(stream):
            names.count()
            name = _checked_name(member)
            if member.isdir():
                names.add_folder(name)
                continue
            _check_kind(member)
            files, size = files + 1, size + member.size
            if size > limits.unpacked:
                hint = "leave data and models out, by a file .argbestignore say"
                detail = f"unpacked, the files have more than {limits.unpacked:,} bytes"
                raise BadArchive(Fault.TOO_LARGE, detail, hint)
            names.add_file(name)
            stream.allow(member.size)
            take(name, bool(member.mode & 0o100), _parts(stream, member.size))
        stream.finish()
    except (tarfile.TarError, ValueError, OverflowError, RecursionError) as error:
        detail = f"the tar archive is damaged ({error})"
        raise BadArchive(Fault.DAMAGED, detail, "pack the folder again") from error
    if not files:
        raise BadArchive(Fault.EMPTY, "the archive holds no file", "name the code's folder")
    return Contents(files, size)


def _members(stream: GzipStream) -> Iterator[tarfile.TarInfo]:
    """Yield the archive's members; the content of a file is to be read before the next one."""
    stream.allow(MOST_HEADER_BYTES)
    file = cast("IO[bytes]", stream)
    with tarfile.TarFile(fileobj=file, encoding="utf-8", errors="surrogateescape") as tar:
        while member := tar.next():
            if member.size < 0:
                raise BadArchive(Fault.DAMAGED, "a file has a negative size", "pack it again")
            yield member
            stream.allow(MOST_HEADER_BYTES)


def _parts(stream: GzipStream, size: int) -> Iterator[bytes]:
    """Yield a file's content, which is ``size`` bytes long."""
    while size:
        part = stream.read(min(size, _CHUNK_BYTES))
        if not part:
            detail = f"the tar archive breaks off at byte {stream.tell():,}"
            raise BadArchive(Fault.CUT_OFF, detail, "pack the folder again")
        size -= len(part)
        yield part


def _check_kind(member: tarfile.TarInfo) -> None:
    """Refuse what is not a plain file."""
    name = _shown(member.name)
    if member.issym() or member.islnk():
        kind = "symbolic link" if member.issym() else "hard link"
        hint = "pack the file itself: `tar --dereference --hard-dereference`"
        raise BadArchive(Fault.LINK, f"{name} is a {kind}", hint)
    if member.issparse():
        detail = f"{name} is stored as a sparse file"
        raise BadArchive(Fault.SPARSE, detail, "pack it without --sparse")
    if not member.isreg():
        detail = f"{name} is neither a file nor a folder (tar type {member.type!r})"
        raise BadArchive(Fault.SPECIAL_FILE, detail, "leave it out")
    if member.mode & _SPECIAL_BITS:
        detail = f"{name} has a setuid, setgid or sticky bit"
        raise BadArchive(Fault.SPECIAL_BITS, detail, f"take it away: chmod ug-s,-t {name}")


def _checked_name(member: tarfile.TarInfo) -> str:
    """Return a member's relative name without "." in it; "" is the folder itself."""
    name = member.name
    if character := unprintable(name):
        detail = f"the name {_shown(name)} holds {character}, or is not UTF-8"
        raise BadArchive(Fault.BAD_NAME, detail, _RENAME)
    parts = name.split("/")
    if name.startswith("/") or ".." in parts:
        detail = f"the name {_shown(name)} leads out of the archive"
        raise BadArchive(Fault.UNSAFE_NAME, detail, "pack the folder with `tar -C FOLDER .`")
    parts = [part for part in parts if part not in {"", "."}]
    longest = max((len(part.encode()) for part in parts), default=0)
    if longest > _LONGEST_PART_BYTES or len(name.encode()) > _LONGEST_NAME_BYTES:
        raise BadArchive(Fault.BAD_NAME, f"the name {_shown(name)} is too long", _RENAME)
    if len(parts) > _DEEPEST:
        detail = f"{_shown(name)} lies in more than {_DEEPEST} folders"
        raise BadArchive(Fault.BAD_NAME, detail, "move it up")
    if not parts and not member.isdir():
        raise BadArchive(Fault.BAD_NAME, "a file in the archive has no name", _RENAME)
    return "/".join(parts)


class _Names:
    """The names in an archive: no file twice, and none that another system takes for the same."""

    def __init__(self, most: int) -> None:
        self._most, self._members = most, 0
        self._folders: dict[str, str] = {}
        self._files: dict[str, str] = {}

    def add_file(self, name: str) -> None:
        self.add_folder(name.rpartition("/")[0])
        key = _folded(name)
        self._refuse(name, self._files.get(key) or self._folders.get(key))
        self._files[key] = name
        self._check_count()

    def add_folder(self, name: str) -> None:
        while name:
            key = _folded(name)
            if self._folders.get(key) == name:
                return
            self._refuse(name, self._files.get(key) or self._folders.get(key))
            self._folders[key] = name
            name = name.rpartition("/")[0]

    def count(self) -> None:
        """Count one more member, named before or not."""
        self._members += 1
        self._check_count()

    def _check_count(self) -> None:
        if max(self._members, len(self._files) + len(self._folders)) > self._most:
            detail = f"the archive holds more than {self._most:,} files and folders"
            hint = "leave data out, by a file .argbestignore say"
            raise BadArchive(Fault.TOO_MANY, detail, hint)

    @staticmethod
    def _refuse(name: str, other: str | None) -> None:
        if other is None:
            return
        if name == other:
            detail = f"{_shown(name)} is in the archive twice"
            raise BadArchive(Fault.DUPLICATE, detail, "pack each file once")
        detail = f"{_shown(name)} and {_shown(other)} differ only in case or in Unicode's form"
        raise BadArchive(Fault.CASE_CLASH, detail, "rename one of them")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())


def _shown(name: str) -> str:
    return printable(name[:_SHOWN])
