"""The body of ``POST /jobs`` from a command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_FILE_SUFFIXES = (".yaml", ".yml", ".json")


class Assignment(click.ParamType):
    """``NAME=VALUE``; the value is YAML where ``typed``, else a string."""

    name = "name=value"

    def __init__(self, *, typed: bool) -> None:
        self.typed = typed

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Any]:
        """Split and parse one assignment; a parse error is a usage error."""
        if isinstance(value, tuple):
            return value
        name, equals, text = value.partition("=")
        if not equals or not name:
            self.fail(f"{value!r} is not NAME=VALUE, like learning_rate=0.01", param, ctx)
        return name, self._parsed(name, text, param, ctx) if self.typed else text

    def _parsed(
        self, name: str, text: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        from service.cli.yaml_values import BadYaml, parse

        try:
            return parse(text)
        except BadYaml as error:
            self.fail(f"the value of {name} is not YAML: {error}", param, ctx)


def _mapping(
    _: click.Context, parameter: click.Parameter, values: tuple[tuple[str, Any], ...]
) -> dict[str, Any]:
    result = dict(values)
    if len(result) < len(values):
        names = [name for name, _ in values]
        twice = ", ".join(sorted({name for name in names if names.count(name) > 1}))
        raise click.BadParameter(f"given twice: {twice}", param=parameter)
    return result


_OPTIONS = (
    click.argument("space", metavar="SPACE|FILE"),
    click.option(
        "--set",
        "parameters",
        metavar="NAME=VALUE",
        type=Assignment(typed=True),
        multiple=True,
        callback=_mapping,
        help="Replace a parameter by a constant or a domain, written in YAML: learning_rate=0.01, "
        "'dropout=[0.3, 0.5]', 'learning_rate={low: 0.001, high: 0.1, log: true}'. Repeatable.",
    ),
    click.option("--epochs", type=int, help="Epochs of every trial."),
    click.option("--trials", type=int, help="Trials that a sampling strategy runs."),
    click.option("--seed", type=int, help="Seed of the search and its trials. [default: 42]"),
    click.option("--strategy", help="single, one_at_a_time, grid, random, tpe ..."),
    click.option("--max-concurrent-trials", type=int, help="Most trials that run at once."),
    click.option("--cpus", type=float, help="CPUs for each trial."),
    click.option("--gpus", type=float, help="GPUs for each trial."),
    click.option(
        "--time-limit", "time_limit_s", metavar="SECONDS", type=float, help="End the search then."
    ),
    click.option("--max-failures", type=int, help="Times that a lost trial is started again."),
    click.option("--name", help="Name shown in lists."),
    click.option(
        "--tag",
        "tags",
        metavar="NAME=VALUE",
        type=Assignment(typed=False),
        multiple=True,
        callback=_mapping,
        help="Label the job. Repeatable.",
    ),
)


def body_options(command: F) -> F:
    """Add the argument and the options that describe a search."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def body_of(
    space: str, *, cpus: float | None, gpus: float | None, **options: Any
) -> dict[str, Any]:
    """Return the request's body; what was not given is left to the search space and the server."""
    resources = {"cpu": cpus, "gpu": gpus}
    body = {
        "search_space": _search_space(space),
        **options,
        "resources_per_trial": {key: value for key, value in resources.items() if value is not None},
    }
    return {key: value for key, value in body.items() if value not in (None, {})}


def _search_space(space: str) -> str | Mapping[str, Any]:
    """Return the name of a declared space, or a whole space read from a file (``-``: stdin)."""
    if space != "-" and not space.endswith(_FILE_SUFFIXES) and "/" not in space:
        return space
    from service.cli.yaml_values import BadYaml, parse

    try:
        with click.open_file(str(Path(space)), encoding="utf-8") as file:
            value = parse(file.read())
    except OSError as error:
        raise click.UsageError(f"cannot read {space}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{space} is not UTF-8: {error.reason}") from error
    except BadYaml as error:
        raise click.UsageError(f"{space} is not YAML: {error}") from error
    if not isinstance(value, dict):
        raise click.UsageError(f"{space} does not hold a search space: a mapping is due")
    return value
