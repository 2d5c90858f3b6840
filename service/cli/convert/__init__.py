"""`argbest convert`: a search space from another system's file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from service.cli.errors import ExitCode
from service.cli.output import note

KINDS = ("wandb", "katib", "nni", "hydra", "optuna")
#: The keys of a space in the order in which they are written.
_ORDER = (
    "name", "title", "description", "command", "code", "environment", "flags", "patterns",
    "early_end", "epochs", "metric", "mode", "objectives", "constraints", "strategy", "trials",
    "scheduler", "budget", "parameters",
)  # fmt: skip


@dataclass(frozen=True)
class Converted:
    """A search space in JSON, what of the file has no counterpart, and what is to be done."""

    kind: str
    space: dict[str, Any]
    lost: tuple[str, ...]
    notes: tuple[str, ...]
    problems: tuple[str, ...]


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--from", "kind", type=click.Choice(KINDS), help="System of the file. [default: found out]"
)
@click.option("--study", metavar="NAME", help="Study, where an Optuna database has several.")
@click.option(
    "-o", "--output", metavar="FILE", help="File to write, which must be new. [default: stdout]"
)
def convert(file: Path, *, kind: str | None, study: str | None, output: str | None) -> None:
    """Write a search space from another system's file.

    FILE is a W&B sweep, a Katib experiment, an NNI search space, the sweep section of Hydra's
    Optuna plugin, or an Optuna study: its distributions as JSON or its SQLite file.
    """
    from service.cli.convert.draft import NotConvertible
    from service.cli.space_file import rendered, write_new

    try:
        converted = read(file, kind, study)
    except NotConvertible as error:
        raise click.UsageError(str(error)) from None
    text = rendered(converted.space, header=_header(converted, file))
    if output in (None, "-"):
        click.echo(text, nl=False)
    else:
        write_new(Path(str(output)), text)
        for line in [*_summary(converted), f"wrote {output}: `argbest try {output}` runs a trial"]:
            note(line)
    if converted.problems:
        click.get_current_context().exit(ExitCode.JOB_FAILED)


def read(path: Path, kind: str | None = None, study: str | None = None) -> Converted:
    """Return the space that the file at ``path`` stands for, ``kind`` None: found out.

    Raises ``NotConvertible`` for a file that cannot be read or that holds none.
    """
    from service.cli.convert import optuna_database
    from service.cli.convert.draft import Draft, NotConvertible
    from service.cli.sqlite_files import MAGIC

    try:
        with path.open("rb") as opened:
            head = opened.read(len(MAGIC))
    except OSError as error:
        raise NotConvertible(f"cannot read {path}: {error.strerror}") from None
    draft: Draft
    if head == MAGIC:
        draft = optuna_database.convert(path, study)
    else:
        raw = _content(path)
        draft = _converter(raw, kind, path)(raw)
    return _finished(draft, path.stem)


def _content(path: Path) -> Mapping[str, Any]:
    """Return what a JSON or YAML file holds, within the limits of a search space's file."""
    from search_spaces.errors import YamlError
    from search_spaces.yaml_files import LARGEST_TEXT, load_yaml
    from service.cli.convert.draft import NotConvertible

    with path.open("rb") as opened:
        content = opened.read(LARGEST_TEXT + 1)
    if len(content) > LARGEST_TEXT:
        raise NotConvertible(f"{path} is larger than {LARGEST_TEXT} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotConvertible(f"{path} is not UTF-8: {error.reason}") from None
    try:
        value = json.loads(text) if path.suffix == ".json" else load_yaml(text).value
    except YamlError as error:
        raise NotConvertible(f"{path}, {error}") from None
    except ValueError as error:
        raise NotConvertible(f"{path} is not JSON: {error}") from None
    except RecursionError:
        raise NotConvertible(f"{path}: the nesting is too deep") from None
    if not isinstance(value, Mapping) or not value:
        raise NotConvertible(f"{path} holds no mapping")
    return value


def _converter(
    raw: Mapping[str, Any], kind: str | None, path: Path
) -> Callable[[Mapping[str, Any]], Any]:
    from service.cli.convert import hydra, katib, nni, optuna, wandb
    from service.cli.convert.draft import NotConvertible

    converters: dict[str, tuple[Callable[..., bool], Callable[..., Any]]] = {
        "katib": (katib.is_katib, katib.convert),
        "nni": (nni.is_nni, nni.convert),
        "optuna": (optuna.is_optuna, optuna.convert),
        "hydra": (hydra.is_hydra, hydra.convert),
        "wandb": (wandb.is_wandb, wandb.convert),
    }
    if kind is not None:
        return converters[kind][1]
    if "strategy" in raw or ("trainable" in raw and "parameters" in raw):
        raise NotConvertible(f"{path} is a search space already: submit it")
    for is_one, found in converters.values():
        if is_one(raw):
            return found
    keys = ", ".join(list(raw)[:8])
    raise NotConvertible(
        f"{path} is of no system that is known here (its keys: {keys}); say which with --from "
        f"{'|'.join(KINDS)}"
    )


def _finished(draft: Any, stem: str) -> Converted:
    from service.cli.convert.fitting import fitted

    slug = re.sub(r"[^a-z0-9_-]+", "_", str(draft.members["title"]).lower()).strip("_-")
    name = slug[:64] or re.sub(r"[^a-z0-9_-]+", "_", stem.lower()).strip("_-")[:64] or "converted"
    draft.members["title"] = draft.members["title"][:200]
    members = {**draft.members, "name": name, "code": ".", "parameters": draft.parameters}
    if draft.flags:
        members["flags"] = draft.flags
    members = fitted(members, draft.note)
    space = {key: members[key] for key in _ORDER if members.get(key) not in (None, {}, [])}
    return Converted(draft.kind, space, tuple(draft.lost), tuple(draft.notes), problems_of(space))


def problems_of(space: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what is still wrong with a converted space, one text each."""
    from service.cli.convert.fitting import problems

    return tuple(map(str, problems(space)))


def _header(converted: Converted, file: Path) -> list[str]:
    lines = [f"From {file.name}, {converted.kind}, by `argbest convert`."]
    return [*lines, *_summary(converted)]


def _summary(converted: Converted) -> list[str]:
    sections = (
        ("No counterpart:", converted.lost),
        ("To check:", converted.notes),
        ("To correct before it runs:", converted.problems),
    )
    return [
        line
        for title, found in sections
        if found
        for line in (title, *(f"- {one}" for one in found))
    ]
