"""The file from which the command line on the service's machine has its token."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from service.local_token import (
    LocalToken,
    read_local_token,
    secret_for,
    token_file,
    write_local_token,
)

TOKEN = LocalToken("local-1", 8000, "argb_secret")


def test_only_its_owner_may_read_what_is_written_and_read(tmp_path: Path) -> None:
    write_local_token(tmp_path, TOKEN)
    assert read_local_token(tmp_path) == TOKEN
    assert stat.S_IMODE(token_file(tmp_path).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["local-token.json"]


def test_what_was_there_is_replaced_and_not_followed(tmp_path: Path) -> None:
    """Neither a file that others may read nor a link that somebody else has put there."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("untouched", encoding="utf-8")
    folder = tmp_path / "data"
    folder.mkdir()
    file = token_file(folder)
    for place in (file, file.with_name(f"{file.name}.part")):
        place.symlink_to(elsewhere)
    write_local_token(folder, TOKEN)
    assert read_local_token(folder) == TOKEN
    assert not file.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert elsewhere.read_text(encoding="utf-8") == "untouched"
    file.chmod(0o644)
    write_local_token(folder, TOKEN)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content",
    ["", "x", "[]", "{}", "null", '{"name": "a", "port": 1}', b"\xff",
     '{"name": "a", "port": 1, "secret": "s", "more": 1}',
     '{"name": "a", "port": "1", "secret": "s"}', '{"name": "a", "port": 1, "secret": null}'],
)  # fmt: skip
def test_a_file_that_is_no_token_is_none(tmp_path: Path, content: str | bytes) -> None:
    data = content.encode() if isinstance(content, str) else content
    token_file(tmp_path).write_bytes(data)
    assert read_local_token(tmp_path) is None
    assert secret_for("http://127.0.0.1:1", tmp_path) is None


def test_without_a_file_or_a_folder_there_is_none(tmp_path: Path) -> None:
    assert read_local_token(tmp_path) is None
    assert read_local_token(tmp_path / "nothing") is None
    token_file(tmp_path).mkdir()
    assert read_local_token(tmp_path) is None


@pytest.mark.parametrize(
    ("url", "port", "is_sent"),
    [
        ("http://127.0.0.1:8000", 8000, True),
        ("http://127.0.0.1:8000/", 8000, True),
        ("http://localhost:8000", 8000, True),
        ("http://[::1]:8000", 8000, True),
        ("http://127.0.0.1", 80, True),
        ("http://127.0.0.1:8001", 8000, False),  # another service of this machine
        ("http://192.168.1.5:8000", 8000, False),
        ("http://argbest.example:8000", 8000, False),
        ("http://localhost.evil.example:8000", 8000, False),
        ("http://127.0.0.1.evil.example:8000", 8000, False),
        ("http://127.0.0.1:8000@evil.example", 8000, False),
        ("http://0.0.0.0:8000", 8000, False),
        ("ftp://127.0.0.1", 80, False),
        ("http://[127.0.0.1:8000", 8000, False),
        ("http://127.0.0.1:x", 8000, False),
        ("", 8000, False),
    ],
)
def test_it_is_sent_to_its_own_service_alone(
    tmp_path: Path, url: str, port: int, is_sent: bool
) -> None:
    write_local_token(tmp_path, LocalToken("local-1", port, "argb_secret"))
    assert secret_for(url, tmp_path) == ("argb_secret" if is_sent else None)


def test_the_file_holds_nothing_but_the_token(tmp_path: Path) -> None:
    write_local_token(tmp_path, TOKEN)
    values: dict[str, Any] = json.loads(token_file(tmp_path).read_text(encoding="utf-8"))
    assert values == {"name": "local-1", "port": 8000, "secret": "argb_secret"}
