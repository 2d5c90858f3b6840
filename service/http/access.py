"""Checks every request three times before a route sees it.

1. The Host header names this service. A page on another site can make its own name resolve to
   127.0.0.1 (DNS rebinding); the browser then takes this service for that site, but still sends its
   name. An address cannot be made to resolve elsewhere, so addresses always pass.
2. A page of another site does not change anything. Browsers name the sender in Sec-Fetch-Site,
   older ones in Origin; other programs send neither header.
3. Where tokens are needed: ``Authorization: Bearer`` has a token whose scope covers the method
   (RFC 6750). A path that is not open (:func:`is_open`) needs a token, also one added later. The
   token of a link covers what :func:`is_of_job` says and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import re
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from results.errors import StoreUnavailable
from results.records import TokenRecord, TokenScope
from results.store import Store
from service.addresses import address, host_name, is_loopback
from service.errors import NotAllowed
from service.http.problems import CHALLENGE, HttpProblem, problem_of, unavailable
from service.permit import check_scope
from service.settings import Settings

logger = logging.getLogger(__name__)

#: Paths that show nothing of jobs or of this machine.
OPEN_PATHS = frozenset({"/", "/docs", "/healthz", "/readyz", "/version", "/openapi.json"})
#: Folders of the page's files, which hold no data: the page asks for a token and sends it itself.
_OPEN_FOLDERS = ("/page/", "/docs/")
#: The open path that answers more to a client with a valid token.
_READINESS = "/readyz"
#: Paths at which clients leave something to run.
_CODE_PATHS = frozenset({"/api/v1/code"})
#: Paths of the tokens themselves.
_TOKEN_PATHS = re.compile(r"/api/v1/tokens(/.*)?", re.DOTALL)
_JOB_PATH = "/api/v1/jobs/"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: What the token of a link may do.
_READING_METHODS = frozenset({"GET", "HEAD"})
_OWN_SITE = frozenset({"same-origin", "none"})
_HINT = (
    "send the header 'Authorization: Bearer <token>' (ARGBEST_TOKEN for the command line); "
    "`argbest token create NAME`, run on the server's machine, makes a token; there the command "
    "line finds its own in the data folder (ARGBEST_DATA_DIR)"
)
#: Answers may hold text of a job's author: a browser may draw them, but runs nothing in them.
#: Our own pages bring a policy of their own.
_DRAWS_ONLY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_ACTIVE_TYPES = ("text/html", "image/svg+xml")


def is_open(path: str) -> bool:
    """Whether a request to ``path`` needs no token."""
    return path in OPEN_PATHS or path.startswith(_OPEN_FOLDERS)


def needed_scope(method: str, path: str) -> TokenScope:
    """Return the least scope that a token needs for a request.

    Routes that may let a program run, or not, look at that themselves: :mod:`service.permit`.
    """
    if method == "DELETE" or _TOKEN_PATHS.fullmatch(path):
        return TokenScope.ADMIN
    if method in _SAFE_METHODS:
        return TokenScope.READ
    return TokenScope.CODE if path in _CODE_PATHS else TokenScope.SUBMIT


def is_of_job(job: str, method: str, path: str) -> bool:
    """Whether a request only reads this job, and so may be made by a link to it.

    Routes compare whole segments of the same path, so no other job's is reached below the job's.
    """
    own = _JOB_PATH + job
    return method in _READING_METHODS and (path == own or path.startswith(f"{own}/"))


def asks_for_tokens(settings: Settings, local_address: str = "") -> bool:
    """Whether a request to ``local_address``, one of this machine's, needs a token.

    With ``auth=auto`` it does if the service runs its clients' programs or is set to listen beyond
    loopback, and also if the connection itself came to such an address.
    """
    if settings.auth != "auto":
        return settings.auth == "on"
    if settings.allow_commands:
        return True
    reached = address(local_address)
    return not is_loopback(settings.host) or (reached is not None and not reached.is_loopback)


class AccessMiddleware:
    """ASGI middleware that passes allowed requests on and answers the others with a problem.

    It sets ``request.state.is_locked``: whether a token is needed; ``request.state.token``: the
    valid :class:`~results.records.TokenRecord` that was sent, or None; and
    ``request.state.is_unchecked``: whether ``/readyz`` was sent a token that the database could not
    check. Tokens are read only where they are needed: not on open paths but ``/readyz``.
    """

    def __init__(self, app: ASGIApp, settings: Settings, store: Store) -> None:
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
        except (HttpProblem, NotAllowed) as error:
            problem = problem_of(error)
            assert problem is not None  # noqa: S101 - tells mypy what both have
            await problem.response()(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = _header(headers, "host")
        self._check_host(host)
        if scope["method"] not in _SAFE_METHODS:
            _check_site(headers, host)
        local_address, _ = scope.get("server") or ("", None)
        state = scope.setdefault("state", {})
        state["is_locked"] = asks_for_tokens(self._settings, local_address)
        state["token"], state["is_unchecked"] = None, False
        if not state["is_locked"]:
            return
        sent = _bearer(_header(headers, "authorization"))
        if scope["path"] == _READINESS:
            try:
                state["token"] = await self._found(sent)
            except HttpProblem:
                state["is_unchecked"] = True
        elif not is_open(scope["path"]):
            state["token"] = await self._token(scope["method"], scope["path"], sent)

    def _check_host(self, host: str) -> None:
        name = host_name(host)
        if address(name) is None and name not in self._hosts and "*" not in self._hosts:
            raise HttpProblem(
                HTTPStatus.MISDIRECTED_REQUEST,
                f"host {name[:100]!a} is not in ARGBEST_ALLOWED_HOSTS",
                "name it in ARGBEST_ALLOWED_HOSTS of the service, or use the service's address",
            )

    async def _token(self, method: str, path: str, sent: str) -> TokenRecord:
        """Return the token that was sent; raise unless it is valid and covers the request."""
        token = await self._found(sent)
        if token is None:
            detail = "the token is unknown, revoked or expired" if sent else "a token is needed"
            error = ', error="invalid_token"' if sent else ""
            headers = {"WWW-Authenticate": CHALLENGE + error}
            raise HttpProblem(HTTPStatus.UNAUTHORIZED, detail, _HINT, headers=headers)
        if token.job is None or not is_of_job(token.job, method, path):
            check_scope(token, needed_scope(method, path))
        return token

    async def _found(self, sent: str) -> TokenRecord | None:
        """Return the valid token with this secret, None where there is none."""
        try:
            return await asyncio.to_thread(self._store.token, sent) if sent else None
        except StoreUnavailable as error:
            logger.error("a token cannot be checked: %s", error)
            # Anybody may read the answer: it must not say where the database is.
            raise unavailable("the database cannot answer") from error


def _check_site(headers: Headers, host: str) -> None:
    """Refuse a request that a page of another site sends, also with a valid token."""
    if "sec-fetch-site" in headers:
        is_own = _header(headers, "sec-fetch-site") in _OWN_SITE
    else:
        is_own = "origin" not in headers or _netloc(_header(headers, "origin")) == host.lower()
    if not is_own:
        raise HttpProblem(
            HTTPStatus.FORBIDDEN,
            "a page of another site may not change anything here",
            "send the request from the service's own page or from a program; behind a proxy, let "
            "it pass the Host header on",
        )


def _bearer(authorization: str) -> str:
    """Return the secret of an ``Authorization`` header, "" where it holds none."""
    kind, _, secret = authorization.partition(" ")
    return secret.strip() if kind.lower() == "bearer" else ""


def _header(headers: Headers, name: str) -> str:
    """Return a header, "" if absent; one that comes twice is joined, and so matches nothing."""
    return ", ".join(headers.getlist(name))


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def _hardened(send: Send) -> Send:
    """Return ``send`` with headers that keep a browser from running anything in an answer."""

    async def hardened(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("X-Content-Type-Options", "nosniff")
            if headers.get("content-type", "").startswith(_ACTIVE_TYPES):
                headers.setdefault("Content-Security-Policy", _DRAWS_ONLY)
        await send(message)

    return hardened
