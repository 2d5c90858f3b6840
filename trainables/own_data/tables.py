"""Reads a user's table, CSV, TSV or Parquet, into columns, without running or trusting anything.

Everything is read as text or as the plain numbers of Parquet. A file that cannot be read, or is
larger than the limits of :mod:`trainables.own_data.problems`, raises
:class:`~trainables.own_data.problems.BadData`.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from search_spaces import Problem
from search_spaces.text import unstorable
from trainables.own_data.problems import (
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_NAME,
    MAX_ROWS,
    BadData,
    bad,
    of_column,
    shown,
)

#: Cells that mean: no value. Those of R, pandas and spreadsheets; the word None is a value.
MISSING = (
    "", "NA", "N/A", "n/a", "#N/A", "#NA", "NaN", "nan", "-nan", "NULL", "null", "?",
)  # fmt: skip
_DELIMITERS = (",", ";", "\t", "|")
_HEADER_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 24
_MOST_ROWS_NAMED = 5

Stored = Literal["text", "number", "word", "date", "other"]


@dataclass(frozen=True, slots=True, eq=False)
class RawColumn:
    """A column as the file has it.

    ``stored`` is "text" where the file does not say what its cells are, as CSV never does, and
    otherwise what it says: "number", "word" (text, truth values), "date" or "other" (lists, bytes).
    Texts and words have ``codes`` (rows,), the index of each row's cell in ``values``, which are
    different, or -1 where it is missing. Numbers and dates (days since 1970) have ``numbers``
    (rows,), NaN where missing.
    """

    name: str
    stored: Stored
    codes: NDArray[np.int64]
    values: Sequence[str]
    numbers: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RawTable:
    """The columns of a file, its format in words, and the sign between whole and decimals."""

    columns: tuple[RawColumn, ...]
    rows: int
    format: str
    decimal: str = "."


def read_csv(path: Path) -> RawTable:
    """Return the table in a text file, whatever of ``, ; | tab`` separates its cells."""
    delimiter, names, lines = _header(path)
    _check_names(names)
    columns = [str(index) for index in range(len(names))]
    ragged: list[Any] = []

    def note(row: Any) -> str:
        ragged.append(row)
        return "skip" if len(ragged) < _MOST_ROWS_NAMED else "error"

    try:
        table = arrow_csv.read_csv(
            path,
            arrow_csv.ReadOptions(
                use_threads=False, column_names=columns, skip_rows=lines, block_size=_BLOCK_BYTES
            ),
            arrow_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note
            ),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        if not ragged:
            raise _unreadable(error) from error
    if ragged:
        raise BadData(_ragged(row) for row in ragged)
    _check_rows(table.num_rows)
    read = tuple(
        _text_column(name, table.column(index), "text") for index, name in enumerate(names)
    )
    what = {",": "CSV", "\t": "TSV", ";": "CSV with semicolons", "|": "CSV with bars"}[delimiter]
    decimal = "," if delimiter != "," else "."
    return RawTable(read, table.num_rows, what, decimal)


def read_parquet(path: Path) -> RawTable:
    """Return the table in a Parquet file; texts stay indices into their different values."""
    try:
        with parquet.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
            _check_names(schema.names)
            _check_rows(rows)
            _check_cells(rows, len(schema.names))
            texts = [f.name for f in schema if pa.types.is_string(f.type)]
        with parquet.ParquetFile(path, read_dictionary=texts) as file:
            columns = []
            for field in schema:
                plain = not (pa.types.is_nested(field.type) or pa.types.is_binary(field.type))
                cells = file.read([field.name]).column(field.name) if plain else None
                columns.append(_typed_column(field.name, field.type, cells, rows))
    except MemoryError:  # which pyarrow's is too
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        detail = f"the Parquet file cannot be read: {_one_line(error)}"
        raise bad("", detail, "bad_file", "write it again, or send CSV") from error
    return RawTable(tuple(columns), rows, "Parquet")


def _header(path: Path) -> tuple[str, list[str], int]:
    """Return the delimiter, the columns' names and the number of lines that these take."""
    with path.open("rb") as file:
        start = file.read(_HEADER_BYTES)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise bad("", "the file is UTF-16", "bad_encoding", "save it as UTF-8")
    try:
        text = start.decode(
            "utf-8-sig", errors="strict" if len(start) < _HEADER_BYTES else "ignore"
        )
    except UnicodeDecodeError as error:
        raise _not_utf8(error.start) from error
    if not text.strip():
        raise bad("", "the file is empty", "empty", "send a table: names, then a line per row")
    first = next(line for line in text.splitlines() if line.strip())
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False)
    try:
        names = next(row for row in reader if row)
    except (csv.Error, StopIteration) as error:
        hint = "the first line is to name the columns"
        raise bad("", "the first line cannot be read", "bad_file", hint) from error
    return delimiter, [name.strip() for name in names], reader.line_num


