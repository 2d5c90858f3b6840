"""Commands about the data sets of this machine; they need no server."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from service.cli.options import folder_option, identifier, machine_settings
from service.cli.output import emit_json, json_option, note, table
from service.cli.text import size


@click.group()
def data() -> None:
    """See or fetch this machine's data sets.

    The service fetches the data of a job by itself; here you do it before, and see what is there.
    """


@data.command("ls")
@folder_option
@json_option
def list_data(*, data_dir: Path | None, as_json: bool) -> None:
    """List the data sets and whether they are here."""
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
@click.argument("name", type=identifier, metavar="NAME")
@folder_option
def fetch(*, name: str, data_dir: Path | None) -> None:
    """Fetch and prepare a data set, check its checksums."""
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
