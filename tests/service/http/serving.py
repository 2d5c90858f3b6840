"""The API over real HTTP, by uvicorn in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from results.store import Store
from service.api import create_app
from service.settings import Settings
from tests.service.running import free_port, until


@contextmanager
def served(settings: Settings, store: Store) -> Iterator[str]:
    """Yield the address of the API."""
    port = free_port()
    config = uvicorn.Config(
        create_app(settings, store), port=port, log_level="error", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started, within_s=20, what="the API listens")
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
