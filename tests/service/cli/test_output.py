"""Tables, pairs and JSON on stdout."""

from __future__ import annotations

import json

import pytest

from service.cli.output import emit_json, facts, note, table
from service.schemas import PlotView


def test_table_has_one_record_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    table(["data set", "rows#"], [["ames", "2930"], ["a\nb\x1b", "7"]])
    assert capsys.readouterr().out.splitlines() == [
        "DATA_SET  ROWS",
        "ames      2930",
        "a b\\x1b      7",
    ]


def test_names_of_columns_cannot_drive_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    table(["\x1b[2J#"], [])
    facts([("\x1b[2J", "x")])
    assert "\x1b" not in capsys.readouterr().out


def test_facts_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    facts([("id", "j1"), ("state", "queued"), ("id", "again")])
    assert capsys.readouterr().out == "id:    j1\nstate: queued\nid:    again\n"


def test_json_of_a_model_is_what_the_server_sent(capsys: pytest.CaptureFixture[str]) -> None:
    sent = {"name": "rmse", "title": "RMSE", "caption": "é", "newer": [1]}
    emit_json({"items": [PlotView.model_validate(sent)]})
    out = capsys.readouterr().out
    assert json.loads(out) == {"items": [sent]}
    assert "é" in out


def test_note_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    note("a\x07b")
    assert capsys.readouterr() == ("", "a\\x07b\n")
