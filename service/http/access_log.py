"""Gives every request an id and one line in the log, and measures it; the answer has the id too.

A client may send its own ``X-Request-ID``, so that its log and ours can be read together; an id
that is too long or holds anything but letters, digits and ``._-`` is replaced.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.log_lines import REQUEST_ID, REQUEST_ID_HEADER

logger = logging.getLogger(__name__)

_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
#: Characters of a method or path that are logged: enough for those of ours.
_LONGEST = 200
#: Paths that monitors ask every few seconds: a success of these is logged at DEBUG.
_MONITORED = frozenset({"/healthz", "/readyz", "/metrics"})
_JOB_PATH = re.compile(r"/api/v1/jobs/([0-9a-f]{16})(?:/|$)")


class RequestLog:
    """ASGI middleware around the whole application; streams pass unbuffered.

    ``observe`` is called with each request's scope, its status and the seconds to the start of its
    answer. The status is 500 where no answer started, because of a defect.
    """

    def __init__(self, app: ASGIApp, observe: Callable[[Scope, int, float], None]) -> None:
        self._app, self._observe = app, observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; log it when its last byte was sent."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Never reset: each request has a context of its own, and the handler of unexpected errors,
        # which is outside of this middleware, names the id too.
        REQUEST_ID.set(_request_id(scope))
        begun, status, took = time.perf_counter(), 500, None

        async def send_with_id(message: Message) -> None:
            nonlocal status, took
            if message["type"] == "http.response.start":
                status, took = message["status"], time.perf_counter() - begun
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = REQUEST_ID.get()
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - begun
            self._observe(scope, status, seconds if took is None else took)
            _log(scope, status, seconds)


def shortened(text: str) -> str:
    """Return a text that a client chose, cut to what a log needs of it."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
    return given if _ID.fullmatch(given) else secrets.token_hex(8)


def _log(scope: Scope, status: int, seconds: float) -> None:
    method, path = shortened(scope["method"]), shortened(scope["path"])
    extra = {"method": method, "path": path, "status": status, "seconds": round(seconds, 6)}
    job = _JOB_PATH.match(path)
    if job:
        extra["job_id"] = job[1]
    # The path is quoted: a line break in it must not make a line of its own.
    is_routine = path in _MONITORED and status < 400
    logger.log(
        logging.DEBUG if is_routine else logging.INFO,
        "%s %s %d in %.1f ms, request %s", method, ascii(path), status, 1000 * seconds,
        REQUEST_ID.get(), extra=extra,
    )  # fmt: skip
