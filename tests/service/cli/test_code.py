"""A folder that a file names as its code is packed and sent before the search."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import httpx2
import pytest

from service.cli.code import send_code
from service.code.pack import pack
from tests.service.client.fakes import Script, client_of, ok


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("import numpy\n", encoding="utf-8")
    (tmp_path / "search.yaml").write_text("code: src\n", encoding="utf-8")
    return tmp_path


def body(code: Any = "src") -> dict[str, Any]:
    return {"search_space": {"name": "x", "command": ["python", "train.py"], "code": code}}


def answers(digest: str, *, is_known: bool) -> Script:
    view = {"digest": digest, "bytes": 9, "files": 1, "unpacked": 9}
    if is_known:
        return Script(ok(view))
    return Script(httpx2.Response(404, json={"title": "none"}), ok({**view, "is_new": True}))


@pytest.mark.parametrize("is_known", [False, True])
def test_a_folder_is_sent_and_its_digest_takes_its_place(
    is_known: bool, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digest, changed = pack(project / "src").digest, body()
    script = answers(digest, is_known=is_known)
    send_code(client_of(script), str(project / "search.yaml"), changed)
    assert changed["search_space"]["code"] == digest
    assert changed["source"]["folder"] == "src"
    assert "numpy" in changed["source"]["packages"]
    assert json.dumps(changed)
    assert len(script.requests) == 1 + (not is_known)
    told = capsys.readouterr().err
    assert told.startswith("code: 1 file, 13 B, packed ")
    assert ("the service has it" in told) == is_known


@pytest.mark.parametrize(
    "unchanged",
    [
        {"search_space": "q4_grid"},
        {"search_space": {"name": "x"}},
        body("sha256:" + "0" * 64),
        body(5),
        body(""),
    ],
)
def test_a_search_without_a_folder_is_left_as_it_is(unchanged: dict[str, Any]) -> None:
    changed = json.loads(json.dumps(unchanged))
    send_code(client_of(Script()), "search.yaml", changed)
    assert changed == unchanged


def test_a_folder_that_cannot_be_sent_is_a_usage_error(project: Path) -> None:
    with pytest.raises(click.UsageError, match="none is not a folder"):
        send_code(client_of(Script()), str(project / "search.yaml"), body("none"))


def test_what_is_not_sent_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(7):
        (project / "src" / f"link{number}").symlink_to("/")
    digest = pack(project / "src").digest
    space = str(project / "search.yaml")
    send_code(client_of(answers(digest, is_known=True)), space, body())
    assert "link0, link1, link2, link3, link4 and 2 more" in capsys.readouterr().err
