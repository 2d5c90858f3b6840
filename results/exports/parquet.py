"""Trials and curves as Parquet, two files in a ZIP archive, with the columns of the CSV."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from results import export
from results.exports.source import Source
from results.records import Curve

#: Curves whose rows are written together.
_CURVES = 500
#: The largest number of a column of whole numbers.
_MOST = 2**63 - 1


def write(source: Source, path: Path) -> None:
    """Write ``trials.parquet`` and ``curves.parquet``.

    A column of parameters is of numbers where all its values are; otherwise it holds text, JSON for
    values that are none. A value that is absent is null.
    """
    metrics = export.metric_names(source.trials)
    # Parquet compresses its columns itself.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        with archive.open("trials.parquet", "w", force_zip64=True) as file:
            columns, rows = export.trial_rows(source.trials, source.ranking)
            pq.write_table(_table(columns, rows), file)
        schema = pa.schema(
            [("trial", pa.int64()), ("epoch", pa.int64()), *((m, pa.float64()) for m in metrics)]
        )
        with (
            archive.open("curves.parquet", "w", force_zip64=True) as file,
            pq.ParquetWriter(file, schema) as writer,
        ):
            read = source.read_curves(1)
            while curves := list(islice(read, _CURVES)):
                writer.write_table(_rows_of(curves, metrics, schema))


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    arrays = [_array([row[place] for row in rows]) for place in range(len(columns))]
    return pa.table(arrays, names=list(columns))


def _array(values: Sequence[Any]) -> pa.Array:
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, int) and abs(value) <= _MOST for value in known):
        return pa.array(values, pa.int64())
    if known and all(isinstance(value, int | float) for value in known):
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    return pa.array([v if v is None or isinstance(v, str) else json.dumps(v) for v in values],
                    pa.string())  # fmt: skip


def _rows_of(curves: Sequence[Curve], metrics: Sequence[str], schema: pa.Schema) -> pa.Table:
    trials = [curve.trial for curve in curves for _ in curve.epochs]
    epochs = [epoch for curve in curves for epoch in curve.epochs]
    values = [[v for curve in curves for v in _values(curve, name)] for name in metrics]
    return pa.table([trials, epochs, *values], schema=schema)


def _values(curve: Curve, metric: str) -> Iterator[float | None]:
    yield from curve.metrics.get(metric, [None] * len(curve.epochs))
