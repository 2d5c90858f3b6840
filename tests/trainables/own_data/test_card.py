"""A card says what a column is, how much of it is missing, and how the target is distributed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.trainables.own_data.files import column, made, table


def test_the_card_of_a_regression(tmp_path: Path) -> None:
    result = made(tmp_path, table(), target="price", seed=7)
    card = json.loads(json.dumps(result.card, allow_nan=False))
    assert (card["kind"], card["rows"], card["features"]) == ("regression", 200, 6)
    assert card["splits"] == {"train": 120, "validation": 40, "test": 40}
    assert [c["name"] for c in card["columns"]] == ["size", "rooms", "city"]
    assert column(result, "size")["missing"] == pytest.approx(0.05)
    assert sum(card["target"]["histogram"]["rows"]) == 200
    assert {v["value"] for v in column(result, "city")["values"]} == {"Oslo", "Bergen", "Voss"}
    source = card["source"]
    assert (source["format"], source["split"], source["seed"]) == ("CSV", [0.6, 0.2, 0.2], 7)


def test_the_card_of_a_classification_counts_each_class_in_each_part(tmp_path: Path) -> None:
    card = made(tmp_path, table(), target="city").card
    assert [one["name"] for one in card["target"]["classes"]] == ["Bergen", "Oslo", "Voss"]
    for split, rows in card["splits"].items():
        assert sum(one["rows"][split] for one in card["target"]["classes"]) == rows
