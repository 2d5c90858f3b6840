"""Where the files of a storage lie: a folder, or an object store through pyarrow.

Everything here raises ``OSError``, and ``ValueError`` or ``TypeError`` for a URI that is wrong.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol, cast
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

#: An S3 server that is silent for so many seconds is asked once more; then the request has failed.
_S3_TIMEOUTS = {"connect_timeout": 2.0, "request_timeout": 4.0}
_S3_ATTEMPTS = 2
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the storage: its name, its bytes, and when it was last written (UTC)."""

    name: str
    size: int
    modified: datetime


class Files(Protocol):
    """What a kind of storage can do with the files and folders in it."""

    def save(self, name: str, source: IO[bytes]) -> None:
        """Write all of ``source`` to the file ``name``."""

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading; raises ``FileNotFoundError``."""

    def delete(self, name: str) -> None:
        """Delete a file, if it is there."""

    def delete_folder(self, folder: str) -> None:
        """Delete a folder with its files, if it is there."""

    def files(self, folder: str) -> Iterator[StoredFile]:
        """Yield the files in a folder and in the folders in it; none if it is not there."""

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""


class Folder:
    """A folder of this machine, or of a share that this machine has mounted."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @classmethod
    def at(cls, uri: str) -> Folder:
        """Return the folder at a path or at a ``file://`` URI."""
        parts = urlsplit(uri)
        return cls(Path(unquote(parts.path) if parts.scheme else uri))

    def save(self, name: str, source: IO[bytes]) -> None:
        """Write a file beside it, and rename that when all of it is on the disk."""
        write_whole(self._root / name, source)

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading."""
        return (self._root / name).open("rb")

    def delete(self, name: str) -> None:
        """Delete a file and the folders that are empty without it."""
        path = self._root / name
        path.unlink(missing_ok=True)
        folders = path.parents[: name.count("/")]
        with suppress(OSError):  # the first that is not empty
            for folder in folders:
                folder.rmdir()

    def delete_folder(self, folder: str) -> None:
        """Delete a folder with its files."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self._root / folder)

    def files(self, folder: str) -> Iterator[StoredFile]:
        """Yield the files in a folder."""
        for parent, _, names in os.walk(self._root / folder, onerror=_raise_unless_gone):
            for path in (Path(parent, name) for name in names):
                with suppress(FileNotFoundError):  # deleted meanwhile
                    status, name = path.stat(), path.relative_to(self._root).as_posix()
                    modified = datetime.fromtimestamp(status.st_mtime, UTC)
                    yield StoredFile(name, status.st_size, modified)

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return (self._root / name).is_file()


class ObjectStore:
    """A folder in a file system of pyarrow's: S3 and what else it knows."""

    def __init__(self, system: Any, root: str) -> None:
        self._system = system
        self._root = root.strip("/")

    @classmethod
    def at(cls, uri: str, environment: Mapping[str, str]) -> ObjectStore:
        """Return the folder at a URI; S3 servers and credentials may be in the environment."""
        from pyarrow import fs

        parts = urlsplit(uri)
        if parts.scheme != "s3":
            return cls(*fs.FileSystem.from_uri(uri))
        retries = fs.AwsStandardS3RetryStrategy(max_attempts=_S3_ATTEMPTS)
        system = fs.S3FileSystem(retry_strategy=retries, **s3_options(parts, environment))
        return cls(system, parts.netloc.rpartition("@")[2] + unquote(parts.path))

    def save(self, name: str, source: IO[bytes]) -> None:
        """Write an object; object stores show it only when all of it is there."""
        opened = self._system.open_output_stream(self._path(name))
        try:
            with opened as target:
                shutil.copyfileobj(source, target, _CHUNK_BYTES)
        except OSError:
            # Where reading failed, pyarrow has closed the object, which is too short.
            with suppress(OSError):
                self.delete(name)
            raise

    def open(self, name: str) -> BinaryIO:
        """Open an object for reading."""
        return cast("BinaryIO", self._system.open_input_stream(self._path(name)))

    def delete(self, name: str) -> None:
        """Delete an object."""
        with suppress(FileNotFoundError):
            self._system.delete_file(self._path(name))

    def delete_folder(self, folder: str) -> None:
        """Delete the objects of a folder."""
        with suppress(FileNotFoundError):
            self._system.delete_dir(self._path(folder))

    def files(self, folder: str) -> Iterator[StoredFile]:
        """Yield the objects of a folder."""
        from pyarrow import fs

        path = self._path(folder) if folder else self._root
        chosen = fs.FileSelector(path, recursive=True, allow_not_found=True)
        for found in self._system.get_file_info(chosen):
            if found.type == fs.FileType.File:
                name = found.path.removeprefix(f"{self._root}/")
                yield StoredFile(name, found.size, found.mtime.astimezone(UTC))

    def has(self, name: str) -> bool:
        """Whether there is an object of this name."""
        from pyarrow import fs

        return bool(self._system.get_file_info(self._path(name)).type == fs.FileType.File)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


def _raise_unless_gone(error: OSError) -> None:
    """Another process deletes the folders of a job while they are listed."""
    if not isinstance(error, FileNotFoundError):
        raise error


def write_whole(target: Path, source: IO[bytes]) -> None:
    """Write a file beside ``target``, have it on the disk, then rename it to ``target``.

    The folders are made. Several writers may write one target; the last one to end wins.
    """
    part, file = _open_part(target)
    try:
        with file:
            shutil.copyfileobj(source, file, _CHUNK_BYTES)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _open_part(target: Path, attempts: int = 10) -> tuple[Path, BinaryIO]:
    part = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return part, part.open("xb")
    except (FileNotFoundError, FileExistsError):  # another process deletes the empty folder
        if attempts == 0:
            raise
        return _open_part(target, attempts - 1)


def s3_options(parts: SplitResult, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what the URI of an S3 bucket and the ``AWS_*`` variables say, for pyarrow.

    The URI goes first: ``s3://KEY:SECRET@bucket/folder?endpoint_override=host:port&scheme=http``.
    Credentials that it does not hold are found by pyarrow in the variables, or in ``~/.aws``. It
    may set ``connect_timeout`` and ``request_timeout``, in seconds. Raises ``ValueError``.
    """
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    for name, seconds in _S3_TIMEOUTS.items():
        options[name] = float(options.get(name, seconds))
    if parts.username and parts.password:
        options["access_key"] = unquote(parts.username)
        options["secret_key"] = unquote(parts.password)
    endpoint = (
        options.pop("endpoint_override", "")
        or environment.get("AWS_ENDPOINT_URL_S3", "")
        or environment.get("AWS_ENDPOINT_URL", "")
    )
    if "://" in endpoint:
        options["scheme"], _, endpoint = endpoint.rstrip("/").partition("://")
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    if endpoint:
        options["endpoint_override"] = endpoint
        # A server of one's own has no regions, but pyarrow would ask Amazon for its name.
        region = region or "us-east-1"
    if region:
        options.setdefault("region", region)
    return options
