"""`argbest init`: a commented search space for a program."""

from __future__ import annotations

from pathlib import Path

import click

from service.cli.output import note


@click.command()
@click.argument("script", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write, which must be new. [default: search.yaml beside the code]",
)
def init(script: Path, *, output: Path | None) -> None:
    """Write a commented search space for a program.

    Its parameters are guessed from argparse or click in its source, or from its --help; what it
    prints of its metrics is looked for as well. A file that is there is not overwritten.
    """
    from service.cli.init.program import look_at
    from service.cli.init.space import drafted
    from service.cli.space_file import rendered, write_new

    if not script.is_file():
        raise click.UsageError(f"there is no file {script}")
    if script.suffix == ".ipynb":
        raise click.UsageError(
            f"{script} is a notebook: export its code first, by "
            f"`jupyter nbconvert --to script {script}`"
        )
    if output is None:
        inside = script.resolve().is_relative_to(Path.cwd())
        output = (Path.cwd() if inside else script.resolve().parent) / "search.yaml"
    folder = output.resolve().parent
    if not script.resolve().is_relative_to(folder):
        raise click.UsageError(
            f"{script} is not in {folder}, the folder that is sent along; write the search there"
        )
    found = look_at(script.resolve(), folder)
    draft = drafted(found)
    text = rendered(draft.space, header=draft.header, above=draft.above, beside=draft.beside)
    write_new(output, text)
    for line in draft.told:
        note(line)
    shown = output.relative_to(Path.cwd()) if output.is_relative_to(Path.cwd()) else output
    note(f"wrote {shown}; read it, then run a trial: argbest try {shown}")
