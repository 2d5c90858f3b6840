"""Commands about the data sets of this machine; they need no server."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from service.cli.options import folder_option, identifier, machine_settings
from service.cli.output import emit_json, json_option, note, table
from service.cli.text import size


@click.group()
def data() -> None:
    """See or fetch this machine's data sets.

    The service fetches what a job needs by itself; here you do it before, and see what is there.
    """


def datasets_folders(data_dir: Path | None) -> tuple[Path, Path | None]:
    """Return the folder of prepared data sets, and Fashion-MNIST's own folder if one is set."""
    settings = machine_settings(data_dir)
    return settings.datasets_dir, settings.fashion_mnist_dir


@data.command("ls")
@folder_option
@json_option
def list_data(*, data_dir: Path | None, as_json: bool) -> None:
    """List the data sets and whether they are here."""
    from trainables import datasets

    folder, source = datasets_folders(data_dir)
    found = [datasets.status(name, folder, source=source) for name in datasets.names()]
    if as_json:
        items = [dataclasses.asdict(status) for status in found]
        emit_json({"items": items, "next_cursor": None})
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
@click.argument("name", callback=identifier)
@folder_option
def fetch(*, name: str, data_dir: Path | None) -> None:
    """Fetch and prepare a data set, check its checksums."""
    from trainables import datasets
    from trainables.contract import DatasetUnavailable, UnknownDataset

    folder, source = datasets_folders(data_dir)
    try:
        datasets.fetch(name, folder, source=source, log=note)
    except UnknownDataset as error:
        raise click.UsageError(str(error)) from error
    except DatasetUnavailable as error:
        raise click.ClickException(str(error)) from error
    note(f"{name} is ready in {folder}")
