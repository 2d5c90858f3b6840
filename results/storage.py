"""The storage of checkpoints and models: named files in a folder or in an object store.

A name is relative and its parts are separated by "/". pyarrow, which knows the object stores, is
imported when one is first used: the command line and the client never load it.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from results.storage_kinds import Files, Folder, ObjectStore, StoredFile, write_whole

__all__ = ["SCHEMES", "NotInStorage", "Storage", "StorageError", "StoredFile", "hide_credentials"]

#: The file by which a storage is known again: the folder of a share that is not mounted lacks it.
MARK = "argbest-storage"

#: What a storage's URI may begin with; without any of them it is the path of a folder.
SCHEMES = ("file", "s3", "gs", "abfs", "hdfs")


class StorageError(Exception):
    """The storage cannot be used now; the message names it, what failed and what to do."""


class NotInStorage(StorageError):
    """The storage has no file of this name."""


class Storage:
    """The storage at ``uri``: a folder's path or a URI such as ``s3://bucket/folder``.

    Nothing is opened until it is needed. Every method raises :class:`StorageError`. One that asks
    an S3 server waits no longer than about 10 s for a sign of life.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        #: The URI without credentials, for people.
        self.uri = hide_credentials(uri)
        self._opened: Files | None = None

    def __repr__(self) -> str:
        """Name the storage without its credentials."""
        return f"Storage({self.uri!r})"

    def save(self, name: str, source: Path) -> None:
        """Copy the local file ``source`` to ``name``, whole or not at all; replaces a former one.

        Where it cannot be copied, no file of this name may be left. In an object store a reader of
        the former file may see parts of both, so give each content a name of its own.
        """
        with self._doing(f"save {name}"), source.open("rb") as file:
            self._files.save(_checked(name), file)

    def mark(self, name: str) -> None:
        """Write an empty file."""
        with self._doing(f"write {name}"):
            self._files.save(_checked(name), io.BytesIO())

    def sign(self) -> None:
        """Write the file by which :meth:`check` knows this storage again."""
        self.mark(MARK)

    def check(self) -> None:
        """Raise :class:`StorageError` unless this storage was signed.

        Where it was not, something else stands in its place, and files that are missing are not
        lost: a share is not mounted, or the URI names another bucket.
        """
        if not self.has(MARK):
            raise StorageError(
                f"the storage {self.uri} lacks the file {MARK}, which argbest wrote at its first "
                "use: mount it, or check ARGBEST_STORAGE; if its files are lost for good, write "
                "an empty file of this name there"
            )

    def fetch(self, name: str, target: Path) -> None:
        """Copy the file ``name`` to the local file ``target``, whole or not at all.

        Raises :class:`NotInStorage` if there is none.
        """
        with self.open(name) as source, self._doing(f"copy {name} to {target}"):
            write_whole(target, source)

    def open(self, name: str) -> BinaryIO:
        """Open the file ``name`` to read its bytes in order.

        Raises :class:`NotInStorage` if there is none. Reading may raise ``OSError``.
        """
        with self._doing(f"read {name}"):
            try:
                return self._files.open(_checked(name))
            except FileNotFoundError:
                raise NotInStorage(f"{name} is not in the storage {self.uri}") from None

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        with self._doing(f"look for {name}"):
            return self._files.has(_checked(name))

    def files(self, folder: str = "") -> tuple[StoredFile, ...]:
        """Return the files in ``folder`` and the folders in it, by name; "" is the whole storage.

        Among them are those of saves that were broken off; their names end in ``.part``.
        :data:`MARK` is not.
        """
        with self._doing(f"list the files of {folder or 'all jobs'}"):
            found = self._files.files(_checked(folder) if folder else "")
            named = (file for file in found if file.name != MARK)
            return tuple(sorted(named, key=lambda file: file.name))

    def names(self, prefix: str = "") -> list[str]:
        """Return the names of the files in the folder ``prefix`` and the folders in it, sorted."""
        return [file.name for file in self.files(prefix)]

    def delete(self, *names: str) -> None:
        """Delete files; missing ones are no error."""
        for name in names:
            with self._doing(f"delete {name}"):
                self._files.delete(_checked(name))

    def delete_folder(self, folder: str) -> None:
        """Delete a folder with all that is in it; a missing one is no error."""
        with self._doing(f"delete {folder}"):
            self._files.delete_folder(_checked(folder))

    @property
    def _files(self) -> Files:
        if self._opened is None:
            parts = urlsplit(self._uri)
            if parts.scheme in {"", "file"}:
                self._opened = Folder.at(self._uri)
            else:
                self._opened = ObjectStore.at(self._uri, os.environ)
        return self._opened

    @contextmanager
    def _doing(self, what: str) -> Iterator[None]:
        """Turn what goes wrong into a :class:`StorageError`."""
        try:
            yield
        except (OSError, ValueError, TypeError, ImportError) as error:
            hint = _hint(error)
            message = f"cannot {what} in the storage {self.uri}: {_reason(error)}; {hint}"
            raise StorageError(message) from error


def _checked(name: str) -> str:
    """Return ``name``; raises ``ValueError`` if it is not relative or leaves the storage."""
    if any(part in {"", ".", ".."} for part in name.split("/")):
        raise ValueError(f"{name!r} is no name of a file in the storage")
    return name


def hide_credentials(uri: str) -> str:
    """Return a storage's URI without the credentials in it."""
    parts = urlsplit(uri)
    if not parts.scheme:
        return uri
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def _reason(error: Exception) -> str:
    """Return what went wrong in one line."""
    known = isinstance(error, OSError) and error.errno and error.strerror
    return " ".join((known or str(error)).split())


def _hint(error: Exception) -> str:
    """Return what to do about an error."""
    text, number = str(error), getattr(error, "errno", None)
    if number in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return "free some space there, or name another place in ARGBEST_STORAGE"
    if number in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return "let the user that runs argbest write there"
    if "NO_SUCH_BUCKET" in text:
        return "make the bucket"
    if "NETWORK_CONNECTION" in text:
        return "check that the server runs and can be reached from here"
    credentials = " and the credentials" if "AWS Error" in text else ""
    return f"check ARGBEST_STORAGE{credentials}"
