"""The body of ``POST /jobs`` from a command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from service.cli.searching import search_of, search_options

if TYPE_CHECKING:
    from service.client.client import Client

F = TypeVar("F", bound=Callable[..., Any])

_FILE_SUFFIXES = (".yaml", ".yml", ".json")


def _parse(text: str) -> Any:
    """Return the JSON value of a YAML text; raise ValueError, which names the line."""
    from search_spaces.errors import YamlError
    from search_spaces.yaml_files import load_yaml

    try:
        value = load_yaml(text).value
    except YamlError as error:
        raise ValueError(str(error)) from error
    json.dumps(value, allow_nan=False)  # JSON has no infinity and no NaN
    return value


def _parse_option(text: str) -> Any:
    """Return the JSON value of an option; raise ValueError, also for ``{low:1}``."""
    value = _parse(text)
    if glued := next(_glued(value), None):
        raise ValueError(f'the space after ":" is missing: {glued.replace(":", ": ", 1)}')
    return value


def _glued(value: Any) -> Iterator[str]:
    """Yield the keys without a value that YAML makes of ``{low:1}``."""
    if isinstance(value, dict):
        yield from (key for key, inner in value.items() if inner is None and ":" in key)
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _glued(inner)


def _assignments(
    parse: Callable[[str], Any], example: str, form: str = "NAME=VALUE"
) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], dict[str, Any]]:
    """Return a callback that reads each ``NAME=VALUE``; a name given twice is refused.

    A text that is none is refused with the ``form`` it has not, and an ``example``.
    """

    def read(
        _: click.Context, parameter: click.Parameter, values: tuple[str, ...]
    ) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for value in values:
            name, equals, text = value.partition("=")
            if not equals or not name:
                message = f"{value!r} is not {form}, like {example}"
                raise click.BadParameter(message, param=parameter)
            if name in result:
                raise click.BadParameter(f"{name} is given twice", param=parameter)
            try:
                result[name] = parse(text)
            except ValueError as error:
                message = f"the value of {name} is not usable: {error}"
                raise click.BadParameter(message, param=parameter) from error
        return result

    return read


tags_of = _assignments(str, "team=vision")

assignments_option = click.option(
    "--set",
    "parameters",
    metavar="NAME=VALUE",
    multiple=True,
    callback=_assignments(_parse_option, "learning_rate=0.01"),
    help="Replace a parameter by a constant or a domain, written in YAML: learning_rate=0.01, "
    "'dropout={values: [0.3, 0.5]}', 'learning_rate={low: 0.001, high: 0.1, log: true}'. "
    "Repeatable.",
)

_OPTIONS = (
    click.argument("space", metavar="SPACE|FILE"),
    assignments_option,
    click.option("--epochs", type=int, help="Epochs of every trial."),
    click.option("--trials", type=int, help="Configurations that a sampler draws."),
    click.option("--seed", type=int, help="Seed of the search and its trials. [default: 42]"),
    click.option("--strategy", help="single, one_at_a_time, grid, auto, random, tpe, gp ..."),
    *search_options(_parse_option, _assignments),
    click.option("--max-concurrent-trials", type=int, help="Most trials that run at once."),
    click.option("--cpus", type=float, help="CPUs for each trial."),
    click.option("--gpus", type=float, help="GPUs for each trial."),
    click.option(
        "--time-limit",
        "time_limit_s",
        metavar="SECONDS",
        type=float,
        help="Longest time for one attempt of a trial.",
    ),
    click.option("--max-failures", type=int, help="Times that a failed trial is started again."),
    click.option("--priority", type=int, help="Weight in the shares of the cluster. [default: 1]"),
    click.option("--keep", type=int, help="Best trials whose models are kept. [default: 1]"),
    click.option("--name", help="Name shown in lists."),
    click.option(
        "--tag",
        "tags",
        metavar="NAME=VALUE",
        multiple=True,
        callback=tags_of,
        help="Label the job. Repeatable.",
    ),
)


def body_options(command: F) -> F:
    """Add the argument and the options that describe a search."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def body_of(
    space: str,
    *,
    cpus: float | None,
    gpus: float | None,
    history: Path | None = None,
    study: str | None = None,
    client: Client | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Return the request's body; the space and the server decide on options that are not given.

    A ``history`` file's trials are sent; the ``client`` asks for the parameters of a declared space
    where the file does not say which columns are parameters.
    """
    resources = {"cpu": cpus, "gpu": gpus}
    given = {
        **search_of(options),
        "resources_per_trial": {
            key: value for key, value in resources.items() if value is not None
        },
    }
    body = _with_options(_search_space(space), given)
    if study is not None and history is None:
        raise click.UsageError("--study needs --history")
    if history is not None:
        from service.cli.history_files import history_of

        body["history"] = history_of(history, study, body, client)
    return {key: value for key, value in body.items() if value not in (None, {})}


def _with_options(space: str | Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request of what the options say, over the file's where that holds a request."""
    if isinstance(space, str) or "search_space" not in space:
        return {"search_space": space, **given}
    body = {**space, **{key: value for key, value in given.items() if value not in (None, {})}}
    for key in ("parameters", "tags", "resources_per_trial"):
        if isinstance(space.get(key), Mapping) and given.get(key):
            body[key] = {**space[key], **given[key]}
    return body


def _search_space(space: str) -> str | Mapping[str, Any]:
    """Return the name of a declared space, or a whole space read from a file (``-``: stdin)."""
    return read_space(space) if is_file(space) else space


def is_file(space: str) -> bool:
    """Whether ``space`` names a file (``-``: stdin), rather than a declared space."""
    return space == "-" or space.endswith(_FILE_SUFFIXES) or "/" in space


def _or_program(space: str, why: object) -> str:
    """Return why a file is none, or how to get one where it looks like a program."""
    if Path(space).suffix.lower() in ("", ".yaml", ".yml", ".json"):
        return str(why)
    return f"if it is a program, `argbest init {shlex.quote(space)}` writes one for it"


def read_space(space: str) -> dict[str, Any]:
    """Return the JSON of the space or request in a file; one that holds none is a usage error."""
    try:
        with click.open_file(space, encoding="utf-8") as file:
            value = _parse(file.read())
    except OSError as error:
        raise click.UsageError(f"cannot read {space}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{space} is not UTF-8: {error.reason}") from error
    except ValueError as error:
        raise click.UsageError(
            f"{space} is not a search space: {_or_program(space, error)}"
        ) from error
    if not isinstance(value, dict):
        why = _or_program(space, "it holds no mapping")
        raise click.UsageError(f"{space} is not a search space: {why}")
    return value
