"""Data on stdout: JSON, tables and pairs; tables by rich on a terminal, plain text elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import click

from service.cli.text import clean

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """Add ``--json``, which prints the API's own answer."""
    return click.option("--json", "as_json", is_flag=True, help="Print the API's JSON.")(command)


def emit_json(value: Any) -> None:
    """Print ``value`` as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def note(message: str) -> None:
    """Print a message for people, on stderr."""
    click.echo(clean(message), err=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; a column whose name ends with ``#`` is aligned to the right."""
    names = [column.removesuffix("#") for column in columns]
    to_right = [column.endswith("#") for column in columns]
    cells = [[clean(cell).replace("\n", " ") for cell in row] for row in rows]
    if sys.stdout.isatty():
        _rich_table(names, to_right, cells)
        return
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    for row in ([name.upper().replace(" ", "_") for name in names], *cells):
        padded = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, to_right, strict=True)
        )
        click.echo("  ".join(padded).rstrip())


def _rich_table(
    names: Sequence[str], to_right: Sequence[bool], rows: Sequence[Sequence[str]]
) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name, right in zip(names, to_right, strict=True):
        drawn.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*map(Text, row))
    Console(file=sys.stdout).print(drawn)


def facts(values: Mapping[str, str]) -> None:
    """Print one ``name: value`` a line, the values aligned."""
    width = max(map(len, values))
    for name, value in values.items():
        label = click.style(f"{name + ':':<{width + 1}}", bold=True)
        click.echo(f"{label} {clean(value)}".rstrip())
