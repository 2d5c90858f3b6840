"""Tables are read as text or as numbers of Parquet; what cannot be read is told with its place."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from trainables.own_data.problems import BadData
from trainables.own_data.tables import RawTable, read_csv, read_parquet


def read(folder: Path, content: bytes) -> RawTable:
    path = folder / "table.csv"
    path.write_bytes(content)
    return read_csv(path)


def texts(table: RawTable, index: int) -> list[str | None]:
    column = table.columns[index]
    return [None if code < 0 else column.values[code] for code in column.codes]


@pytest.mark.parametrize(
    ("content", "format_", "decimal"),
    [
        (b"a,b\n1,x\nNA,y\n", "CSV", "."),
        (b"\xef\xbb\xbfa,b\n1,x\n?,y\n", "CSV", "."),
        (b"a;b\r\n1;x\r\n;y\r\n", "CSV with semicolons", ","),
        (b"a\tb\n1\tx\nNaN\ty\n", "TSV", ","),
        (b'\n\n"a" , b\n 1 ,x\n"null", y \n', "CSV", "."),
        (b"a,b\r1,x\rN/A,y\r", "CSV", "."),
    ],
)
def test_separators_marks_and_missing_cells(
    tmp_path: Path, content: bytes, format_: str, decimal: str
) -> None:
    table = read(tmp_path, content)
    assert [column.name for column in table.columns] == ["a", "b"]
    assert (table.rows, table.format, table.decimal) == (2, format_, decimal)
    assert (texts(table, 0), texts(table, 1)) == (["1", None], ["x", "y"])


def test_quotes_may_hold_separators_and_line_ends(tmp_path: Path) -> None:
    table = read(tmp_path, b'a,b\n"x,\ny",1\nNone,2\n')
    assert texts(table, 0) == ["x,\ny", "None"]


def test_rows_of_other_lengths_are_named_by_their_line(tmp_path: Path) -> None:
    with pytest.raises(BadData) as caught:
        read(tmp_path, b"a,b\n1,2\n3\n4,5,6\n")
    details = [problem.detail for problem in caught.value.problems]
    assert details == [
        "line 3 has 1 cells, the header 2: '3'",
        "line 4 has 3 cells, the header 2: '4,5,6'",
    ]


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    cells = {
        "number": [1, None, 3],
        "decimal": pa.array([1, 2, None], pa.decimal128(5, 2)),
        "word": ["1", "x", None],
        "truth": [True, None, False],
        "day": [dt.date(1970, 1, 3), None, dt.date(1969, 12, 31)],
        "list": [[1], None, [2]],
        "bytes": [b"x", b"y", None],
        "none": pa.nulls(3),
        "kind": pa.array(["a", None, "b"]).dictionary_encode(),
    }
    parquet.write_table(pa.table(cells), path)
    table = read_parquet(path)
    stored = {column.name: column.stored for column in table.columns}
    assert stored == {
        "number": "number", "decimal": "number", "word": "word", "truth": "word", "day": "date",
        "list": "other", "bytes": "other", "none": "text", "kind": "word",
    }  # fmt: skip
    assert texts(table, 2) == ["1", "x", None]
    assert texts(table, 3) == ["true", None, "false"]
    assert texts(table, 8) == ["a", None, "b"]
    assert np.array_equal(table.columns[4].numbers, [2, np.nan, -1], equal_nan=True)
    assert np.array_equal(table.columns[0].numbers, [1, np.nan, 3], equal_nan=True)


def test_names_with_dots_are_columns_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    parquet.write_table(pa.table({"a.b": [1.0], "a": [2.0], "s.t": ["x"], "s": ["y"]}), path)
    columns = {column.name: column for column in read_parquet(path).columns}
    assert (columns["a.b"].numbers[0], columns["a"].numbers[0]) == (1, 2)
    assert (columns["s.t"].values[0], columns["s"].values[0]) == ("x", "y")


def test_equal_cells_that_pack_into_nothing_are_counted_before_they_are_read(
    tmp_path: Path,
) -> None:
    path = tmp_path / "table.parquet"
    zeros = pa.chunked_array([pa.nulls(1_000_000, pa.int8())] * 6)
    parquet.write_table(pa.table({f"c{i}": zeros for i in range(20)}), path)
    assert path.stat().st_size < 10**6
    with pytest.raises(BadData, match="more than 100,000,000 cells"):
        read_parquet(path)


def test_spaces_around_texts_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    parquet.write_table(pa.table({"a": [" x", "x ", "y", " NA "]}), path)
    assert texts(read_parquet(path), 0) == ["x", "x", "y", None]


def test_a_damaged_parquet_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    parquet.write_table(pa.table({"a": list(range(1000))}), path)
    content = path.read_bytes()
    for damaged in (content[:100], content[:50] + b"\xff" * 50 + content[100:], b"PAR1PAR1"):
        path.write_bytes(damaged)
        with pytest.raises(BadData, match="Parquet file cannot be read"):
            read_parquet(path)
