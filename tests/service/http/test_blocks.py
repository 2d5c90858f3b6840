"""Small parts are sent together."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from service.http.blocks import BLOCK_SIZE, in_blocks


@pytest.mark.parametrize("part", ["a" * 1000, b"a" * 1000])
def test_parts_are_joined_to_blocks_without_loss(part: Sequence[str | bytes]) -> None:
    found = list(in_blocks([part] * 600))  # type: ignore[type-var]
    assert part[:0].join(found) == part * 600  # type: ignore[union-attr]
    assert [len(block) >= BLOCK_SIZE for block in found] == [True, True, False]


def test_nothing_is_no_block() -> None:
    assert list(in_blocks([])) == []  # type: ignore[var-annotated]
