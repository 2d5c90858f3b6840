"""Commands about data sets, of this machine and of the service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from service.cli import main
from tests.service.cli.commands import run
from tests.service.fake_api import FakeApi

CARD = {
    "kind": "regression", "rows": 30, "features": 4,
    "splits": {"train": 18, "validation": 6, "test": 6},
    "target": {"name": "price", "summary": {"min": 1.5, "median": 2, "max": 12.5}},
    "columns": [
        {"name": "city", "found": "category", "used_as": "category", "missing": 0.25,
         "distinct": 3, "features": 4, "note": ""},
        {"name": "id", "found": "number", "used_as": "ignore", "missing": 0, "distinct": 30,
         "features": 0, "note": "ids are not used"},
    ],
    "cautions": [{"code": "x", "column": "city", "detail": "city is odd", "hint": "look at it"}],
    "source": {"format": "CSV"},
}  # fmt: skip
PRICES = {
    "name": "prices", "title": "regression of price", "available": True, "where": "storage",
    "size": 1234, "rows": 30, "splits": CARD["splits"], "source": "sent as CSV", "license": "",
    "citation": "", "checksums": {}, "kind": "regression", "own": True, "digest": "ab" * 32,
    "card": CARD,
}  # fmt: skip


def answer(api: FakeApi, status: int, value: Any) -> None:
    api.canned.append((status, {"Content-Type": "application/json"}, json.dumps(value).encode()))


def test_add_sends_the_file_and_shows_its_card(api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    file.write_text("city,id,price\n")
    answer(api, 201, PRICES)
    result = run(api, "data", "add", str(file), "--target", "price", "--task", "regression",
                 "--split", "0.6,0.2,0.2", "--seed", "7", "--types", "id=ignore")  # fmt: skip
    assert result.exit_code == 0, result.stderr
    verb, path, query, _, _ = api.requests[-1]
    assert (verb, path) == ("POST", "/api/v1/datasets")
    assert query == {"name": "prices", "target": "price", "task": "regression",
                     "split": "0.6,0.2,0.2", "seed": "7", "types": "id=ignore"}  # fmt: skip
    assert "18 train, 6 validation, 6 test" in result.stdout
    assert "price, 1.5000 to 12.5, median 2.0000" in result.stdout
    assert "ids are not used" in result.stdout
    assert "look out: city is odd; look at it" in result.stderr
    assert "dataset: prices" in result.stderr


def test_add_prints_the_answer_as_json(api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a\n")
    answer(api, 200, PRICES)
    result = run(api, "data", "add", str(tmp_path / "x.csv"), "--name", "prices", "--json")
    assert json.loads(result.stdout) == PRICES
    assert api.requests[-1][2] == {"name": "prices"}


def test_what_is_wrong_with_a_file_is_told(api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("")
    problem = {"pointer": "", "detail": "the file is empty", "code": "empty", "hint": "send rows"}
    answer(api, 422, {"title": "Unprocessable", "detail": "/: the file is empty",
                      "errors": [problem], "hint": "send rows"})  # fmt: skip
    result = run(api, "data", "add", str(tmp_path / "x.csv"), "--target", "y")
    assert result.exit_code == 2
    assert "the file is empty" in result.stderr
    assert "send rows" in result.stderr


def test_list_show_and_remove(api: FakeApi) -> None:
    answer(api, 200, {"items": [PRICES | {"card": None}], "next_cursor": None})
    assert run(api, "data", "ls").stdout.splitlines()[1].split()[:4] == [
        "prices", "regression", "yes", "30"
    ]  # fmt: skip
    answer(api, 200, {"items": [PRICES], "next_cursor": None})
    assert json.loads(run(api, "data", "ls", "--json").stdout)["items"] == [PRICES]
    classes = [{"name": f"c{i}", "rows": {"train": i}} for i in range(12)]
    target = {"name": "kind", "classes": classes}
    answer(api, 200, PRICES | {"card": CARD | {"target": target, "columns": []}})
    shown = run(api, "data", "show", "prices").stdout
    assert "kind: 12 classes, c11 (11), c10 (10)" in shown
    assert "and 2 more" in shown
    answer(api, 200, {name: value for name, value in PRICES.items() if name != "card"})
    assert "sent as CSV" in run(api, "data", "show", "prices").stdout
    answer(api, 204, None)
    assert "prices is removed" in run(api, "data", "remove", "prices").stderr
    assert api.requests[-1][:2] == ("DELETE", "/api/v1/datasets/prices")


def test_data_lists_what_is_here(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        main, ["data", "ls", "--here", "--data-dir", str(tmp_path), "--json"]
    )
    assert result.exit_code == 0
    items = {item["name"]: item for item in json.loads(result.stdout)["items"]}
    assert set(items) == {"ames", "fashion_mnist"}
    assert items["ames"]["rows"] == 2930
    table = CliRunner().invoke(main, ["data", "ls", "--here", "--data-dir", str(tmp_path)])
    assert table.stdout.splitlines()[1].split()[:3] == ["ames", "yes", "2930"]


def test_data_fetch_prepares_what_the_package_carries(tmp_path: Path) -> None:
    command = ["data", "fetch", "ames", "--data-dir", str(tmp_path)]
    result = CliRunner().invoke(main, command)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "ames is ready" in result.stderr
    unknown = CliRunner().invoke(main, ["data", "fetch", "mnist", "--data-dir", str(tmp_path)])
    assert unknown.exit_code == 2
    assert "fashion_mnist" in unknown.stderr
