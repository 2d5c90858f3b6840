"""Commands that list search spaces and trainables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from service.cli.options import identifier
from service.cli.output import emit_json, facts, json_option, note, table
from service.cli.target import with_client
from service.cli.text import number

if TYPE_CHECKING:
    from service.client.client import Client

name_argument = click.argument("name", callback=identifier, required=False)


@click.command()
@name_argument
@json_option
@with_client
def spaces(client: Client, *, name: str | None, as_json: bool) -> None:
    """List the search spaces, or show one.

    One is shown as YAML, ready to be changed and submitted as a file.
    """
    found = client.search_space(name) if name else client.search_spaces()
    if as_json:
        emit_json(found)
    elif name:
        import yaml

        click.echo(yaml.safe_dump(found, sort_keys=False, allow_unicode=True), nl=False)
    else:
        columns = ("name", "title", "trainable", "strategy", "epochs")
        table(
            [*columns[:4], "epochs#"],
            [[number(space.get(key)) for key in columns] for space in found["items"]],
        )
        for broken in found["broken"]:
            for problem in broken["problems"]:
                note(f"not usable: {broken['file']}: {problem['detail']}; {problem['hint']}")


@click.command()
@name_argument
@json_option
@with_client
def trainables(client: Client, *, name: str | None, as_json: bool) -> None:
    """List the trainables, or show one.

    One is shown with its parameters and the metrics that it reports.
    """
    found: Any = client.trainable(name) if name else client.trainables()
    if as_json:
        emit_json(found if name else {"items": found, "next_cursor": None})
    elif name:
        _show_trainable(found)
    else:
        rows = [[one["name"], one["title"], ", ".join(one["datasets"])] for one in found]
        table(["name", "title", "data sets"], rows)


def _show_trainable(one: dict[str, Any]) -> None:
    facts(
        {
            "name": one["name"],
            "title": one["title"],
            "data sets": ", ".join(one["datasets"]),
            "metrics": ", ".join(metric["name"] for metric in one["metrics"]),
        }
    )
    properties = one["parameters"]["properties"]
    click.echo()
    table(
        ["parameter", "default", "limits", "description"],
        [
            [name, number(schema.get("default")), _limits(schema), schema.get("description", "")]
            for name, schema in properties.items()
        ],
    )


def _limits(schema: dict[str, Any]) -> str:
    """Return a JSON Schema's limits in brief: ``float > 0 <= 10``, ``sgd | adam``."""
    if "enum" in schema:
        return " | ".join(map(number, schema["enum"]))
    signs = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}
    limits = [f"{sign} {number(schema[key])}" for key, sign in signs.items() if key in schema]
    return " ".join([str(schema.get("type", "")), *limits]).strip()
