"""One connection to the API: its retries, and the error for each bad answer.

Retried are connections that could not be made, and 429, 502, 503 and 504 to a request that may be
sent twice: every GET, a submission (it carries an idempotency key) and every other POST.
A request that timed out is not sent again: ``Client.events`` waits through longer outages.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import BaseModel, RootModel, ValidationError

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

Model = TypeVar("Model", bound=BaseModel)

CONNECT_TIMEOUT_S = 5.0
RETRY_DELAYS_S = (0.2, 0.4, 0.8)
#: With a longer Retry-After the error is raised, which carries it.
LONGEST_DELAY_S = 10.0
#: A job's event holds its whole specification, at most the 1 MB that a request may have.
MAX_EVENT_BYTES = 16 * 2**20
_PART_BYTES = 1024 * 1024
_TRY_LATER = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Clock:
    """The client's time, which tests replace: ``now()`` in seconds, and ``sleep``."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def segment(value: object) -> str:
    """Return ``value`` as one segment of a path, with any characters.

    Raises ValueError if it is empty or a relative path.
    """
    text = str(value)
    if text in ("", ".", ".."):
        raise ValueError(f"an id or a name cannot be {text!r}")
    return quote(text, safe="")


#: A token, or a function that returns the one to send now.
Token = str | Callable[[], str | None] | None


