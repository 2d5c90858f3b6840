"""Which server a command talks to: ``--url`` and ``--token``, also before the command's name."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click

from service.client import DEFAULT_URL
from service.local_token import secret_for

if TYPE_CHECKING:
    from service.client.client import Client

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

_URL, _TOKEN = "argbest.url", "argbest.token"


def _remember(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value:
        context.meta[f"argbest.{parameter.name}"] = value


def remember_target(command: F) -> F:
    """Add ``--url`` and ``--token``; of several, the last on the command line counts."""
    url = click.option(
        "--url",
        metavar="URL",
        expose_value=False,
        callback=_remember,
        help=f"Server's address (ARGBEST_URL). [default: {DEFAULT_URL}]",
    )
    token = click.option(
        "--token",
        expose_value=False,
        callback=_remember,
        help="Server's token; ARGBEST_TOKEN keeps it out of the process list.",
    )
    return url(token(command))


def current_target(context: click.Context) -> tuple[str, str | Callable[[], str | None]]:
    """Return the server's address and token for this command.

    Where no token is given it is that of the service on this machine, if the address is its own.
    """
    url = str(context.meta.get(_URL) or os.environ.get("ARGBEST_URL") or DEFAULT_URL)
    token = context.meta.get(_TOKEN) or os.environ.get("ARGBEST_TOKEN")
    folder = data_folder(context)
    return url, token or (lambda: secret_for(url, folder))


def data_folder(context: click.Context) -> Path:
    """Return the data folder of this machine's service: ``--data-dir``, or as its settings say."""
    from platformdirs import user_data_dir

    given = context.params.get("data_dir") or os.environ.get("ARGBEST_DATA_DIR")
    return Path(given or user_data_dir("argbest")).expanduser()


def with_client(command: Callable[Concatenate[Client, P], R]) -> Callable[P, R]:
    """Call ``command`` with a client of the server that the command line names."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        from service.client.client import Client
        from service.client.connection import Clock

        context = click.get_current_context()
        url, token = current_target(context)
        with Client(url, token=token, clock=context.find_object(Clock)) as client:
            return command(client, *args, **kwargs)

    return remember_target(run)
