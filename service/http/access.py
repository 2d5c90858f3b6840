"""The door: every request passes three checks before a route sees it.

1. The Host header names this service. A page on another site can make its own name resolve to
   127.0.0.1 (DNS rebinding); the browser then takes this service for that site, but still sends its
   name. An address cannot be made to resolve elsewhere, so that addresses are always known.
2. A request that changes something is not sent by a page of another site. Browsers say so in
   Sec-Fetch-Site, older ones in Origin; other programs send neither.
3. Where tokens are asked for: ``Authorization: Bearer`` with a token whose scope covers the method
   (RFC 6750). A path that is not in :data:`OPEN_PATHS` is closed, also one added later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from results.errors import StoreUnavailable
from results.records import TokenRecord, TokenScope
from results.store import Store
from service.addresses import address, host_name, is_loopback
from service.http.problems import ProblemError, unavailable
from service.settings import Settings

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: What tells nothing of jobs or of this machine. The page's files hold no data: the page asks
#: for a token and sends it itself.
OPEN_PATHS = frozenset(
    {
        "/", "/page.js", "/page.css", "/api.js", "/healthz", "/readyz", "/version",
        "/docs", "/docs/docs.js", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css",
        "/openapi.json",
    }
)  # fmt: skip
#: The one of them that answers more to whoever sends a valid token.
_READINESS = "/readyz"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITE = frozenset({"same-origin", "none"})
_HINT = (
    "send the header 'Authorization: Bearer <token>' (ARGBEST_TOKEN for the command line); "
    "`argbest token create NAME`, run on the server's machine, makes a token"
)
#: What comes from a job may hold text of its author: in a browser it may draw, and do nothing.
#: Our own pages bring a policy of theirs.
_DRAWS_ONLY = b"default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_ACTIVE_TYPES = (b"text/html", b"image/svg+xml")


def needed_scope(method: str) -> TokenScope:
    """Return the least scope that a token needs for ``method``."""
    if method in _SAFE_METHODS:
        return TokenScope.READ
    return TokenScope.ADMIN if method == "DELETE" else TokenScope.SUBMIT


def asks_for_tokens(settings: Settings, local_address: str = "") -> bool:
    """Whether a request to ``local_address``, one of this machine's, needs a token.

    With ``auth=auto`` it does if the service is set to listen beyond loopback, and also if the
    connection itself came to such an address, whatever the settings say of it.
    """
    if settings.auth != "auto":
        return settings.auth == "on"
    reached = address(local_address)
    return not is_loopback(settings.host) or (reached is not None and not reached.is_loopback)


class Door:
    """ASGI middleware that answers with a problem whatever may not pass.

    Behind it, ``request.state.is_locked`` says whether a token is asked for, and
    ``request.state.token`` is the valid :class:`~results.records.TokenRecord` that was sent, or
    None. No token is looked at where none is asked for, nor on an open path but ``/readyz``;
    there ``request.state.is_unchecked`` says that one was sent and the database did not answer.
    """

    def __init__(self, app: App, settings: Settings, store: Store) -> None:
        self._app, self._settings, self._store = app, settings, store
        names = settings.allowed_hosts.replace(",", " ").split()
        self._hosts = frozenset(host_name(name) for name in (settings.host, "localhost", *names))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request and pass it on, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _hardened(send)
        try:
            await self._check(scope)
        except ProblemError as problem:
            await problem.response()(scope, receive, send)
        except StoreUnavailable:
            # Anybody may read this: it does not say where the database is.
            await unavailable("the database cannot answer").response()(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _check(self, scope: Scope) -> None:
        headers = _headers(scope)
        host = headers.get("host", "")
        self._check_host(host)
        if scope["method"] not in _SAFE_METHODS:
            self._check_site(headers, host)
        local_address, _ = scope.get("server") or ("", None)
        state = scope.setdefault("state", {})
        state["is_locked"] = asks_for_tokens(self._settings, local_address)
        state["token"], state["is_unchecked"] = None, False
        if state["is_locked"]:
            sent = _bearer(headers.get("authorization", ""))
            if scope["path"] == _READINESS:
                await self._recognize(state, sent)
            elif scope["path"] not in OPEN_PATHS:
                state["token"] = await self._token(scope["method"], sent)

    def _check_host(self, host: str) -> None:
        name = host_name(host)
        if address(name) is None and name not in self._hosts and "*" not in self._hosts:
            raise ProblemError(
                HTTPStatus.MISDIRECTED_REQUEST,
                f"this service is not known as {name[:100]!a}",
                hint="name the host in the setting ARGBEST_ALLOWED_HOSTS of the service, or use "
                "its address",
            )

    def _check_site(self, headers: dict[str, str], host: str) -> None:
        """Refuse what a page of another site sends; the token plays no part in it."""
        site = headers.get("sec-fetch-site")
        if site is not None:
            is_own = site in _OWN_SITE
        else:
            origin = headers.get("origin")
            is_own = origin is None or _netloc(origin) == host.lower()
        if not is_own:
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                "a page of another site may not change anything here",
                hint="send the request from the service's own page or from a program; behind a "
                "proxy, let it pass the Host header on",
            )

    async def _recognize(self, state: dict[str, Any], sent: str) -> None:
        """Note the token that was sent, if it is valid; what is open needs none."""
        try:
            state["token"] = await self._found(sent)
        except StoreUnavailable:
            state["is_unchecked"] = True

    async def _token(self, method: str, sent: str) -> TokenRecord:
        """Return the token that was sent; raise unless it is valid and covers ``method``."""
        token = await self._found(sent)
        if token is None:
            raise _unauthorized(was_sent=bool(sent))
        needed = needed_scope(method)
        if not token.scope.covers(needed):
            raise _forbidden(token.name, token.scope, needed)
        return token

    async def _found(self, sent: str) -> TokenRecord | None:
        """Return the valid token with this secret, None where there is none."""
        try:
            return await asyncio.to_thread(self._store.token, sent) if sent else None
        except StoreUnavailable as error:
            logger.error("a token cannot be checked: %s", error)
            raise


def _bearer(authorization: str) -> str:
    """Return the secret of an ``Authorization`` header, "" where it holds none."""
    kind, _, secret = authorization.partition(" ")
    return secret.strip() if kind.lower() == "bearer" else ""


def _headers(scope: Scope) -> dict[str, str]:
    """Return the headers by name; one that stands twice is joined, and so matches nothing."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def _unauthorized(*, was_sent: bool) -> ProblemError:
    challenge = 'Bearer realm="argbest"' + (', error="invalid_token"' if was_sent else "")
    return ProblemError(
        HTTPStatus.UNAUTHORIZED,
        "the token is unknown, revoked or expired" if was_sent else "a token is needed",
        hint=_HINT,
        headers={"WWW-Authenticate": challenge},
    )


def _forbidden(name: str, held: TokenScope, needed: TokenScope) -> ProblemError:
    challenge = f'Bearer realm="argbest", error="insufficient_scope", scope="{needed}"'
    return ProblemError(
        HTTPStatus.FORBIDDEN,
        f"the token {name!r} has the scope {held}; this needs {needed}",
        hint=f"use a token made with `argbest token create NAME --scope {needed}`",
        headers={"WWW-Authenticate": challenge},
    )


def _hardened(send: Send) -> Send:
    """Return ``send`` with the headers that keep a browser from running what is answered."""

    async def hardened(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message["headers"])
            found = dict(headers)
            wanted = {b"x-content-type-options": b"nosniff"}
            if found.get(b"content-type", b"").startswith(_ACTIVE_TYPES):
                wanted[b"content-security-policy"] = _DRAWS_ONLY
            headers += [(name, value) for name, value in wanted.items() if name not in found]
            message = {**message, "headers": headers}
        await send(message)

    return hardened
