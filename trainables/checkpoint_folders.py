"""A program's folder of checkpoints as an array in a trial's state, and back."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainables.files import walk
from trainables.program_errors import CheckpointRefused

#: Each member of a tar archive takes so many bytes more, and the archive so many at its end.
_BLOCK = 512
_END = 10_240


def is_empty(folder: Path) -> bool:
    """Whether there is nothing to keep."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:
        return True


def pack(folder: Path, max_bytes: int, max_files: int = 10_000) -> NDArray[np.uint8]:
    """Return the folder's tar archive as an array of shape (bytes,), dtype uint8.

    Raises :class:`CheckpointRefused` for what is no file, folder or link inside it, for more than
    ``max_bytes`` or ``max_files``, and where the system cannot read it. Nothing is read before all
    sizes are known.
    """
    try:
        paths = sorted(_checked(folder, max_bytes, max_files))
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for path in paths:
                archive.add(path, path.relative_to(folder), recursive=False)
    except OSError as error:
        raise CheckpointRefused(
            f"the folder of checkpoints cannot be read ({error}): write a checkpoint under another "
            "name, rename it when it is whole, and only then report the epoch"
        ) from error
    return np.frombuffer(stream.getbuffer(), np.uint8)


def unpack(archive: NDArray[np.uint8], folder: Path) -> None:
    """Write the files of :func:`pack` into ``folder``; raise :class:`CheckpointRefused`."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive.tobytes()), mode="r:") as members:
            members.extractall(folder, filter="data")
    except (tarfile.TarError, OSError) as error:
        raise CheckpointRefused(f"the checkpoint cannot be unpacked: {error}") from error


def _checked(folder: Path, max_bytes: int, max_files: int) -> Iterator[Path]:
    """Yield what is in the folder, all levels of it, once it is allowed."""
    size = _END
    for count, path in enumerate(map(Path, walk(folder, _raise)), 1):
        kind = path.lstat()
        name = path.relative_to(folder)
        if stat.S_ISLNK(kind.st_mode):
            _check_link(path, folder)
        elif not (stat.S_ISREG(kind.st_mode) or stat.S_ISDIR(kind.st_mode)):
            raise CheckpointRefused(
                f"{name} in the folder of checkpoints is neither a file nor a folder: remove it"
            )
        size += 2 * _BLOCK + (kind.st_size if stat.S_ISREG(kind.st_mode) else 0)
        if size > max_bytes or count > max_files:
            raise CheckpointRefused(
                f"the folder of checkpoints has more than {max_bytes:,} bytes or {max_files:,} "
                f"files with {name}: keep only the newest checkpoint, or have "
                "ARGBEST_MAX_CHECKPOINT_BYTES raised"
            )
        yield path


def _raise(error: OSError) -> None:
    raise error


def _check_link(path: Path, folder: Path) -> None:
    target = path.readlink()
    if target.is_absolute() or not path.resolve().is_relative_to(folder.resolve()):
        raise CheckpointRefused(
            f"{path.relative_to(folder)} in the folder of checkpoints is a link to {target}: only "
            "relative links within the folder can be kept"
        )
