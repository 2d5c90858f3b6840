"""Commands about data sets: those of this machine, and those of the service, your own too."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from results.formatting import number
from service.cli.options import folder_option, identifier, machine_settings
from service.cli.output import emit_json, facts, json_option, note, table
from service.cli.target import remember_target, with_client
from service.cli.text import size

if TYPE_CHECKING:
    from service.client.client import Client
    from service.schemas import DatasetView

name_argument = click.argument("name", type=identifier, metavar="NAME")


@click.group()
def data() -> None:
    """Add your own data sets, see and fetch those that there are.

    `fetch` and `ls --here` work on the data folder of this machine, the others talk to the service.
    The service fetches the data of a job by itself.
    """


@data.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="Its name in searches. [default: the file's]")
@click.option("--target", help="The column to predict; of an NPZ file, the array. [default: y]")
@click.option(
    "--task",
    type=click.Choice(["regression", "classification"]),
    help="What to predict. [default: as the target's values suggest]",
)
@click.option(
    "--split",
    metavar="SHARES",
    help="Shares of training, validation and test rows. [default: 0.6,0.2,0.2]",
)
@click.option("--seed", help="Draws the split. [default: 42]")
@click.option(
    "--types",
    multiple=True,
    metavar="COLUMN=TYPE,...",
    help="Correct the types: number, category or ignore.",
)
@json_option
@with_client
def add(
    client: Client,
    *,
    file: Path,
    name: str | None,
    target: str | None,
    task: Literal["regression", "classification"] | None,
    split: str | None,
    seed: str | None,
    types: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make a data set of a CSV, TSV, Parquet or NPZ file.

    Prints its card: what each column was taken for, and what to look out for.
    """
    try:
        added = client.add_dataset(
            name or file.stem, file, target=target, task=task, split=split, seed=seed, types=types
        )
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror or error}") from error
    if as_json:
        emit_json(added)
        return
    _show(added)
    note(f"{added.name} can be used: dataset: {added.name} in a search space")


@data.command("ls")
@remember_target
@click.option(
    "--here", is_flag=True, help="List argbest's own on this machine, without the service."
)
@folder_option
@json_option
def list_data(*, here: bool, data_dir: Path | None, as_json: bool) -> None:
    """List the service's data sets, your own too."""
    if here:
        _list_here(data_dir, as_json=as_json)
    else:
        _list_of_service(as_json=as_json)


@with_client
def _list_of_service(client: Client, *, as_json: bool) -> None:
    found = client.datasets()
    if as_json:
        emit_json({"items": [_plain(one) for one in found], "next_cursor": None})
        return
    table(
        ["name", "kind", "yours", "rows#", "size#", "title"],
        [
            [one.name, one.kind, "yes" if one.own else "no", str(one.rows), size(one.size),
             one.title]
            for one in found
        ],
    )  # fmt: skip


def _plain(one: DatasetView) -> dict[str, Any]:
    return one.model_dump(mode="json", exclude_unset=True)


@data.command()
@name_argument
@json_option
@with_client
def show(client: Client, *, name: str, as_json: bool) -> None:
    """Show a data set; of your own, its card."""
    found = client.dataset(name)
    emit_json(found) if as_json else _show(found)


@data.command()
@name_argument
@with_client
def remove(client: Client, *, name: str) -> None:
    """Remove a data set of yours; jobs that were submitted with it keep their data."""
    client.remove_dataset(name)
    note(f"{name} is removed")


def _show(one: DatasetView) -> None:
    splits = ", ".join(f"{rows:,} {split}" for split, rows in one.splits.items() if rows)
    pairs = [("name", one.name), ("title", one.title), ("kind", one.kind), ("rows", splits)]
    card = one.card
    if card is None:
        facts([*pairs, ("source", one.source), ("license", one.license)])
        return
    facts([*pairs, ("features", str(card["features"])), ("target", _target(card["target"])),
           ("content", one.digest)])  # fmt: skip
    if card["columns"]:
        click.echo()
        rows = [
            [c["name"], c["found"], c["used_as"], f"{100 * c['missing']:.1f} %",
             str(c["distinct"]), str(c["features"]), c["note"]]
            for c in card["columns"]
        ]  # fmt: skip
        header = ["column", "found", "used as", "missing#", "values#", "features#", "note"]
        table(header, rows)
    for caution in card["cautions"]:
        note(f"look out: {caution['detail']}; {caution['hint']}")


def _target(target: dict[str, Any]) -> str:
    """Describe the target in a line: its range, or the rows of its commonest classes."""
    if "classes" not in target:
        found = target["summary"]
        low, median, high = (number(found[name]) for name in ("min", "median", "max"))
        return f"{target['name']}, {low} to {high}, median {median}"
    counted = [(sum(one["rows"].values()), one["name"]) for one in target["classes"]]
    listed = ", ".join(f"{name} ({rows:,})" for rows, name in sorted(counted, reverse=True)[:10])
    more = f" and {len(counted) - 10} more" if len(counted) > 10 else ""
    return f"{target['name']}: {len(counted)} classes, {listed}{more}"


def _list_here(data_dir: Path | None, *, as_json: bool) -> None:
    """List argbest's own data sets and whether they are on this machine."""
    from trainables import datasets

    settings = machine_settings(data_dir)
    folder, source = settings.datasets_dir, settings.fashion_mnist_dir
    found = [datasets.status(name, folder, source=source) for name in datasets.names()]
    if as_json:
        emit_json({"items": [asdict(status) for status in found], "next_cursor": None})
        return
    table(
        ["name", "here", "rows#", "size#", "where", "license"],
        [
            [
                status.name,
                "yes" if status.available else "no",
                str(status.rows),
                size(status.size),
                status.where or "-",
                status.license,
            ]
            for status in found
        ],
    )


@data.command()
@name_argument
@folder_option
def fetch(*, name: str, data_dir: Path | None) -> None:
    """Fetch and prepare one of argbest's own data sets, check its checksums."""
    from trainables import datasets
    from trainables.contract import DatasetUnavailable, UnknownDataset

    settings = machine_settings(data_dir)
    folder, source = settings.datasets_dir, settings.fashion_mnist_dir
    try:
        datasets.fetch(name, folder, source=source, log=note)
    except UnknownDataset as error:
        raise click.UsageError(str(error)) from error
    except DatasetUnavailable as error:
        raise click.ClickException(str(error)) from error
    note(f"{name} is ready in {folder}")
