"""Reads the rest of a request's body before the answer, so that its sender sees the answer.

A route may answer before the body has been read: 413, 401, 404. Some clients read nothing until
they have sent everything; if the server closes the connection with bytes unread, such a client
sees a reset instead of the answer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Bytes and seconds after which a body is read no further: the connection is closed after the
#: answer, whether or not the client reads it.
MOST_BYTES = 64 * 2**20
MOST_SECONDS = 10.0


class DrainMiddleware:
    """ASGI middleware that discards what its application left unread of a request's body."""

    def __init__(
        self, app: ASGIApp, most_bytes: int = MOST_BYTES, most_seconds: float = MOST_SECONDS
    ) -> None:
        self._app, self._most_bytes, self._most_seconds = app, most_bytes, most_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not _has_body(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        body = _Body(receive)
        # A client that sends "Expect: 100-continue" waits, and sends nothing until it is read.
        waits = "100-continue" in Headers(scope=scope).get("expect", "").lower()

        async def drain_and_send(message: Message) -> None:
            if message["type"] == "http.response.start" and not body.is_read:
                if not waits or body.is_begun:
                    await self._drain(body)
                if not body.is_read:
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, body.receive, drain_and_send)

    async def _drain(self, body: _Body) -> None:
        last = body.size + self._most_bytes
        try:
            async with asyncio.timeout(self._most_seconds):
                while not body.is_read and body.size <= last:
                    await body.receive()
        except TimeoutError:
            pass


@dataclass
class _Body:
    """Notes how much of a request's body has been received."""

    source: Receive
    size: int = 0
    is_begun: bool = False
    is_read: bool = False

    async def receive(self) -> Message:
        self.is_begun = True
        message = await self.source()
        if message["type"] == "http.request":
            self.size += len(message.get("body", b""))
        self.is_read |= not message.get("more_body", False)  # also where the client has left
        return message


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
