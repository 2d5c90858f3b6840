"""A body is streamed to a file under a limit, and its folder goes however that ends."""

from __future__ import annotations

import asyncio
import errno
import hashlib
from pathlib import Path

import pytest
from fastapi import Request
from starlette.requests import ClientDisconnect

from service.errors import Unavailable
from service.http.problems import HttpProblem
from service.http.uploads import check_media_type, receive, upload_folder
from service.settings import Settings


def request(*parts: bytes, kind: str = "", leaves: bool = False) -> Request:
    """A request whose body comes in these parts; its client may leave before the end."""
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    last = {"type": "http.disconnect"} if leaves else {"type": "http.request", "body": b""}
    coming = iter([*messages, last])

    async def next_message() -> dict[str, object]:
        return next(coming)

    headers = [(b"content-type", kind.encode())] if kind else []
    return Request({"type": "http", "headers": headers}, next_message)


def run(sent: Request, folder: Path, max_bytes: int = 10**7) -> str:
    return asyncio.run(receive(sent, folder / "body", max_bytes=max_bytes, setting="ARGBEST_X"))


def test_the_body_is_written_and_its_digest_returned(tmp_path: Path) -> None:
    parts = [bytes([number]) * 700_000 for number in range(5)]
    whole = b"".join(parts)
    assert run(request(*parts), tmp_path) == hashlib.sha256(whole).hexdigest()
    assert (tmp_path / "body").read_bytes() == whole


def test_a_body_that_is_too_large_is_read_no_further(tmp_path: Path) -> None:
    with pytest.raises(HttpProblem, match="larger than 10 bytes") as caught:
        run(request(b"x" * 6, b"x" * 6, b"x" * 6), tmp_path, max_bytes=10)
    assert caught.value.status == 413
    assert "ARGBEST_X" in caught.value.hint


def test_nothing_is_left_of_a_client_that_leaves(settings: Settings) -> None:
    with pytest.raises(ClientDisconnect), upload_folder(settings) as folder:
        run(request(b"x" * 5, leaves=True), folder)
    assert list((settings.data_dir / "uploads").iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_is_told(number: int, settings: Settings) -> None:
    with (
        pytest.raises(Unavailable, match="cannot take the file") as caught,
        upload_folder(settings),
    ):
        raise OSError(number, "No space left on device")
    assert caught.value.retry_after_s == 60
    assert list((settings.data_dir / "uploads").iterdir()) == []


def test_other_errors_are_no_full_disk(settings: Settings) -> None:
    with pytest.raises(PermissionError), upload_folder(settings):
        raise PermissionError(errno.EACCES, "no")


def test_a_body_of_another_type_is_refused() -> None:
    check_media_type(request(kind="Text/CSV; charset=utf-8"), ["text/csv"], "hint")
    for kind in ("", "application/json"):
        with pytest.raises(HttpProblem, match="understood are text/csv") as caught:
            check_media_type(request(kind=kind), ["text/csv"], "hint")
        assert (caught.value.status, caught.value.hint) == (415, "hint")
