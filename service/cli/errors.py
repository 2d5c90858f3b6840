"""Exit codes, and how errors of the client are printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import TYPE_CHECKING

import click

from service.cli.text import clean
from service.client import errors
from service.client.errors import ClientError, ProblemError

if TYPE_CHECKING:
    from search_spaces import Problem


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
        return _CODES.get(type(error), cls.UNREACHABLE)


_CODES = {
    errors.Invalid: ExitCode.USAGE,
    errors.BadUrl: ExitCode.USAGE,
    errors.BadToken: ExitCode.USAGE,
    errors.Unauthorized: ExitCode.AUTH,
    errors.NotFound: ExitCode.NOT_FOUND,
    errors.Conflict: ExitCode.NOT_FOUND,
    errors.WaitTimeout: ExitCode.TIMED_OUT,
}
#: Errors that concern one request alone: the next one may succeed.
_OF_ONE_REQUEST = (
    errors.Invalid, errors.NotFound, errors.Conflict, errors.ServerFault, errors.UnexpectedAnswer,
)  # fmt: skip


def report(error: ClientError) -> None:
    """Print an error and its hint on stderr."""
    if not (isinstance(error, ProblemError) and error.problems):
        _print(f"Error: {error}", _hint(error))
        return
    report_problems("the server refused the request", error.problems)


def report_problems(what: str, problems: Iterable[Problem]) -> None:
    """Print what is wrong with each field, and its hint, on stderr."""
    _print(f"Error: {what}")
    for problem in problems:
        _print(f"  {_field(problem.pointer)}: {problem.detail}", problem.hint, indent="    ")


def for_each(names: Iterable[str], kind: str, act: Callable[[str], None]) -> None:
    """Do ``act`` with each of ``names``; report those that fail, and then exit as the first.

    ``kind`` says what they name. An error that would meet the next one too (no server, no valid
    token) is raised at once.
    """
    first: ClientError | None = None
    for name in names:
        try:
            act(name)
        except _OF_ONE_REQUEST as error:
            _print(f"{kind} {name}:")
            report(error)
            first = first or error
    if first is not None:
        click.get_current_context().exit(ExitCode.of(first))


def _print(line: str, hint: str = "", indent: str = "") -> None:
    click.secho(clean(line), err=True, fg="red")
    if hint:
        click.secho(clean(f"{indent}Hint: {hint}"), err=True, dim=True)


def _field(pointer: str) -> str:
    """Return a JSON pointer for people: ``parameters.dropout`` for ``/parameters/dropout``."""
    parts = pointer.lstrip("#").strip("/").split("/")
    return ".".join(part.replace("~1", "/").replace("~0", "~") for part in parts) or "request"


def _hint(error: ClientError) -> str:
    if isinstance(error, ProblemError) and error.hint:
        return error.hint
    if isinstance(error, errors.ServerUnreachable):
        return "start it with `argbest serve`, or name another with --url or ARGBEST_URL"
    if isinstance(error, errors.Unauthorized):
        return "give the server's token with ARGBEST_TOKEN or --token"
    if isinstance(error, errors.ServerBusy) and error.retry_after is not None:
        return f"try again in {error.retry_after:.0f} s"
    return ""
