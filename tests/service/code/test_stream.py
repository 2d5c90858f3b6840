"""A gzip stream is read forward, within what is allowed, and to its very end."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable

import pytest

from service.code.archive import BadArchive, Fault
from service.code.stream import GzipStream

CONTENT = bytes(range(256)) * 4


def stream(packed: bytes, allowed: int = 10_000) -> GzipStream:
    found = GzipStream(io.BytesIO(packed))
    found.allow(allowed)
    return found


def test_it_gives_the_bytes_and_says_how_many() -> None:
    read = stream(gzip.compress(CONTENT))
    assert read.read(100) == CONTENT[:100]
    assert read.seek(300) == read.tell() == 300
    assert read.read(10_000 - 300) == CONTENT[300:]
    assert read.read(1) == b""


def test_an_end_of_zeros_is_the_end_of_an_archive() -> None:
    read = stream(gzip.compress(CONTENT + bytes(20_000)))
    assert read.read(len(CONTENT)) == CONTENT
    assert read.read(512) == bytes(512)
    read.finish()
    assert read.tell() == len(CONTENT) + 20_000


@pytest.mark.parametrize(
    ("packed", "act", "fault"),
    [
        (b"PK\3\4", lambda s: s.read(1), Fault.NOT_GZIP),
        (b"", lambda s: s.read(1), Fault.CUT_OFF),
        (gzip.compress(CONTENT)[:-20], lambda s: s.read(2_000), Fault.CUT_OFF),
        (gzip.compress(CONTENT)[:-8] + bytes(8), lambda s: s.read(2_000), Fault.DAMAGED),
        (gzip.compress(CONTENT), lambda s: s.read(), Fault.LARGE_HEADER),
        (gzip.compress(CONTENT), lambda s: s.read(10_001), Fault.LARGE_HEADER),
        (gzip.compress(CONTENT), lambda s: (s.read(9), s.seek(8)), Fault.DAMAGED),
        (gzip.compress(CONTENT), lambda s: (s.read(9), s.finish()), Fault.DAMAGED),
        (gzip.compress(bytes(9) + b"x"), lambda s: (s.read(9), s.finish()), Fault.TRAILING_DATA),
        (gzip.compress(bytes(9)) * 2, lambda s: (s.read(9), s.finish()), Fault.TRAILING_DATA),
        (gzip.compress(bytes(3_000_000)), lambda s: (s.read(9), s.finish()), Fault.TRAILING_DATA),
    ],
    ids=["another-format", "empty", "cut-off", "damaged", "without-a-size", "more-than-allowed",
         "backwards", "no-end", "data-behind-the-end", "two-streams", "endless-padding"],
)  # fmt: skip
def test_what_is_wrong_is_named(
    packed: bytes, act: Callable[[GzipStream], object], fault: Fault
) -> None:
    with pytest.raises(BadArchive) as caught:
        act(stream(packed))
    assert caught.value.fault is fault
    assert caught.value.hint