def _check_names(names: Sequence[str]) -> None:
    if len(names) > MAX_COLUMNS:
        detail = f"there are {len(names):,} columns, more than {MAX_COLUMNS:,}"
        hint = "leave columns out, or send the features as one array (NPZ)"
        raise bad("", detail, "too_many_columns", hint)
    problems = []
    for index, (name, count) in enumerate(Counter(names).items(), start=1):
        if count > 1 and name:
            hint = "give each column a name of its own"
            problems.append(of_column(name, f"is there {count} times", "duplicate", hint))
        if not name:
            detail = f"column {index} has no name"
            hint = "is the first line the header? Give each column a name"
            problems.append(Problem("", detail, "missing", hint))
        elif len(name) > MAX_NAME:
            detail = f"has a name of {len(name)} characters"
            problems.append(of_column(name, detail, "too_long", f"use at most {MAX_NAME}"))
        elif not name.isprintable() or unstorable(name):
            detail = "has a name with characters that cannot be printed"
            problems.append(of_column(name, detail, "bad_character", "rename it"))
    if problems:
        raise BadData(itertools.islice(problems, 20))


def _check_rows(rows: int) -> None:
    if rows > MAX_ROWS:
        detail = f"there are {rows:,} rows, more than {MAX_ROWS:,}"
        raise bad("", detail, "too_many_rows", "send a sample of the rows")
    if rows == 0:
        detail = "there are no rows below the header"
        raise bad("", detail, "empty", "send the header and a line per row")


def _check_cells(rows: int, columns: int) -> None:
    """Refuse a table of more cells than fit: Parquet packs equal ones into nothing."""
    if rows * columns > MAX_CELLS:
        detail = f"{rows:,} rows of {columns:,} columns are more than {MAX_CELLS:,} cells"
        raise bad("", detail, "too_large", "send fewer rows or columns")


def _ragged(row: Any) -> Problem:
    number = "" if row.number is None else f"line {row.number} "
    detail = (
        f"{number}has {row.actual_columns} cells, the header {row.expected_columns}: "
        f"{shown(row.text)}"
    )
    hint = 'give each row as many cells; put a text with a separator or a quote in it into "..."'
    return Problem("", detail.strip(), "ragged_row", hint)


def _text_column(name: str, cells: Any, stored: Stored) -> RawColumn:
    """Return a column of texts; each different one is looked at once."""
    cells = _whole(cells)
    encoded = cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()
    texts = pc.cast(encoded.dictionary, pa.string()).fill_null("").to_pylist()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    trimmed = [text.strip() for text in texts]
    values = list(dict.fromkeys(text for text in trimmed if text not in MISSING))
    if any(map(unstorable, values)):
        detail = "holds characters that no text may hold, such as NUL"
        raise BadData([of_column(name, detail, "bad_character", "leave them out")])
    index = {value: number for number, value in enumerate(values)}
    place = np.array([index.get(text, -1) for text in trimmed] + [-1], dtype=np.int64)
    return RawColumn(name, stored, place[codes], values, np.empty(0))


def _typed_column(name: str, kind: Any, cells: Any, rows: int) -> RawColumn:
    """Return a Parquet column; what no model can use is "other", without content."""
    none, types = np.empty(0, dtype=np.int64), pa.types
    if cells is None or types.is_binary(kind) or types.is_time(kind) or types.is_duration(kind):
        return RawColumn(name, "other", none, (), np.full(rows, np.nan))
    cells = _whole(cells)
    if types.is_boolean(kind):
        return _text_column(name, pc.cast(cells, pa.string()), "word")
    if types.is_string(kind) or types.is_large_string(kind) or types.is_dictionary(kind):
        return _text_column(name, cells, "word")
    if types.is_date(kind) or types.is_timestamp(kind):
        seconds = pc.cast(cells, pa.timestamp("s"), safe=False).cast(pa.int64())
        return RawColumn(name, "date", none, (), _floats(seconds) / 86_400)
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return RawColumn(name, "number", none, (), _floats(cells))
    if types.is_null(kind):
        return RawColumn(name, "text", np.full(rows, -1), (), np.empty(0))
    return RawColumn(name, "other", none, (), np.full(rows, np.nan))


def _whole(cells: Any) -> Any:
    """Return a column's cells as one array."""
    return cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells


def _floats(cells: Any) -> NDArray[np.float64]:
    """Return numbers (rows,) as floats, NaN where one is missing."""
    floats = pc.cast(cells, pa.float64(), safe=False).fill_null(float("nan"))
    return np.array(floats.to_numpy(zero_copy_only=False), dtype=np.float64)


def _not_utf8(position: int) -> BadData:
    hint = "save the file as UTF-8"
    return bad("", f"the file is not UTF-8 (byte {position})", "bad_encoding", hint)


def _unreadable(error: Exception) -> BadData:
    text = _one_line(error)
    if "invalid UTF8" in text:
        return bad("", f"the file is not UTF-8: {text}", "bad_encoding", "save it as UTF-8")
    if "straddl" in text:
        detail = f"a row is longer than {_BLOCK_BYTES // 2**20} MB"
        return bad("", detail, "too_long", "is a quote never closed? Shorten the row")
    if "Empty CSV" in text or "Could not skip" in text:
        detail = "there are no rows below the header"
        return bad("", detail, "empty", "send the header and a line per row")
    hint = "send text with one row per line, as spreadsheets export it"
    return bad("", f"the file cannot be read as CSV: {text}", "bad_file", hint)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
