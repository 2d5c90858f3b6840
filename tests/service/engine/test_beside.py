"""A thread beside a block."""

from __future__ import annotations

import threading

import pytest

from service.engine.beside import beside


def test_a_thread_runs_until_the_block_ends_however_it_does() -> None:
    seen: list[tuple[str, bool]] = []

    def run(is_over: threading.Event) -> None:
        seen.append((threading.current_thread().name, is_over.wait(60)))

    with pytest.raises(LookupError), beside(run, name="looks"):
        raise LookupError
    assert seen == [("looks", True)]
