"""One connection to the API: what is retried, how long, and which error an answer becomes.

Retried are a connection that was never made, and 429, 502, 503 and 504 to a request that may be
sent twice: every GET, a submission (it carries an idempotency key) and a cancellation. A request
that timed out is not sent again here: ``Client.events`` bears longer outages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx2

from service.addresses import is_loopback
from service.client.errors import (
    BadToken,
    BadUrl,
    ClientError,
    ProblemError,
    ServerBusy,
    ServerUnreachable,
    UnexpectedAnswer,
    problem_of,
)

CONNECT_TIMEOUT_S = 5.0
RETRIES = 3
FIRST_DELAY_S = 0.2
#: A longer Retry-After is the caller's to wait for; the error carries it.
LONGEST_DELAY_S = 10.0
_TRY_LATER = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as the client sees it, a seam for tests: ``now()`` in seconds, and ``sleep``."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def segment(value: object) -> str:
    """Return ``value`` as one segment of a path, whatever characters it has.

    Raises ValueError for one that is empty or would be taken for a relative path.
    """
    text = str(value)
    if text in ("", ".", ".."):
        raise ValueError(f"an id or a name cannot be {text!r}")
    return quote(text, safe="")


class Connection:
    """Sends requests to one server and turns bad answers into :mod:`service.client.errors`."""

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None,
        transport: httpx2.BaseTransport | None,
        timeout: float,
        clock: Clock,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.clock = clock
        self._timeout = timeout
        if token and not (token.isascii() and token.isprintable()):
            raise BadToken("the token may only hold printable ASCII characters")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        host = _host(self.base_url)
        self._http = httpx2.Client(
            base_url=self.base_url,
            headers=headers,
            timeout=httpx2.Timeout(timeout, connect=CONNECT_TIMEOUT_S),
            transport=transport,
            # A proxy cannot reach this machine's own loopback address.
            trust_env=not is_loopback(host),
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def json(self, method: str, path: str, **options: Any) -> Any:
        """Send a request (options as :meth:`send`) and return the JSON of its answer."""
        return self._decoded(self.send(method, path, **options))

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = True,
        accepted: frozenset[int] = frozenset(),
    ) -> httpx2.Response:
        """Send a request and return its answer, 2xx or ``accepted``; otherwise raise ClientError.

        ``repeatable`` says that the request may reach the server twice without harm. Parameters
        that are None are left out.
        """
        request = self._http.build_request(
            method,
            path,
            params={name: value for name, value in (params or {}).items() if value is not None},
            json=body,
            headers=headers,
        )
        delay = FIRST_DELAY_S
        for _ in range(RETRIES):
            try:
                return self._once(request, accepted)
            except (ServerUnreachable, ProblemError) as error:
                pause = _pause(error, delay, repeatable=repeatable)
                if pause is None:
                    raise
            self.clock.sleep(pause)
            delay *= 2
        return self._once(request, accepted)

    def _once(self, request: httpx2.Request, accepted: frozenset[int]) -> httpx2.Response:
        with self._transport_errors():
            response = self._http.send(request)
        self._check(response, accepted)
        return response

    @contextmanager
    def event_lines(self, path: str, last_event_id: str, silence: float) -> Iterator[Iterator[str]]:
        """Open a stream of server-sent events as lines.

        Raises ServerUnreachable when it breaks off, or after ``silence`` seconds without a byte.
        """
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        timeout = httpx2.Timeout(self._timeout, connect=CONNECT_TIMEOUT_S, read=silence)
        with (
            self._transport_errors(),
            self._http.stream("GET", path, headers=headers, timeout=timeout) as response,
        ):
            if not response.is_success:
                response.read()
            self._check(response, frozenset())
            yield response.iter_lines()

    @contextmanager
    def _transport_errors(self) -> Iterator[None]:
        try:
            yield
        except httpx2.TimeoutException as error:
            kind = _NotSent if isinstance(error, httpx2.ConnectTimeout) else ServerUnreachable
            raise kind(f"no answer from {self.base_url} in time") from error
        except httpx2.ConnectError as error:
            raise _NotSent(f"cannot connect to {self.base_url}: {error}") from error
        except httpx2.UnsupportedProtocol as error:
            raise BadUrl(f"{self.base_url!r} is not an http or https URL") from error
        except httpx2.TransportError as error:
            raise ServerUnreachable(f"{self.base_url} broke the connection: {error}") from error
        except httpx2.DecodingError as error:
            raise UnexpectedAnswer(f"{self.base_url} sent damaged content: {error}") from error

    def _check(self, response: httpx2.Response, accepted: frozenset[int]) -> None:
        status = response.status_code
        if response.is_success or status in accepted:
            return
        if status < 400:
            raise UnexpectedAnswer(f"{self.base_url} answered {status}; is argbest served there?")
        try:
            body = self._decoded(response)
        except UnexpectedAnswer:
            if status < 500:
                raise
            body = {}  # a gateway's own page, in front of a server that is down
        if not isinstance(body, dict):
            raise UnexpectedAnswer(f"{self.base_url} answered {status} without a problem")
        raise problem_of(status, body, response.headers.get("Retry-After"))

    def _decoded(self, response: httpx2.Response) -> Any:
        try:
            return response.json()
        except ValueError as error:
            kind = response.headers.get("Content-Type", "nothing")
            raise UnexpectedAnswer(
                f"{self.base_url} answered {response.status_code} with {kind} where JSON is due; "
                "is argbest served there?"
            ) from error


class _NotSent(ServerUnreachable):
    """The connection was never made, so the request did not reach the server."""


def _pause(error: ClientError, delay: float, *, repeatable: bool) -> float | None:
    """Return how long to wait before the next attempt, None when there may be none."""
    if isinstance(error, _NotSent):
        return delay
    if not repeatable or not isinstance(error, ProblemError) or error.status not in _TRY_LATER:
        return None
    pause = delay if error.retry_after is None else error.retry_after
    return pause if pause <= LONGEST_DELAY_S else None


def _host(base_url: str) -> str:
    try:
        url = httpx2.URL(base_url)
        url.host.encode("idna")
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise BadUrl(f"{base_url!r} is not a URL: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise BadUrl(f"{base_url!r} is not an http or https URL, like http://127.0.0.1:8000")
    return url.host


@dataclass(slots=True)
class Patience:
    """Bears an outage of the server (a restart, say) for at most ``seconds``, then raises."""

    clock: Clock
    seconds: float = 60.0
    _since: float | None = field(default=None, init=False)
    _delay: float = field(default=FIRST_DELAY_S, init=False)

    def reset(self) -> None:
        """Note that the server has answered."""
        self._since, self._delay = None, FIRST_DELAY_S

    def bear(self, error: ServerUnreachable | ServerBusy) -> None:
        """Sleep before the next attempt, or raise ``error`` when the outage has lasted too long."""
        now = self.clock.now()
        self._since = now if self._since is None else self._since
        if now - self._since >= self.seconds:
            raise error
        self.clock.sleep(self._delay)
        self._delay = min(2 * self._delay, 5.0)
