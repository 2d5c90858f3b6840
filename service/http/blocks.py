"""Answers that are sent as they are made, in parts that are neither very small nor the whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

#: Characters or bytes that are sent at a time, about.
BLOCK_SIZE = 2**18

Part = TypeVar("Part", str, bytes)


def in_blocks(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield the parts, joined to blocks of :data:`BLOCK_SIZE` at least, and what is left.

    Sending each part by itself costs a switch of threads.
    """
    block: list[Part] = []
    size = 0
    for part in parts:
        block.append(part)
        size += len(part)
        if size >= BLOCK_SIZE:
            yield part[:0].join(block)
            block, size = [], 0
    if block:
        yield block[0][:0].join(block)
