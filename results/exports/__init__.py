"""A job's trials and curves as files for other programs: Optuna, pandas and Arrow, TensorBoard.

Each format has a module of its own, which is imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Literal

from results.exports.source import Source

Format = Literal["optuna", "csv", "parquet", "tensorboard"]

#: By format: the module that writes it, what its file's name ends with, its media type.
_FORMATS: Mapping[str, tuple[str, str, str]] = {
    "optuna": ("optuna_journal", "optuna.log", "application/x-ndjson"),
    "csv": ("tables", "csv.zip", "application/zip"),
    "parquet": ("parquet", "parquet.zip", "application/zip"),
    "tensorboard": ("tensorboard", "tensorboard.zip", "application/zip"),
}
MEDIA_TYPES = {name: media_type for name, (_, _, media_type) in _FORMATS.items()}


def write_export(kind: Format, source: Source, folder: Path) -> Path:
    """Write a job's export into an empty folder, and return its file.

    The file is named after the job. Raises ``OSError`` where it cannot be written, and what reading
    the source raises.
    """
    module, ending, _ = _FORMATS[kind]
    write: Callable[[Source, Path], None] = import_module(f"results.exports.{module}").write
    path = folder / f"{source.job.id}-{ending}"
    write(source, path)
    return path


__all__ = ["MEDIA_TYPES", "Format", "Source", "write_export"]
