"""Commands about this machine: the service, and versions."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from service.cli.options import folder_option
from service.cli.output import emit_json, json_option, note
from service.cli.target import with_client
from service.client.errors import ServerUnreachable

if TYPE_CHECKING:
    from service.client.client import Client


@click.command()
@click.option("--host", help="Address to listen on (ARGBEST_HOST). [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="Port (ARGBEST_PORT). [default: 8000]")
@click.option(
    "--allow-commands",
    is_flag=True,
    help="Run programs that clients send, and ask every client for a token "
    "(ARGBEST_ALLOW_COMMANDS). [default: off]",
)
@folder_option
def serve(
    *, host: str | None, port: int | None, allow_commands: bool, data_dir: Path | None
) -> None:
    """Run the API, the controller and a local Ray in one.

    Prints the addresses of the API, its documentation and the Ray dashboard. Ctrl-C ends it; jobs
    that were running go on when it is started again.
    """
    given = {"--host": host, "--port": port, "--data-dir": data_dir}
    arguments = [
        part for flag, value in given.items() if value is not None for part in (flag, str(value))
    ]
    if allow_commands:
        arguments.append("--allow-commands")
    # A client's; the new process must not have had it in its environment.
    os.environ.pop("ARGBEST_TOKEN", None)
    # The service replaces this process, so it gets its signals and gives its exit code.
    os.execv(sys.executable, [sys.executable, "-m", "service.serve", *arguments])  # noqa: S606


@click.command()
@json_option
@with_client
def version(client: Client, *, as_json: bool) -> None:
    """Print the versions of this program and of the server."""
    own = installed_version("argbest")
    try:
        server = client.version()
    except ServerUnreachable as error:
        note(str(error))
        server = None
    if as_json:
        emit_json({"client": own, "server": server})
        return
    click.echo(f"argbest {own}")
    if server is not None:
        click.echo(f"server {server.argbest} at {client.base_url}")
