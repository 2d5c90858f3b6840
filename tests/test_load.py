"""A short form of `make load`: what it measures is there, on SQLite."""

from __future__ import annotations

import argparse
import re

import pytest

from tools.load import VIEWS, measure


@pytest.mark.long  # half a minute for a tool
def test_make_load_prints_each_kind_of_request_and_each_view(
    capsys: pytest.CaptureFixture[str],
) -> None:
    measure("SQLite", argparse.Namespace(seconds=0.1, trials=20, epochs=3))
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("|")
    ]
    table = {cells[0]: cells[1:] for cells in rows}
    held = ["submits", "reads of a job", "reads of its trials", "reads of the list, 50 jobs"]
    for what in held:
        assert re.fullmatch(r"\d+/s", table[what][0]), what
        assert int(table[what][0].removesuffix("/s")) > 0, what
    assert "written: 20 trials, 60 reports" in table
    views = ["`/jobs`", *(f"`/jobs/{{id}}{view}`" for view in VIEWS)]
    assert [name for name in table if name.startswith("`/jobs")] == views
    for view in views:
        assert re.fullmatch(r"\d+\.\d\d s", table[view][0]), view
        assert re.fullmatch(r"\d+\.\d\d MB", table[view][-1]), view
