"""Exit codes, and the lines that explain an error of the client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from typing import Any

import click

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
    ServerFault,
    ServerUnreachable,
    Unauthorized,
    UnexpectedAnswer,
    WaitTimeout,
)


class ExitCode(IntEnum):
    """The process's exit codes, documented in docs/cli.md and kept stable."""

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


def report(error: ClientError) -> None:
    """Print an error and its hint on stderr."""
    for line, style in _lines(error):
        click.secho(clean(line), err=True, **style)


def for_each(names: Iterable[str], kind: str, act: Callable[[str], None]) -> None:
    """Do ``act`` with each of ``names``; report those that fail, and then exit as the first.

    ``kind`` says what they name. An error that would meet the next one too (no server, no valid
    token) is raised at once.
    """
    first: ClientError | None = None
    for name in names:
        try:
            act(name)
        except (Invalid, NotFound, Conflict, ServerFault, UnexpectedAnswer) as error:
            click.secho(clean(f"{kind} {name}:"), err=True, fg="red")
            report(error)
            first = first or error
    if first is not None:
        click.get_current_context().exit(ExitCode.of(first))


def _lines(error: ClientError) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the lines that explain ``error``, each with click's style for it."""
    if isinstance(error, ProblemError) and error.problems:
        yield "Error: the server refused the request", _ERROR
        for problem in error.problems:
            yield f"  {_field(problem.pointer)}: {problem.detail}", _ERROR
            if problem.hint:
                yield f"    Hint: {problem.hint}", _HINT
        return
    yield f"Error: {error}", _ERROR
    hint = _hint(error)
    if hint:
        yield f"Hint: {hint}", _HINT


def _field(pointer: str) -> str:
    """Return a JSON pointer for people: ``parameters.dropout`` for ``/parameters/dropout``."""
    parts = pointer.lstrip("#").strip("/").split("/")
    return ".".join(part.replace("~1", "/").replace("~0", "~") for part in parts) or "request"


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
