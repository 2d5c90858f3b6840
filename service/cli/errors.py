"""Exit codes, and how an error of the client is told to people."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import Any

from service.cli.text import clean
from service.client.errors import (
    BadToken,
    BadUrl,
    ClientError,
    Conflict,
    Invalid,
    NotFound,
    ProblemError,
    ServerBusy,
    ServerUnreachable,
    Unauthorized,
    WaitTimeout,
)


class ExitCode(IntEnum):
    """What the process's exit code says; documented in docs/cli.md and kept stable."""

    DONE = 0
    JOB_FAILED = 1
    USAGE = 2
    AUTH = 3
    NOT_FOUND = 4
    UNREACHABLE = 5
    TIMED_OUT = 6
    INTERRUPTED = 130

    @classmethod
    def of(cls, error: ClientError) -> ExitCode:
        """Return the exit code for ``error``; a server that fails counts as unreachable."""
        if isinstance(error, (Invalid, BadUrl, BadToken)):
            return cls.USAGE
        if isinstance(error, Unauthorized):
            return cls.AUTH
        if isinstance(error, (NotFound, Conflict)):
            return cls.NOT_FOUND
        if isinstance(error, WaitTimeout):
            return cls.TIMED_OUT
        return cls.UNREACHABLE


_ERROR: dict[str, Any] = {"fg": "red"}
_HINT: dict[str, Any] = {"dim": True}


def explain(error: ClientError) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the lines that tell ``error``, each with click's style for it."""
    if isinstance(error, ProblemError) and error.problems:
        yield "Error: the server refused the request", _ERROR
        for problem in error.problems:
            yield f"  {clean(problem.field or 'request')}: {clean(problem.detail)}", _ERROR
            if problem.hint:
                yield f"    Hint: {clean(problem.hint)}", _HINT
        return
    yield f"Error: {clean(str(error))}", _ERROR
    hint = _hint(error)
    if hint:
        yield f"Hint: {clean(hint)}", _HINT


def _hint(error: ClientError) -> str:
    if isinstance(error, ProblemError) and error.hint:
        return error.hint
    if isinstance(error, ServerUnreachable):
        return "start it with `argbest serve`, or name another with --url or ARGBEST_URL"
    if isinstance(error, Unauthorized):
        return "give the server's token with ARGBEST_TOKEN or --token"
    if isinstance(error, ServerBusy) and error.retry_after is not None:
        return f"try again in {error.retry_after:.0f} s"
    return ""
