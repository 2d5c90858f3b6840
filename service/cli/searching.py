"""The options that say how a search goes on and ends: objectives, schedulers, budgets, seeds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

Callback = Callable[[click.Context, click.Parameter, Any], Any]

_CONSTRAINT = re.compile(r"\s*(.+?)\s*(<=|>=)\s*(.+?)\s*")
_LIMITS = {"<=": "at_most", ">=": "at_least"}
#: The members of the request's body that the repeatable options fill, by the option's name.
_LISTS = ("objectives", "constraints", "enqueue", "warm_start")


def search_options(
    parse: Callable[[str], Any], assignments: Callable[[Callable[[str], Any], str, str], Callback]
) -> tuple[Callable[[Any], Any], ...]:
    """Return the options.

    ``parse`` reads a text's JSON or raises ``ValueError``; ``assignments`` makes a callback of it.
    """
    return (
        click.option(
            "--objective", "objectives", metavar="METRIC=MODE", multiple=True,
            callback=assignments(str, "validation_accuracy=max", "METRIC=MODE"),
            help="A metric and its better direction, min or max, in place of the space's. "
            "Repeatable: the first decides a tie.",
        ),
        click.option(
            "--constraint", "constraints", metavar="METRIC<=N", multiple=True,
            callback=_each(_constraint(parse)),
            help="A limit of a metric, like model_bytes<=1000000 or accuracy>=0.8. Repeatable.",
        ),
        click.option(
            "--scheduler", metavar="NAME", callback=_one(parse),
            help="How far each trial trains: none, asha, hyperband, median, pbt, or with "
            "parameters '{name: asha, min_epochs: 2}'.",
        ),
        click.option(
            "--budget", metavar="NAME=VALUE", multiple=True,
            callback=assignments(parse, "epochs=500", "NAME=VALUE"),
            help="What ends the search: seconds, epochs, target, trials_without_improvement or "
            "failed_trials. Repeatable.",
        ),
        click.option(
            "--enqueue", metavar="CONFIGURATION", multiple=True, callback=_each(parse),
            help="A configuration to run first, like '{learning_rate: 0.01}'. Repeatable.",
        ),
        click.option(
            "--warm-start", metavar="JOB", multiple=True,
            help="A job whose trials the sampler is told. Repeatable.",
        ),
        click.option(
            "--history", metavar="FILE", type=click.Path(path_type=Path),
            help="Trials from elsewhere that the sampler is told: Optuna's database, JSON or CSV.",
        ),
        click.option("--study", metavar="NAME", help="Which study of the --history database."),
        click.option("--repeats", type=int, help="Seeds of every configuration."),
        click.option(
            "--confirm", metavar="YES|NO", callback=_one(parse),
            help="Whether the best configurations run again with further seeds: true, false or "
            "'{top: 3, seeds: 5}'.",
        ),
    )  # fmt: skip


def search_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options as members of the request's body; those not given are left out."""
    body = dict(options)
    objectives = body.get("objectives") or {}
    body["objectives"] = [{"metric": name, "mode": mode} for name, mode in objectives.items()]
    for name in _LISTS:
        body[name] = list(body.get(name) or ()) or None
    return body


def _one(read: Callable[[str], Any]) -> Callback:
    def callback(_: click.Context, parameter: click.Parameter, value: str | None) -> Any:
        try:
            return None if value is None else read(value)
        except ValueError as error:
            raise click.BadParameter(f"not usable: {error}", param=parameter) from error

    return callback


def _each(read: Callable[[str], Any]) -> Callback:
    one = _one(read)
    return lambda context, parameter, values: [one(context, parameter, value) for value in values]


def _constraint(parse: Callable[[str], Any]) -> Callable[[str], dict[str, Any]]:
    def read(text: str) -> dict[str, Any]:
        found = _CONSTRAINT.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not METRIC<=N or METRIC>=N, like model_bytes<=1000000")
        metric, sign, limit = found.groups()
        return {"metric": metric, _LIMITS[sign]: parse(limit)}

    return read
