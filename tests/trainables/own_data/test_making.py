"""Files become data sets; hostile ones each end in a named problem that says what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.trainables.own_data.files import made, npz, problems, table
from trainables.own_data import stored
from trainables.own_data.making import tree_of

GOOD = table(40)
HEADER, *ROWS = GOOD.splitlines()

#: File, and the code of its first problem, with the target "price".
HOSTILE: dict[str, tuple[bytes | str, str]] = {
    "empty": ("", "empty"),
    "blank lines": ("\n \n\n", "empty"),
    "a mark alone": (b"\xef\xbb\xbf", "empty"),
    "only a header": (HEADER, "empty"),
    "only a header and a line end": (HEADER + "\n", "empty"),
    "one row": ("\n".join([HEADER, ROWS[0]]), "too_few_rows"),
    "ragged": (GOOD + "1,2\n", "ragged_row"),
    "ragged, longer": (GOOD + "1,2,3,4,5\n", "ragged_row"),
    "an open quote": (GOOD + '"1,2,3,4\n', "ragged_row"),
    "10,000 columns": (",".join(f"c{i}" for i in range(10_000)) + "\n", "too_many_columns"),
    "duplicate names": (GOOD.replace("rooms", "size", 1), "duplicate"),
    "no name": (GOOD.replace("rooms", "", 1), "missing"),
    "a name of 200": (GOOD.replace("rooms", "r" * 200, 1), "too_long"),
    "a name with NUL": (GOOD.replace("rooms", "r\x00", 1), "bad_character"),
    "a name with an escape": (GOOD.replace("rooms", "\x1b[31mr", 1), "bad_character"),
    "a cell with NUL": (GOOD.replace("Oslo", "Os\x00lo", 1), "bad_character"),
    "invalid UTF-8": (GOOD.encode() + b"1,2,\xff,4\n", "bad_encoding"),
    "invalid UTF-8 in the header": (b"si\xffze" + GOOD.encode()[4:], "bad_encoding"),
    "UTF-16": (GOOD.encode("utf-16"), "bad_encoding"),
    "gzip": (b"\x1f\x8b\x08\x00" + b"x" * 50, "bad_file"),
    "an old spreadsheet": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "bad_file"),
    "a pickle": (b"\x80\x04\x95\x0b\x00\x00\x00", "bad_file"),
    "one array": (b"\x93NUMPY\x01\x00", "bad_file"),
    "no Parquet": (b"PAR1 and then nothing", "bad_file"),
    "a zip cut short": (b"PK\x03\x04....", "bad_file"),
    "a formula": (GOOD.replace(ROWS[5].split(",")[0], "=1+2", 1), "formula"),
    "a large number": (GOOD + "1e400,1,Oslo,5.5\n", "number_range"),
    "infinity": (GOOD + "inf,1,Oslo,5.5\n", "not_finite"),
    "no number in the target": (GOOD + "1,1,Oslo,cheap\n", "too_many_classes"),
    "a missing target": (GOOD + "1,1,Oslo,\n", "missing_target"),
    "a NaN target": (GOOD + "1,1,Oslo,NaN\n", "missing_target"),
    "a constant target": (
        "\n".join([HEADER, *(row.rpartition(",")[0] + ",1.5" for row in ROWS)]), "constant_target"
    ),
    "nothing to learn from": ("a,price\n" + "".join(f"x,{i}.5\n" for i in range(9)), "empty"),
    "the target alone": ("price\n" + "".join(f"{i}.5\n" for i in range(9)), "empty"),
    "a binary file": (bytes(range(1, 256)) * 20, "bad_encoding"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_ends_in_a_named_problem(tmp_path: Path, name: str) -> None:
    content, code = HOSTILE[name]
    found = problems(tmp_path, content, target="price")
    assert found[0].code == code
    assert len(found) <= 20
    for problem in found:
        assert str(problem).isprintable()
        assert len(str(problem)) < 500


def test_all_formats_of_the_same_table_give_the_same_content(tmp_path: Path) -> None:
    expected = tree_of(made(tmp_path, GOOD, target="price").prepared)
    semicolons = GOOD.replace(",", ";").replace(".", ",")
    rows = [row.split(",") for row in ROWS]
    columns: dict[str, Any] = dict(zip(HEADER.split(","), zip(*rows, strict=True), strict=True))
    for name in ("size", "rooms", "price"):
        columns[name] = [float(cell) if cell else None for cell in columns[name]]
    file = tmp_path / "table.parquet"
    parquet.write_table(pa.table(columns), file)
    for content in (
        GOOD.replace(",", "\t"), "\ufeff" + GOOD, GOOD.replace("\n", "\r\n"), semicolons,
        file.read_bytes(),
    ):  # fmt: skip
        found = tree_of(made(tmp_path, content, target="price").prepared)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert np.array_equal(found[name], value), name


def test_the_digest_is_that_of_the_content(tmp_path: Path) -> None:
    def digest(content: str, **options: Any) -> str:
        prepared = made(tmp_path, content, target="price", **options).prepared
        return stored.write(tmp_path / "content.npz", tree_of(prepared))

    first = digest(GOOD)
    assert digest(GOOD.replace("\n", "\r\n")) == first
    assert len({first, digest(GOOD, seed=1), digest(GOOD.replace("Oslo", "Moss")),
                digest(GOOD, split=(0.8, 0.1, 0.1)), digest(table(41))}) == 5  # fmt: skip


def test_rows_that_a_split_cannot_serve_are_refused(tmp_path: Path) -> None:
    four = "\n".join([HEADER, *ROWS[:4]])
    (problem,) = problems(tmp_path, four, target="price", split=(0.98, 0.01, 0.01))
    assert (problem.pointer, problem.code) == ("/query/split", "too_few_rows")


def test_a_table_may_become_too_wide(tmp_path: Path) -> None:
    rows = "".join(f"{'w' * (i % 40 + 1)}{i},{i}.5\n" for i in range(300))
    types: Any = {"a": "category"}
    assert made(tmp_path, "a,price\n" + rows, target="price", types=types).prepared.x.shape[1] > 100
    wide = npz(x=np.zeros((30, 10_001), np.uint8), y=np.arange(30) % 2)
    assert problems(tmp_path, wide)[0].code == "wrong_shape"
