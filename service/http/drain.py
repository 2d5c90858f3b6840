"""Reads the rest of a request's body before the answer, so that its sender sees the answer.

A route may answer before the body has been read: 413, 401, 404. Some clients read nothing until
they have sent everything; if the server closes the connection with bytes unread, such a client
sees a reset instead of the answer.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

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
        headers = Headers(raw=scope.get("headers", []))
        if scope["type"] != "http" or not _has_body(headers):
            await self._app(scope, receive, send)
            return
        # A client that sends "Expect: 100-continue" waits, and sends nothing until it is read.
        waits, size, is_read = "100-continue" in headers.get("expect", "").lower(), 0, False

        async def noting_receive() -> Message:
            nonlocal waits, size, is_read
            waits = False
            message = await receive()
            size += len(message.get("body", b""))
            is_read |= not message.get("more_body", False)  # also where the client has left
            return message

        async def drain() -> None:
            last = size + self._most_bytes
            with suppress(TimeoutError):
                async with asyncio.timeout(self._most_seconds):
                    while not is_read and size <= last:
                        await noting_receive()

        async def drain_and_send(message: Message) -> None:
            if message["type"] == "http.response.start" and not is_read:
                if not waits:
                    await drain()
                if not is_read:
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, noting_receive, drain_and_send)


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
