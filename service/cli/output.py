"""Data on stdout: JSON, tables and pairs; tables by rich on a terminal, plain text elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

from service.cli.text import clean

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """Add ``--json``, which prints the API's own answer."""
    return click.option("--json", "as_json", is_flag=True, help="Print the API's JSON.")(command)


def emit_json(value: Any) -> None:
    """Print a model of the client, or plain data, as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def _plain(model: Any) -> Any:
    """Return a model as the server sent it, with the keys that this program does not know."""
    return model.model_dump(mode="json", exclude_unset=True)


def note(message: str) -> None:
    """Print a message for people, on stderr."""
    click.echo(clean(message), err=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; a column whose name ends with ``#`` is aligned to the right."""
    names = [clean(column.removesuffix("#")).replace("\n", " ") for column in columns]
    to_right = [column.endswith("#") for column in columns]
    cells = [[clean(cell).replace("\n", " ") for cell in row] for row in rows]
    if sys.stdout.isatty():
        _draw(names, to_right, cells)
        return
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    for row in ([name.upper().replace(" ", "_") for name in names], *cells):
        padded = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, to_right, strict=True)
        )
        click.echo("  ".join(padded).rstrip())


def _draw(names: Sequence[str], to_right: Sequence[bool], rows: Sequence[Sequence[str]]) -> None:
    import rich.box
    import rich.table
    from rich.console import Console
    from rich.text import Text

    drawn = rich.table.Table(box=rich.box.SIMPLE_HEAD, pad_edge=False)
    for name, right in zip(names, to_right, strict=True):
        drawn.add_column(Text(name), justify="right" if right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*map(Text, row))
    Console(file=sys.stdout).print(drawn)


def facts(pairs: Iterable[tuple[str, str]]) -> None:
    """Print one ``name: value`` a line, the values aligned."""
    labelled = [(f"{clean(name)}:", clean(value)) for name, value in pairs]
    width = max(len(label) for label, _ in labelled)
    for label, value in labelled:
        click.echo(f"{click.style(f'{label:<{width}}', bold=True)} {value}".rstrip())
