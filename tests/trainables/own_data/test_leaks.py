"""Columns that give the answer away, ids and rows that are there twice are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.trainables.own_data.files import made, table


def cautions(folder: Path, content: str, **options: Any) -> list[tuple[str, str]]:
    found = made(folder, content, **options).card["cautions"]
    assert all(one["detail"] and one["hint"] for one in found)
    return [(one["code"], one["column"]) for one in found]


def with_column(content: str, name: str, cells: list[Any]) -> str:
    header, *rows = content.splitlines()
    pairs = zip(cells, rows, strict=True)
    return "\n".join([f"{name},{header}", *(f"{cell},{row}" for cell, row in pairs)])


def prices() -> list[float]:
    return [float(line.rpartition(",")[2]) for line in table().splitlines()[1:]]


def test_good_data_need_no_caution(tmp_path: Path) -> None:
    assert cautions(tmp_path, table(), target="price") == []


def test_ids_are_told(tmp_path: Path) -> None:
    assert cautions(tmp_path, with_column(table(), "n", [*range(200)]), target="price") == [
        ("id_column", "n")
    ]
    shuffled = np.random.RandomState(0).permutation(10_000)[:200]
    named = with_column(table(), "house_id", list(shuffled))
    assert cautions(tmp_path, named, target="price") == [("id_column", "house_id")]
    unnamed = with_column(table(), "area", list(shuffled))
    assert cautions(tmp_path, unnamed, target="price") == []
    ignored = cautions(tmp_path, named, target="price", types={"house_id": "ignore"})
    assert ignored == []


def test_copies_of_the_target_are_told(tmp_path: Path) -> None:
    random = np.random.RandomState(1)
    for cells in (prices(), [-3 * p for p in prices()], [p + random.randn() for p in prices()]):
        content = with_column(table(), "z", cells)
        assert cautions(tmp_path, content, target="price") == [("target_leak", "z")]
    rough = with_column(table(), "z", [p + 50_000 * random.randn() for p in prices()])
    assert cautions(tmp_path, rough, target="price") == []


def test_columns_that_determine_the_class_are_told(tmp_path: Path) -> None:
    cities = [line.split(",")[2] for line in table().splitlines()[1:]]
    code = with_column(table(), "code", [{"Oslo": 7, "Bergen": 3, "Voss": 5}[c] for c in cities])
    assert cautions(tmp_path, code, target="city") == [("target_leak", "code")]
    initial = with_column(table(), "initial", [city[0] for city in cities])
    assert cautions(tmp_path, initial, target="city") == [("target_leak", "initial")]


def test_rows_that_are_there_twice_are_counted(tmp_path: Path) -> None:
    header, *rows = table(100).splitlines()
    found = made(tmp_path, "\n".join([header, *rows, *rows]), target="price").card["cautions"]
    assert {one["code"] for one in found} == {"duplicate_rows"}
    details = [one["detail"].rpartition("40 ")[2] for one in found]
    assert details == ["validation rows equal a training row", "test rows equal a training row"]


def test_parts_without_a_class_are_told(tmp_path: Path) -> None:
    content = "x,t\n" + "".join(f"{i}.25,{'abc'[i % 2] if i else 'c'}\n" for i in range(60))
    assert cautions(tmp_path, content, target="t")[-2:] == [("small_class", "")] * 2


def test_what_was_made_of_few_whole_numbers_is_told_unless_it_was_given(tmp_path: Path) -> None:
    levels = "x,t\n" + "".join(f"{i * i},{i % 4}\n" for i in range(40))
    assert ("assumed_task", "t") in cautions(tmp_path, levels, target="t")
    given = cautions(tmp_path, levels, target="t", task="classification")
    assert "assumed_task" not in dict(given)
    amounts = "x,t\n" + "".join(f"{i * i},{i % 11}\n" for i in range(40))
    (found,) = [
        one for one in made(tmp_path, amounts, target="t").card["cautions"]
        if one["code"] == "assumed_task"
    ]  # fmt: skip
    assert found["detail"] == "the 11 whole numbers in 't' were taken for amounts"
    assert found["hint"] == "if they are classes: --task classification"
