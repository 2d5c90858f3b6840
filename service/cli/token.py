"""Commands about the tokens of a service; they work on its database, on the server's machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from results.errors import StoreUnavailable, TokenExists, TokenNotFound, UnsupportedDatabase
from results.formatting import moment
from results.records import MAX_TOKEN_DAYS, SCOPES, TokenRecord, TokenScope
from service.cli.errors import ExitCode
from service.cli.options import folder_option, machine_settings
from service.cli.output import emit_json, json_option, note, table
from service.cli.text import clean
from service.local_token import read_local_token

if TYPE_CHECKING:
    from service.tokens import TokenStore

_SECONDS_A_DAY = 86_400.0
_TIMES = ("created_at", "expires_at", "last_used_at")
_EXIT_CODES = {
    TokenExists: ExitCode.NOT_FOUND,
    TokenNotFound: ExitCode.NOT_FOUND,
    UnsupportedDatabase: ExitCode.USAGE,
    StoreUnavailable: ExitCode.UNREACHABLE,
}

name_argument = click.argument("name")


@click.group()
def token() -> None:
    """Make, list or revoke the tokens of a service.

    Run them on the server's machine, as the user that runs the service and with its settings
    (ARGBEST_DATA_DIR or ARGBEST_DATABASE_URL): they work on its database, and need no token.
    """


@contextmanager
def _store(data_dir: Path | None, *, make: bool = False) -> Iterator[TokenStore]:
    """Open the service's database; turn its errors into messages and exit codes."""
    from service.tokens import token_store

    try:
        with token_store(machine_settings(data_dir), make=make) as store:
            yield store
    except tuple(_EXIT_CODES) as error:
        click.secho(f"Error: {clean(str(error))}", err=True, fg="red")
        click.get_current_context().exit(_EXIT_CODES[type(error)])


def _lifetime(_: click.Context, parameter: click.Parameter, days: float | None) -> float | None:
    """Return a number of days in seconds; refuse NaN and what is no lifetime of a token."""
    if days is None:
        return None
    if not 0 < days <= MAX_TOKEN_DAYS:
        allowed = f"give a number of days above 0 and at most {MAX_TOKEN_DAYS}"
        raise click.BadParameter(f"{days:g}: {allowed}", param=parameter)
    return days * _SECONDS_A_DAY


@token.command()
@name_argument
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in SCOPES]),
    default=TokenScope.READ.value,
    show_default=True,
    help="What it is for: read looks, submit also runs and cancels, code also sends programs, "
    "admin also deletes.",
)
@click.option(
    "--expires-in",
    metavar="DAYS",
    type=float,
    callback=_lifetime,
    help=f"Days until it expires, at most {MAX_TOKEN_DAYS}. [default: never]",
)
@folder_option
def create(*, name: str, scope: str, expires_in: float | None, data_dir: Path | None) -> None:
    """Make a token and print it: the only time that it is shown."""
    with _store(data_dir, make=True) as store:
        try:
            made = store.create_token(name, TokenScope(scope), lifetime_seconds=expires_in)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    click.echo(made.secret)
    note("keep it: it is not shown again; clients send it as ARGBEST_TOKEN")


@token.command("ls")
@json_option
@folder_option
def list_tokens(*, as_json: bool, data_dir: Path | None) -> None:
    """List the tokens and the links to jobs, by the characters that they begin with."""
    with _store(data_dir) as store:
        found = store.tokens()
    if as_json:
        emit_json({"items": [_json(one) for one in found], "next_cursor": None})
        return
    rows = [
        [
            one.name, one.scope if one.job is None else f"{one.scope} {one.job}", one.prefix,
            *(moment(getattr(one, key)) or "never" for key in _TIMES),
        ]
        for one in found
    ]  # fmt: skip
    table(["name", "scope", "begins", "created", "expires", "last used"], rows)


@token.command()
@name_argument
@folder_option
def revoke(*, name: str, data_dir: Path | None) -> None:
    """Revoke a token or a link: the next request with it is refused."""
    with _store(data_dir) as store:
        store.revoke_token(name)
    note(f"{name} is revoked")


@token.command("local")
@folder_option
def show_local(*, data_dir: Path | None) -> None:
    """Print the token that the command line on this machine uses, say for the page.

    A service that asks for tokens makes it as it starts, and revokes it as it ends.
    """
    folder = machine_settings(data_dir).data_dir
    found = read_local_token(folder)
    if found is None:
        click.secho(f"Error: there is no such token for you in {folder}", err=True, fg="red")
        note("a service that asks for tokens makes one as it starts: `argbest serve`")
        click.get_current_context().exit(ExitCode.NOT_FOUND)
    click.echo(found.secret)


def _json(one: TokenRecord) -> dict[str, Any]:
    times = {key: (time := getattr(one, key)) and time.isoformat() for key in _TIMES}
    said = {"name": one.name, "scope": one.scope.value, "prefix": one.prefix, **times}
    return {**said, "job": one.job, "made_by": one.made_by}
