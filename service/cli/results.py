"""Commands that read a job's results: best configuration, curves, report, export, plots."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

import click

from results.formatting import number
from service.cli.errors import for_each
from service.cli.files import file_names, make_folder, write_atomically, writing
from service.cli.options import job_argument
from service.cli.output import emit_json, facts, json_option, note, table
from service.cli.summary import best_facts
from service.cli.target import with_client
from service.cli.text import ABSENT, cells, setting

if TYPE_CHECKING:
    from service.client.client import Client
    from service.schemas import FrontView

ReportFormat = Literal["html", "md", "json", "pdf"]
ExportFormat = Literal["optuna", "csv", "parquet", "tensorboard"]
_FORMATS = get_args(ReportFormat)
_EXPORTS = get_args(ExportFormat)


@click.command()
@job_argument
@click.option(
    "--format", "style", type=click.Choice(["json", "yaml", "curl"]), help="Print it ready to use."
)
@json_option
@with_client
def best(client: Client, *, job: str, style: str | None, as_json: bool) -> None:
    """Show a job's best configuration.

    --format curl prints a command that runs this one configuration again.
    """
    if style:
        kind = cast(Literal["json", "yaml", "curl"], style)
        click.echo(client.best_text(job, kind).rstrip("\n"))
        return
    found = client.best(job)
    if as_json:
        emit_json(found)
        return
    facts(best_facts(found))
    if found.front:
        _front(found.front)


def _front(front: list[FrontView]) -> None:
    """Print the configurations that no other one beats in every objective."""
    parameters = list(dict.fromkeys(name for one in front for name in one.parameters))
    objectives = list(front[0].objectives)
    rows = [
        [
            str(one.trial),
            *cells(one.objectives, objectives, number),
            *cells(one.parameters, parameters, setting),
        ]
        for one in front
    ]
    click.echo()
    click.echo("Pareto front: no other configuration is better in all objectives")
    table(["trial#", *(f"{name}#" for name in (*objectives, *parameters))], rows)


@click.command()
@job_argument
@click.option("-o", "--output", metavar="FILE", required=True, help="File to write; - for stdout.")
@click.option("--trial", type=click.IntRange(min=0), help="Another trial than the best.")
@with_client
def model(client: Client, *, job: str, output: str, trial: int | None) -> None:
    """Fetch the model of a job's best trial.

    It is a .npz file: numpy.load(FILE)["weights"], say, is one of its arrays.
    """
    if output != "-":
        with writing(Path(output)):
            client.model(job, output, trial=trial)
        note(f"wrote {output}")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        client.model(job, path, trial=trial)
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)


@click.command()
@job_argument
@click.argument("trial", metavar="TRIAL", type=click.IntRange(min=0))
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@json_option
@with_client
def curve(client: Client, *, job: str, trial: int, as_csv: bool, as_json: bool) -> None:
    """Print a trial's metrics, epoch by epoch."""
    if as_csv:
        click.echo(client.curve_csv(job, trial), nl=False)
        return
    found = client.curve(job, trial)
    if as_json:
        emit_json(found)
        return
    epochs = map(str, found.pop("epoch"))
    columns = [
        [ABSENT if value is None else number(value) for value in values]
        for values in found.values()
    ]
    table(["epoch#", *(f"{name}#" for name in found)], zip(epochs, *columns, strict=True))


@click.command()
@job_argument
@click.option(
    "-o", "--output", metavar="FILE", default="-", help="File to write. [default: stdout]"
)
@click.option(
    "--format",
    "style",
    type=click.Choice(_FORMATS),
    help="Format; by default the file's suffix gives it.",
)
@json_option
@with_client
def report(client: Client, *, job: str, output: str, style: str | None, as_json: bool) -> None:
    """Fetch a job's report as HTML, Markdown, JSON or PDF."""
    kind = "json" if as_json else style or _format_of(output)
    content = client.report(job, cast(ReportFormat, kind))
    if output == "-":
        sys.stdout.buffer.write(content)
    else:
        write_atomically(Path(output), content)
        note(f"wrote {output}")


def _format_of(output: str) -> str:
    """Return the format of a report by its file's suffix; Markdown for stdout."""
    if output == "-":
        return "md"
    suffix = Path(output).suffix.lower().removeprefix(".")
    suffix = "html" if suffix == "htm" else suffix
    if suffix not in _FORMATS:
        raise click.UsageError(f"{output}: name a .html, .md, .json or .pdf file, or say --format")
    return suffix


@click.command()
@job_argument
@click.option("--format", "style", type=click.Choice(_EXPORTS), required=True, help="For what.")
@click.option("-o", "--output", metavar="FILE", help="File to write. [default: JOB with a suffix]")
@with_client
def export(client: Client, *, job: str, style: str, output: str | None) -> None:
    """Fetch a job's trials and curves for Optuna, pandas, TensorBoard.

    csv and parquet hold two tables, tensorboard a folder for each trial, in a ZIP archive; optuna
    is the file of a journal storage.
    """
    kind = cast(ExportFormat, style)
    path = Path(output or f"{job}-{style}.{'log' if kind == 'optuna' else 'zip'}")
    with writing(path):
        client.export(job, path, kind)
    note(f"wrote {path}")


@click.command()
@job_argument
@click.option("-d", "--directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--format", "style", type=click.Choice(["png", "svg"]), default="png", show_default=True
)
@json_option
@with_client
def plots(client: Client, *, job: str, directory: Path | None, style: str, as_json: bool) -> None:
    """List a job's plots, or write them into a folder."""
    found = client.plots(job)
    if as_json:
        emit_json({"items": found, "next_cursor": None})
    elif directory is None:
        table(["name", "title"], [[plot.name, plot.title] for plot in found])
    if directory is None:
        return
    make_folder(directory)
    kind = cast(Literal["png", "svg"], style)
    files = file_names(plot.name for plot in found)

    def write(name: str) -> None:
        path = directory / f"{files[name]}.{style}"
        write_atomically(path, client.plot(job, name, kind))
        click.echo(path, err=as_json)

    for_each(files, "plot", write)
