"""The API over real HTTP, by uvicorn in a thread."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import uvicorn

from results.store import Store
from service.api import create_app
from service.settings import Settings
from tests.service.running import until
from tools.ports import free_port


@contextmanager
def served(settings: Settings, store: Store, *, port: int = 0) -> Iterator[str]:
    """Yield the address of the API, on this port or a free one."""
    port = port or free_port()
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


@contextmanager
def dashboard(nodes: Any) -> Iterator[str]:
    """Yield the address of something that answers as Ray's dashboard does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"data": {"summary": nodes}}).encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