class _Bearer(httpx2.Auth):
    """Sends a token; after a 401 it asks for it anew, and sends one that is another once more."""

    def __init__(self, token: Token) -> None:
        self._source = token if callable(token) else lambda: token
        self._secret = self._checked()

    def _checked(self) -> str | None:
        secret = self._source()
        if secret and not (secret.isascii() and secret.isprintable()):
            raise BadToken("the token may only hold printable ASCII characters")
        return secret

    def auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Send the request; its body is sent again where it is there as a whole."""
        if not self._secret:
            self._secret = self._checked()
        before = self._secret
        if before:
            request.headers["Authorization"] = f"Bearer {before}"
        response = yield request
        if response.status_code != 401 or not isinstance(request.stream, httpx2.ByteStream):
            return
        self._secret = self._checked()
        if self._secret and self._secret != before:
            request.headers["Authorization"] = f"Bearer {self._secret}"
            yield request


class Connection:
    """Sends requests to one server and turns bad answers into :mod:`service.client.errors`."""

    def __init__(
        self,
        base_url: str,
        token: Token,
        transport: httpx2.BaseTransport | None,
        timeout: float,
        clock: Clock,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.clock = clock
        self._timeout = timeout
        self._http = httpx2.Client(
            base_url=self.base_url,
            auth=_Bearer(token),
            timeout=httpx2.Timeout(timeout, connect=CONNECT_TIMEOUT_S),
            transport=transport,
            # A proxy cannot reach this machine's own loopback address.
            trust_env=not is_loopback(_host(self.base_url)),
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Send a request (options as :meth:`send`) and return the JSON object of its answer."""
        return self.model(_Object, method, path, **options).root

    def model(self, kind: type[Model], method: str, path: str, **options: Any) -> Model:
        """Send a request (options as :meth:`send`) and return its answer as a ``kind``."""
        response = self.send(method, path, **options)
        try:
            return kind.model_validate_json(response.content)
        except ValidationError as error:
            raise self._not_ours(response, f" ({first_fault(error)})") from error

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        content: bytes | Path | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = True,
        accepted: frozenset[int] = frozenset(),
        streamed: bool = False,
        timeout: float | None = None,
    ) -> httpx2.Response:
        """Send a request and return its answer, 2xx or ``accepted``; otherwise raise ClientError.

        The body is JSON (``body``), or bytes or a file as they are (``content``).
        ``repeatable``: the request may reach the server twice without harm. Parameters that are
        None are left out. A ``streamed`` answer is open: its content has not been read. An answer
        may take ``timeout`` seconds, where that is not the client's.
        """
        given = {name: value for name, value in (params or {}).items() if value is not None}
        sent = content if content is None or isinstance(content, bytes) else _FileBody(content)
        request = self._http.build_request(
            method, path, params=given, json=body, content=sent, headers=headers,
            timeout=httpx2.Timeout(timeout or self._timeout, connect=CONNECT_TIMEOUT_S),
        )  # fmt: skip
        for delay in RETRY_DELAYS_S:
            try:
                return self._once(request, accepted, streamed=streamed)
            except (ServerUnreachable, ProblemError) as error:
                pause = _pause(error, delay, repeatable=repeatable)
                if pause is None:
                    raise
            self.clock.sleep(pause)
        return self._once(request, accepted, streamed=streamed)

    def _once(
        self, request: httpx2.Request, accepted: frozenset[int], *, streamed: bool
    ) -> httpx2.Response:
        with self._transport_errors():
            response = self._http.send(request, stream=streamed)
            if not response.is_success:
                response.read()
        self._check(response, accepted)
        return response

    def send_file(
        self,
        kind: type[Model],
        method: str,
        path: str,
        content: bytes | Path,
        *,
        content_type: str,
        params: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Model:
        """Send bytes or a file as they are, and return the answer as a ``kind``.

        Raises ``OSError`` where the file cannot be read.
        """
        headers = {"Content-Type": content_type}
        return self.model(
            kind, method, path, params=params, content=content, headers=headers, timeout=timeout
        )

    def download(self, path: str, file: BinaryIO, **params: str) -> None:
        """Write a GET's answer to ``file`` as it arrives.

        Raises UnexpectedAnswer if there is an ETag that is not the SHA-256 of what has arrived.
        """
        response = self.send("GET", path, params=params, streamed=True)
        digest = hashlib.sha256()
        etag = response.headers.get("ETag", "").removeprefix("W/").strip('"')
        with closing(response), self._transport_errors():
            for part in response.iter_bytes():
                digest.update(part)
                file.write(part)
        if etag and etag != digest.hexdigest():
            raise UnexpectedAnswer(
                f"{self.base_url}{path} arrived damaged: its SHA-256 is not the server's ETag; "
                "ask again"
            )

    @contextmanager
    def event_stream(
        self, path: str, headers: Mapping[str, str], silence: float, on_bytes: Callable[[], None]
    ) -> Iterator[Iterator[httpx2.ServerSentEvent]]:
        """Open a stream of server-sent events; ``on_bytes`` is called whenever bytes arrive.

        Raises ServerUnreachable when it breaks off, or after ``silence`` seconds without a byte.
        """
        timeout = httpx2.Timeout(self._timeout, connect=CONNECT_TIMEOUT_S, read=silence)
        with (
            self._transport_errors(),
            self._http.sse(
                path, headers=headers, timeout=timeout, max_event_size=MAX_EVENT_BYTES
            ) as source,
        ):
            response = source.response
            if not response.is_success:
                response.read()
            self._check(response, frozenset())
            response.stream = _Watched(response.stream, on_bytes)
            yield iter(source)

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
        except (httpx2.SSEError, httpx2.DecodingError) as error:
            raise UnexpectedAnswer(f"{self.base_url} sent damaged content: {error}") from error
        except httpx2.TransportError as error:
            raise ServerUnreachable(f"{self.base_url} broke the connection: {error}") from error

    def _check(self, response: httpx2.Response, accepted: frozenset[int]) -> None:
        status = response.status_code
        if response.is_success or status in accepted:
            return
        if status < 400:
            raise self._not_ours(response)
        try:
            body = _Object.model_validate_json(response.content).root
        except ValidationError as error:
            if status < 500:
                raise self._not_ours(response) from error
            body = {}  # a gateway's own page, in front of a server that is down
        raise problem_of(status, body, response.headers.get("Retry-After"))

    def _not_ours(self, response: httpx2.Response, detail: str = "") -> UnexpectedAnswer:
        kind = response.headers.get("Content-Type", "no content type")
        return UnexpectedAnswer(
            f"{self.base_url} answered {response.status_code} with {kind}, not as argbest does"
            f"{detail}; is an argbest server running there?"
        )


class _FileBody:
    """The parts of a file, read anew for each attempt to send it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while part := file.read(_PART_BYTES):
                yield part


class _Object(RootModel[dict[str, Any]]):
    """Any JSON object."""


class _Watched(httpx2.SyncByteStream):
    """A response's stream that calls ``on_bytes`` before it hands out each part."""

    def __init__(self, inner: Any, on_bytes: Callable[[], None]) -> None:
        self._inner = inner
        self._on_bytes = on_bytes

    def __iter__(self) -> Iterator[bytes]:
        for part in self._inner:
            self._on_bytes()
            yield part

    def close(self) -> None:
        """Close the stream."""
        self._inner.close()


class _NotSent(ServerUnreachable):
    """The connection was never made, so the request did not reach the server."""


def first_fault(error: ValidationError) -> str:
    """Return the first thing wrong with an answer: ``progress.trials: Field required``."""
    fault = error.errors(include_url=False, include_input=False)[0]
    return ": ".join(filter(None, (".".join(map(str, fault["loc"])), fault["msg"])))


def _pause(error: ClientError, delay: float, *, repeatable: bool) -> float | None:
    """Return the seconds to wait before the next attempt, None when there may be none."""
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
    """Waits through an outage of the server (a restart, say) of at most ``seconds``."""

    clock: Clock
    seconds: float = 60.0
    _since: float | None = field(default=None, init=False)
    _delay: float = field(default=RETRY_DELAYS_S[0], init=False)

    def reset(self) -> None:
        """Note that the server has answered."""
        self._since, self._delay = None, RETRY_DELAYS_S[0]

    def bear(self, error: ServerUnreachable | ServerBusy) -> None:
        """Sleep before the next attempt, or raise ``error`` when the outage has lasted too long."""
        now = self.clock.now()
        self._since = now if self._since is None else self._since
        if now - self._since >= self.seconds:
            raise error
        self.clock.sleep(self._delay)
        self._delay = min(2 * self._delay, 5.0)
