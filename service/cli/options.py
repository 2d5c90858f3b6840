"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Any

import click


class Identifier(click.ParamType):
    """A job's id or the name of something: not empty, no slash, no white space."""

    name = "id"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the identifier, or fail with a usage error."""
        text = str(value)
        if text in ("", ".", "..") or "/" in text or any(char.isspace() for char in text):
            self.fail(f"{text!r} cannot be an id or a name", param, ctx)
        return text


job_argument = click.argument("job", metavar="JOB", type=Identifier())
jobs_argument = click.argument(
    "jobs", metavar="JOB...", type=Identifier(), nargs=-1, required=True
)
timeout_option = click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="Stop waiting then, with exit code 6; the job goes on.",
)
