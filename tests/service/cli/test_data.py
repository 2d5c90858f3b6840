"""Commands about the data sets of this machine."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from service.cli import main


def test_data_lists_what_is_here(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["data", "ls", "--data-dir", str(tmp_path), "--json"])
    assert result.exit_code == 0
    items = {item["name"]: item for item in json.loads(result.stdout)["items"]}
    assert set(items) == {"ames", "fashion_mnist"}
    assert items["ames"]["rows"] == 2930
    table = CliRunner().invoke(main, ["data", "ls", "--data-dir", str(tmp_path)])
    assert table.stdout.splitlines()[1].split()[:3] == ["ames", "yes", "2930"]


def test_data_fetch_prepares_what_the_package_carries(tmp_path: Path) -> None:
    command = ["data", "fetch", "ames", "--data-dir", str(tmp_path)]
    result = CliRunner().invoke(main, command)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "ames is ready" in result.stderr
    unknown = CliRunner().invoke(main, ["data", "fetch", "mnist", "--data-dir", str(tmp_path)])
    assert unknown.exit_code == 2
    assert "fashion_mnist" in unknown.stderr
