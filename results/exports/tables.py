"""Trials and curves as CSV, two files in a ZIP archive."""

from __future__ import annotations

import zipfile
from pathlib import Path

from results import export
from results.exports.source import Source


def write(source: Source, path: Path) -> None:
    """Write ``trials.csv`` and ``curves.csv``, as the routes of the same name answer them."""
    metrics = export.metric_names(source.trials)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("trials.csv", export.trials_csv(source.trials, source.ranking))
        with archive.open("curves.csv", "w", force_zip64=True) as file:
            for part in export.curves_csv(source.read_curves(1), metrics):
                file.write(part.encode())
