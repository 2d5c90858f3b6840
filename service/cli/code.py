"""Sends the folder that a search space names as its code, before the search itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from results.formatting import count
from service.cli.output import note
from service.cli.text import clean, size

if TYPE_CHECKING:
    from service.client.client import Client

_MOST_NAMED = 5


def send_code(
    client: Client, space: str, body: dict[str, Any], *, left_out: Sequence[Path] = ()
) -> None:
    """Send the folder, relative to the file ``space``, and put its digest and source into ``body``.

    So is the schema of a function's parameters (:mod:`service.cli.parameter_model`). Nothing is
    done where the body's search space names no folder. ``left_out`` are folders that are no code. A
    folder that cannot be sent is a usage error.
    """
    declared = body.get("search_space")
    code = declared.get("code") if isinstance(declared, Mapping) else None
    if not isinstance(declared, Mapping) or not isinstance(code, str) or not code:
        return
    from search_spaces import is_digest
    from service.cli.parameter_model import with_parameters
    from service.code.pack import PackError, pack
    from service.code.source import read_source

    if is_digest(code):
        return
    folder = (Path.cwd() if space == "-" else Path(space).resolve().parent) / code
    try:
        archive = pack(folder, left_out=left_out)
    except PackError as error:
        raise click.UsageError(clean(f"code: {error}")) from error
    declared = with_parameters(declared, folder)
    sent = client.send_archive(archive)
    known = "" if sent.is_new else "; the service has it"
    files = count(archive.files, "file")
    note(f"code: {files}, {size(archive.bytes)}, packed {size(len(archive.content))}{known}")
    if archive.left_out:
        named = ", ".join(archive.left_out[:_MOST_NAMED])
        more = len(archive.left_out) - _MOST_NAMED
        note(f"not sent, no plain files of the folder: {named}{f' and {more} more' * (more > 0)}")
    body["search_space"] = {**declared, "code": archive.digest}
    body["source"] = read_source(folder)
