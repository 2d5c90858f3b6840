"""The places where a data set's original files may be: folders, web mirrors, a Debian package.

A file is accepted only if its size and MD5 checksum are those of a published form.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from trainables.datasets.types import Log
from trainables.files import replace

_APT_SOCKET_TIMEOUT_S = 10
_COMMAND_TIMEOUT_S = 300.0
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Variant:
    """One published form of a file: its size in bytes and its MD5 checksum in hexadecimal."""

    size: int
    md5: str


@dataclass(frozen=True, slots=True)
class SourceFile:
    """An original file: its name, the shape of its IDX array, and its published forms."""

    name: str
    shape: tuple[int, ...]
    variants: tuple[Variant, ...]

    def size_in(self, folder: Path) -> int | None:
        """Return the file's size in ``folder``, or None unless it is that of a published form."""
        try:
            size = (folder / self.name).stat().st_size
        except OSError:
            return None
        return size if size in {variant.size for variant in self.variants} else None


class Unobtainable(Exception):
    """The place has not all files, or damaged ones; the message says why."""


class Place(Protocol):
    """A place that may have the original files."""

    @property
    def label(self) -> str:
        """The place's name in messages."""

    def obtain(self, files: Sequence[SourceFile], target: Path, log: Log) -> Path:
        """Return a folder with all of ``files``, checked: the place's own, or ``target``.

        Raises :class:`Unobtainable` or ``OSError``, and then leaves nothing half-written.
        """


def check_file(path: Path, file: SourceFile) -> None:
    """Raise :class:`Unobtainable` unless ``path`` is one of the published forms of ``file``."""
    try:
        size = path.stat().st_size
        if size not in {variant.size for variant in file.variants}:
            sizes = " or ".join(str(variant.size) for variant in file.variants)
            raise Unobtainable(f"{file.name} has {size} bytes, expected {sizes}")
        with path.open("rb") as opened:
            digest = hashlib.file_digest(
                opened, lambda: hashlib.md5(usedforsecurity=False)
            ).hexdigest()
    except OSError as error:
        raise Unobtainable(f"{file.name}: {error.strerror}") from error
    if Variant(size, digest) not in file.variants:
        known = " or ".join(variant.md5 for variant in file.variants)
        raise Unobtainable(f"{file.name} has md5 {digest}, expected {known}")


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """A folder on this machine that may hold the files."""

    path: Path

    @property
    def label(self) -> str:
        """Name the folder."""
        return f"folder {self.path}"

    def obtain(self, files: Sequence[SourceFile], target: Path, log: Log) -> Path:  # noqa: ARG002
        """Return the folder itself if each file in it is correct."""
        for file in files:
            check_file(self.path / file.name, file)
        return self.path


@dataclass(frozen=True, slots=True)
class Mirror:
    """A web folder; ``url`` ends with a slash.

    ``timeout_s`` limits the wait for a connection and for each piece of an answer,
    ``file_timeout_s`` the time a whole file may take.
    """

    url: str
    timeout_s: float = 10.0
    file_timeout_s: float = 600.0

    @property
    def label(self) -> str:
        """Name the address."""
        return self.url

    def obtain(self, files: Sequence[SourceFile], target: Path, log: Log) -> Path:
        """Download the files that ``target`` lacks, each whole or not at all."""
        for file in files:
            try:
                check_file(target / file.name, file)
            except Unobtainable:
                log(f"downloading {self.url}{file.name}")
                replace(target / file.name, partial(self._download, file))
        return target

    def _download(self, file: SourceFile, part: Path) -> None:
        limit = max(variant.size for variant in file.variants)
        deadline = time.monotonic() + self.file_timeout_s
        try:
            # S310: the scheme is fixed; the checksum protects a download over plain HTTP.
            with (
                urllib.request.urlopen(self.url + file.name, timeout=self.timeout_s) as answer,  # noqa: S310
                part.open("wb") as out,
            ):
                while chunk := answer.read1(_CHUNK):  # waits once at most: the deadline holds
                    out.write(chunk)
                    if out.tell() > limit:
                        raise Unobtainable(f"{file.name} is longer than {limit} bytes")
                    if time.monotonic() > deadline:
                        raise Unobtainable(f"{file.name} took over {self.file_timeout_s:g} s")
        except (OSError, http.client.HTTPException) as error:
            raise Unobtainable(f"{file.name}: {error}") from error
        check_file(part, file)


@dataclass(frozen=True, slots=True)
class DebianPackage:
    """A package of Debian and its descendants, unpacked without being installed (or root)."""

    package: str
    path: str

    @property
    def label(self) -> str:
        """Name the package."""
        return f"Debian package {self.package}"

    def obtain(self, files: Sequence[SourceFile], target: Path, log: Log) -> Path:
        """Download the package with apt-get, which checks its signature; keep only the files."""
        log(f"downloading the {self.label} with apt-get")
        with tempfile.TemporaryDirectory(prefix="debian-", dir=target) as name:
            work = Path(name)
            options = ["-o", f"Acquire::http::Timeout={_APT_SOCKET_TIMEOUT_S}"]
            self._run(["apt-get", *options, "download", self.package], work)
            archives = list(work.glob("*.deb"))
            if not archives:
                raise Unobtainable("apt-get left no package behind")
            self._run(["dpkg-deb", "-x", str(archives[0]), str(work)], work)
            for file in files:
                check_file(work / self.path / file.name, file)
                (work / self.path / file.name).replace(target / file.name)
        return target

    def _run(self, command: list[str], folder: Path) -> None:
        environment = {**os.environ, "LC_ALL": "C"}
        try:
            subprocess.run(
                command, cwd=folder, env=environment, check=True, capture_output=True,
                text=True, stdin=subprocess.DEVNULL, timeout=_COMMAND_TIMEOUT_S,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise Unobtainable(f"{command[0]} is not on this machine") from error
        except subprocess.TimeoutExpired as error:
            raise Unobtainable(f"{command[0]} took over {_COMMAND_TIMEOUT_S:.0f} s") from error
        except subprocess.CalledProcessError as error:
            reason = (error.stderr.strip() or f"exit status {error.returncode}").splitlines()[-1]
            raise Unobtainable(f"{command[0]}: {reason}") from error
