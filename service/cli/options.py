"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from service.settings import Settings


def identifier(text: str) -> str:
    """Return a job's id or a name; refuse a text that could be neither."""
    allowed = text.isascii() and text.isprintable() and not set(text) & set("/ ")
    if not allowed or text in ("", ".", ".."):
        raise click.BadParameter(f"{text!r} cannot be an id or a name")
    return text


job_argument = click.argument("job", metavar="JOB", type=identifier)
jobs_argument = click.argument("jobs", metavar="JOB...", nargs=-1, required=True, type=identifier)
timeout_option = click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="Stop waiting then, with exit code 6; the job goes on.",
)
folder_option = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="The service's data folder (ARGBEST_DATA_DIR).",
)


def machine_settings(data_dir: Path | None) -> Settings:
    """Return the settings of a service on this machine.

    A setting in the environment that cannot be used is a usage error.
    """
    from pydantic import ValidationError

    from service.settings import Settings

    try:
        return Settings() if data_dir is None else Settings(data_dir=data_dir)
    except ValidationError as error:
        wrong = (f"ARGBEST_{str(one['loc'][0]).upper()}: {one['msg']}" for one in error.errors())
        raise click.UsageError("; ".join(wrong)) from error
