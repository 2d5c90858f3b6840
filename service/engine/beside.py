"""A thread that runs beside a block of code and ends with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def beside(run: Callable[[threading.Event], None], *, name: str) -> Iterator[None]:
    """Call ``run`` in a thread of this name; the event that it gets is set when the block ends.

    The block's end waits for its return. What it raises ends the thread alone.
    """
    is_over = threading.Event()
    thread = threading.Thread(target=run, args=(is_over,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
