"""Commands that list search spaces and trainables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from service.cli.options import identifier
from service.cli.output import emit_json, facts, json_option, note, table
from service.cli.target import with_client
from service.cli.text import cells, setting

if TYPE_CHECKING:
    from search_spaces import Problem
    from service.client.client import Client
    from service.schemas import SearchSpaceList, SearchSpaceView, TrainableList, TrainableView

name_argument = click.argument("name", type=identifier, metavar="[NAME]", required=False)


@click.command()
@name_argument
@json_option
@with_client
def spaces(client: Client, *, name: str | None, as_json: bool) -> None:
    """List the search spaces, or show one.

    One is shown as YAML, ready to be changed and submitted as a file.
    """
    if name:
        space = client.search_space(name)
        emit_json(space) if as_json else _show_space(space)
    else:
        found = client.search_spaces()
        emit_json(found) if as_json else _list_spaces(found)


def _show_space(space: SearchSpaceView) -> None:
    import yaml

    plain = space.model_dump(mode="json", exclude_unset=True)
    click.echo(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True), nl=False)


def _list_spaces(found: SearchSpaceList) -> None:
    rows = [[s.name, s.title, s.trainable, s.strategy, str(s.epochs)] for s in found.items]
    table(["name", "title", "trainable", "strategy", "epochs#"], rows)
    for broken in found.broken:
        _note_problems(broken.file, broken.problems)


@click.command()
@name_argument
@json_option
@with_client
def trainables(client: Client, *, name: str | None, as_json: bool) -> None:
    """List the trainables, or show one.

    One is shown with its parameters and the metrics that it reports.
    """
    if name:
        one = client.trainable(name)
        emit_json(one) if as_json else _show_trainable(one)
    else:
        found = client.trainables()
        emit_json(found) if as_json else _list_trainables(found)


def _list_trainables(found: TrainableList) -> None:
    rows = [[one.name, one.title, ", ".join(one.datasets)] for one in found.items]
    table(["name", "title", "data sets"], rows)
    for broken in found.broken:
        _note_problems(f"{broken.entry_point} of {broken.package}", broken.problems)


def _note_problems(source: str, problems: list[Problem]) -> None:
    for problem in problems:
        note(f"not usable: {source}: {problem.detail}; {problem.hint}")


def _show_trainable(one: TrainableView) -> None:
    datasets, metrics = ", ".join(one.datasets), ", ".join(metric.name for metric in one.metrics)
    kinds = [("your own data", ", ".join(one.kinds))] if one.kinds else []
    facts([
        ("name", one.name), ("title", one.title), ("data sets", datasets), *kinds,
        ("metrics", metrics),
    ])  # fmt: skip
    click.echo()
    rows = [
        [name, *cells(schema, ["default"], setting), _limits(schema), schema.get("description", "")]
        for name, schema in one.parameters.get("properties", {}).items()
    ]
    table(["parameter", "default", "limits", "description"], rows)


def _limits(schema: dict[str, Any]) -> str:
    """Return a JSON Schema's limits in brief: ``float > 0 <= 10``, ``sgd | adam``."""
    if "anyOf" in schema:
        return " | ".join(map(_limits, schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(map(setting, schema["enum"]))
    signs = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}
    limits = [f"{sign} {setting(schema[key])}" for key, sign in signs.items() if key in schema]
    return " ".join([str(schema.get("type", "")), *limits]).strip()
