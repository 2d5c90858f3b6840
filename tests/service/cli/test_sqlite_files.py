"""Files of other programs are read and never written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from service.cli.sqlite_files import MAGIC, opened


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "100 % a?b.db"
    with closing(sqlite3.connect(tmp_path / "plain.db")) as made:
        made.executescript("CREATE TABLE numbers (n); INSERT INTO numbers VALUES (1), (2)")
    (tmp_path / "plain.db").rename(path)
    return path


def test_a_file_is_read_and_not_written(file: Path) -> None:
    before = file.read_bytes()
    assert before.startswith(MAGIC)
    with closing(opened(file)) as database:
        assert database.execute("SELECT sum(n) FROM numbers").fetchone() == (3,)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            database.execute("DELETE FROM numbers")
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        opened(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


def test_a_view_without_an_end_is_ended(tmp_path: Path) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    with closing(sqlite3.connect(tmp_path / "trap.db")) as trap:
        trap.execute(f"CREATE VIEW numbers AS {endless} WHERE i < 0")
    with (
        closing(opened(tmp_path / "trap.db", most_steps=2_000_000)) as database,
        pytest.raises(sqlite3.OperationalError, match="interrupted"),
    ):
        database.execute("SELECT * FROM numbers").fetchall()
