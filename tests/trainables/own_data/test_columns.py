"""Types are found as a person would, and corrected as the user says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trainables.own_data.files import column, made, problems


def csv(cells: list[str], name: str = "x") -> str:
    """Return a table with this column and a target."""
    return f"{name};y\n" + "".join(f"{cell};{i % 7}.5\n" for i, cell in enumerate(cells))


@pytest.mark.parametrize(
    ("cells", "found", "used"),
    [
        (["1", "2.5", "-3e2", "+4", ".5", "6.", ""], "number", "number"),
        (["1,5", "2,5", "3", "4", "5", "6"], "number", "number"),
        (["a", "b", "a", "NA", "b", "a"], "category", "category"),
        (["true", "false"] * 4, "category", "category"),
        (["1", "2", "3+"] * 10, "category", "category"),
        (["2024-01-31", "2024-02-01T12:30:00Z"] * 4, "date", "ignore"),
        ([f"text {i}" for i in range(60)], "text", "ignore"),
        (["7"] * 9, "constant", "ignore"),
        (["NA"] * 9, "constant", "ignore"),
    ],
)
def test_types_that_are_found(tmp_path: Path, cells: list[str], found: str, used: str) -> None:
    content = csv(cells).replace("y\n", "y;z\n", 1).replace(".5\n", ".5;1\n")
    content = "\n".join(f"{line};{i}" for i, line in enumerate(content.splitlines()))
    content = content.replace("y;z;0", "y;z;w", 1)
    shown = column(made(tmp_path, content, target="y", task="regression"), "x")
    assert (shown["found"], shown["used_as"]) == (found, used)
    assert bool(shown["note"]) == (used == "ignore")


def test_texts_that_look_like_numbers_are_told_so(tmp_path: Path) -> None:
    content = "a,x,y\n" + "".join(f'{i % 9},"{1000 + i:,} kr",{i}.5\n' for i in range(60))
    shown = column(made(tmp_path, content, target="y"), "x")
    assert "looks like a number with a unit or a separator of thousands" in shown["note"]


def test_a_wrong_cell_among_numbers_is_named_with_its_row(tmp_path: Path) -> None:
    cells = [str(i) for i in range(100)]
    cells[41] = "abc"
    (problem,) = problems(tmp_path, csv(cells), target="y")
    assert (problem.pointer, problem.code) == ("/columns/x", "mixed_column")
    assert problem.detail == "column 'x' holds numbers, but 'abc' in row 42 is none"
    corrected: Any = {"x": "ignore"}
    with_another = csv(cells).replace("x;y", "x;y;z", 1).replace(".5\n", ".5;1\n")
    assert problems(tmp_path, with_another, target="y", types=corrected)[0].code == "empty"


def test_corrections_decide(tmp_path: Path) -> None:
    content = "zip,day,word,y\n" + "".join(
        f"{1000 + i % 5},1970-01-0{i % 9 + 1},w{i},{i}.5\n" for i in range(60)
    )
    types: Any = {"zip": "category", "day": "number", "word": "category"}
    result = made(tmp_path, content, target="y", types=types, split=(0.8, 0.0, 0.2))
    assert column(result, "zip")["features"] == 6
    assert column(result, "day")["summary"]["max"] == 8
    assert column(result, "word")["distinct"] == 60
    assert not any(shown["note"] for shown in result.card["columns"])


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("=SUM(A1:A3)", "formula"), ("=A1", "formula"), ("inf", "not_finite"),
        ("-Infinity", "not_finite"), ("1e400", "number_range"), ("-1e101", "number_range"),
    ],
)  # fmt: skip
def test_cells_that_no_number_can_be(tmp_path: Path, cell: str, code: str) -> None:
    cells = [str(i) for i in range(30)]
    cells[3] = cell
    (problem,) = problems(tmp_path, csv(cells), target="y", task="regression")
    assert (problem.pointer, problem.code) == ("/columns/x", code)
    assert "row 4" in problem.detail


def test_a_column_that_is_not_there_cannot_be_corrected(tmp_path: Path) -> None:
    types: Any = {"szie": "number"}
    (problem,) = problems(
        tmp_path, "size,y\n1,2\n3,4\n5,6\n", target="y", task="regression", types=types
    )
    assert (problem.pointer, problem.hint) == ("/query/types", "did you mean size?")


def test_wrong_corrections_are_refused(tmp_path: Path) -> None:
    words = csv([f"w{i}" for i in range(2_100)])
    assert problems(tmp_path, words, target="y", types={"x": "category"})[0].code == (
        "too_many_categories"
    )
    assert problems(tmp_path, words, target="y", types={"x": "number"})[0].code == "wrong_type"


def test_decimal_commas_are_numbers_only_where_no_point_is(tmp_path: Path) -> None:
    result = made(tmp_path, csv(["1,5", "2,5", "1000"] * 5), target="y", task="regression")
    assert column(result, "x")["summary"]["min"] == 1.5
    both = csv(["1,5", "2.5", "x,5"] * 5)
    assert column(made(tmp_path, both, target="y", task="regression"), "x")["found"] == "category"
    assert np.isfinite(result.prepared.x).all()
