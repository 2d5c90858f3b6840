"""The errors of the client, drawn as one tree.

ClientError
  BadUrl             the server's address is not an http or https URL
  BadToken           no HTTP header can carry the token
  ServerUnreachable  no answer: refused, timed out, or broken off
  UnexpectedAnswer   an answer outside the contract; usually another program listens at that address
  WaitTimeout        the job did not finish within the time to wait
  ProblemError       the server answered with an RFC 9457 problem
    Invalid          400, 413, 415, 422 and other 4xx: the request is wrong; ``problems`` say where
    Unauthorized     401, 403: the token is missing or wrong
    NotFound         404: no such job, trial, plot, search space ...
    Conflict         409: the job's state does not allow it, or an idempotency key was used before
    ServerBusy       429, 503: try again, after ``retry_after`` seconds where the server says so
    ServerFault      any other 5xx
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from search_spaces import Problem


class ClientError(Exception):
    """Base of the client's errors."""


class BadUrl(ClientError):
    """The server's address is not an http or https URL."""


class BadToken(ClientError):
    """No HTTP header can carry the token; the message does not repeat it."""


class ServerUnreachable(ClientError):
    """No answer: the connection was refused, timed out, or was broken off."""


class UnexpectedAnswer(ClientError):
    """An answer outside the contract."""


class WaitTimeout(ClientError):
    """The job did not finish within the time to wait; it goes on."""


class ProblemError(ClientError):
    """The server answered with an RFC 9457 problem; its members are attributes here."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        *,
        problems: tuple[Problem, ...] = (),
        hint: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail or title)
        self.status = status
        self.title = title
        self.detail = detail
        self.problems = problems
        self.hint = hint
        self.retry_after = retry_after


class Invalid(ProblemError):
    """The request is wrong; ``problems`` say where and ``hint`` what to do."""


class Unauthorized(ProblemError):
    """The token is missing or wrong."""


class NotFound(ProblemError):
    """There is no such job, trial, plot, search space, trainable or data set."""


class Conflict(ProblemError):
    """The job's state does not allow it, or the idempotency key was used with another request."""


class ServerBusy(ProblemError):
    """The server cannot take the request now; ``retry_after`` (seconds) if it says when."""


class ServerFault(ProblemError):
    """The server failed."""


_BY_STATUS: Mapping[int, type[ProblemError]] = {
    401: Unauthorized,
    403: Unauthorized,
    404: NotFound,
    409: Conflict,
    429: ServerBusy,
    503: ServerBusy,
}


def problem_of(status: int, body: Mapping[str, Any], retry_after: str | None) -> ProblemError:
    """Return the error for an answer of ``status`` (400 or more) with a problem as its ``body``.

    ``retry_after`` is the header of that name: seconds, or an HTTP date (RFC 9110, 10.2.3).
    """
    from search_spaces import Problem

    keys = ("pointer", "detail", "code", "hint")
    kind = _BY_STATUS.get(status) or (ServerFault if status >= 500 else Invalid)
    return kind(
        status,
        str(body.get("title") or f"HTTP {status}"),
        str(body.get("detail") or ""),
        problems=tuple(
            Problem(*(str(entry.get(key) or "") for key in keys))
            for entry in body.get("errors") or ()
            if isinstance(entry, dict)
        ),
        hint=str(body.get("hint") or ""),
        retry_after=_seconds(retry_after),
    )


def _seconds(retry_after: str | None) -> float | None:
    if retry_after is None:
        return None
    if retry_after.isdecimal():
        return float(retry_after)
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
