"""Reads trials from elsewhere for a search to learn from: a study of Optuna, JSON, or a table."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from results.formatting import FORMULA_MARKS, count
from results.states import Purpose
from search_spaces import (
    MOST_KNOWN,
    KnownTrial,
    Library,
    SearchSpaceError,
    UnknownSearchSpace,
    is_number,
    pointer_to,
)
from service.cli.optuna_file import read_study
from service.cli.output import note
from service.cli.sqlite_files import MAGIC

if TYPE_CHECKING:
    from service.client.client import Client

#: The states of trials that have come to an end in Optuna, Ray Tune, W&B and here.
_COMPLETE = ("complete", "completed", "succeeded", "success", "finished", "terminated")
#: What the columns of parameters begin with in tables of argbest, Optuna, Ray Tune, scikit-learn.
_PREFIXES = ("parameters.", "params_", "config/", "param_")
_METRIC = "metrics."
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_OF_EVERY_TRIAL = ("seconds", "model_bytes")


@dataclass(frozen=True, slots=True)
class Told:
    """Trials as a request's ``history`` has them.

    ``source`` says where they are from, in words. ``unfinished`` were left out because they had not
    come to an end or lack a value, ``repeated`` because they confirmed those of others.
    """

    source: str
    trials: list[dict[str, Any]]
    unfinished: int = 0
    repeated: int = 0


#: The domains of a space's parameters by name, as JSON has them.
Domains = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A trial of a file: where it stands, what the file says of it, and the request's trial.

    ``columns`` are the table's columns by the JSON pointers of what they hold.
    """

    place: str
    said: Mapping[str, Any]
    trial: dict[str, Any]
    columns: Mapping[str, str]


def history_of(
    path: Path, study: str | None, body: Mapping[str, Any], client: Client | None
) -> list[dict[str, Any]]:
    """Return the ``history`` of a request's ``body`` from a file, and say what it has.

    Of more trials than a request may have, the last ones are taken. A file that cannot be used is
    a usage error.
    """
    try:
        told = read_history(path, study=study, parameters=lambda: _parameters(body, client))
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{path} is not UTF-8: {error.reason}") from error
    except OSError as error:
        raise click.UsageError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    left = [f"{told.unfinished} without an end or a value"] if told.unfinished else []
    left += [f"{told.repeated} that confirmed others"] if told.repeated else []
    more = len(told.trials) - MOST_KNOWN
    left += [f"the first {more}, beyond {MOST_KNOWN}"] if more > 0 else []
    trials = told.trials[-MOST_KNOWN:]
    beside = f"; left out: {', '.join(left)}" if left else ""
    note(f"{count(len(trials), 'trial')} of {told.source}{beside}")
    return trials


def _parameters(body: Mapping[str, Any], client: Client | None) -> Domains:
    """Return the parameters that a request has, or its space.

    Without a client a declared space is one of the built-in ones; an unknown one has none.
    """
    space, given = body["search_space"], body.get("parameters") or {}
    if not isinstance(space, str):
        return {**(space.get("parameters") or {}), **given}
    if client is not None:
        return {**client.search_space(space).parameters, **given}
    try:
        domains = Library().get(space).parameters
    except UnknownSearchSpace:
        return given
    return {**{name: domain.to_json() for name, domain in domains.items()}, **given}


def read_history(path: Path, *, study: str | None, parameters: Callable[[], Domains]) -> Told:
    """Return the trials of a file.

    ``study`` names one of the studies of an Optuna database. ``parameters`` returns the domains of
    the space's parameters; it is asked for tables whose columns do not say which are parameters,
    and for those between semicolons.

    Raises:
        ValueError: If the file is none of these kinds, holds no trial, or one that no request may
            have; the message names its line and column.
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        is_database = file.read(len(MAGIC)) == MAGIC
    if is_database:
        name, trials, others = read_study(path, study)
        told = Told(f"study {name} of {path.name}", trials, others)
    elif study is not None:
        raise ValueError(f"--study is for a database of Optuna, and {path} is none")
    else:
        text = path.read_text(encoding="utf-8-sig")
        is_json = text.lstrip()[:1] in ("[", "{")
        told = _of_json(path, text) if is_json else _of_table(path, text, parameters)
    if not told.trials:
        raise ValueError(f"{path} holds no trial that has come to an end with a value")
    return told


def _of_json(path: Path, text: str) -> Told:
    try:
        found = json.loads(text, parse_constant=lambda _: None)  # NaN is no value
    except (ValueError, RecursionError) as error:
        if '"op_code"' in text.partition("\n")[0]:
            use = 'write its study as a table: study.trials_dataframe().to_csv("trials.csv")'
            raise ValueError(f"{path} is a journal of Optuna; {use}") from error
        raise ValueError(f"{path} is not valid JSON: {error}") from error
    if isinstance(found, dict):
        found = next((found[key] for key in ("items", "trials", "history") if key in found), None)
    if not isinstance(found, list) or not all(map(_is_trial, found)):
        raise ValueError(f'{path} is not a list of trials: [{{"params": {{...}}, "value": 0.5}}]')
    entries = enumerate(found, start=1)
    return _told(path, (_Entry(f"trial {n}", said, _trial(said), {}) for n, said in entries))


def _is_trial(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("metrics") or {}, dict)


def _trial(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a trial of Optuna's or our JSON as the request has it."""
    values = entry.get("values", entry.get("value"))
    if isinstance(values, Mapping):  # optuna trials --format json: {"0": ..., "1": ...}
        values = list(values.values())
    values = values if isinstance(values, list) else [] if values is None else [values]
    metrics = entry.get("metrics")
    trial = {
        "parameters": entry.get("parameters", entry.get("params")),
        "values": values,
        "metrics": {n: v for n, v in metrics.items() if v is not None} if metrics else {},
        "modes": entry.get("modes", ()),
    }
    return {name: member for name, member in trial.items() if member or name == "parameters"}


def _of_table(path: Path, text: str, parameters: Callable[[], Domains]) -> Told:
    # Spreadsheets of many languages separate by semicolons.
    separator = max(",;\t", key=text.lstrip().partition("\n")[0].count)
    columns, rows = _rows(path, text, separator)
    names = _parameters_of(columns)
    domains = parameters() if separator == ";" or not names else {}
    names = names or {name: name for name in columns if name in domains}
    _check_once(path, columns)
    _check_once(path, names.values())
    if not names:
        hint = "name columns like the space's parameters, or parameters.NAME"
        raise ValueError(f"{path} is no table of trials: no column is a parameter; {hint}")
    if separator == ";":
        _set_points([row for _, row in rows], columns, names, domains)
    metrics = _metrics_of([name for name in columns if name not in names])
    pointers = {pointer_to("parameters", name): column for column, name in names.items()}
    pointers |= {pointer_to("metrics", name): column for column, name in metrics.items()}
    return _told(
        path, (_Entry(f"line {n}", row, _row(row, names, metrics), pointers) for n, row in rows)
    )


def _rows(
    path: Path, text: str, separator: str
) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Return a table's columns, and its rows with the lines at which they end."""
    reader = csv.DictReader(
        io.StringIO(text.lstrip(), newline=""), delimiter=separator, strict=True
    )
    before = text[: len(text) - len(text.lstrip())].count("\n")
    try:
        rows = [(before + reader.reader.line_num, row) for row in reader]
    except csv.Error as error:
        where = f"line {before + reader.reader.line_num}: {error}"
        what = "is not a table of comma-separated values"
        raise ValueError(f"{path} {what}: {where}") from error
    for line, row in rows:
        # What DictReader has no column for.
        if any(row.pop(None, ())):
            number = count(len(reader.fieldnames or ()), "column")
            hint = "put a cell that holds the separator in quotes"
            raise ValueError(f"{path}, line {line}: more cells than the {number}; {hint}")
    return [name for name in reader.fieldnames or () if name], rows


def _set_points(
    rows: Sequence[dict[str, str]],
    columns: Iterable[str],
    names: Mapping[str, str],
    domains: Domains,
) -> None:
    """Put decimal points in the place of commas, in columns of numbers.

    A metric is a number. Of a parameter that the space has, its domain says whether it is one; of
    others all cells have to be numbers: 64,32 may be two sizes.
    """
    for column in columns:
        listed: Sequence[object] = ()
        if column in names and names[column] in domains:
            listed = _listed(domains[names[column]])
            is_numeric = not listed or any(map(is_number, listed))
        else:
            is_numeric = column not in names or all(_is_numeral(row[column]) for row in rows)
        for row in rows:
            cell = row[column] or ""
            if is_numeric and cell not in listed and _DECIMAL_COMMA.fullmatch(cell):
                row[column] = cell.replace(",", ".")


def _listed(domain: Any) -> Sequence[object]:
    """Return the values that a domain's JSON lists; none of a range."""
    if not isinstance(domain, Mapping):
        return domain if isinstance(domain, list) else [domain]
    if "value" in domain:
        return [domain["value"]]
    values = domain.get("values", ())
    return values if isinstance(values, list | tuple) else ()


def _is_numeral(cell: str | None) -> bool:
    """Whether a cell is empty or a number, with a decimal point or comma."""
    if not cell or _DECIMAL_COMMA.fullmatch(cell):
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _check_once(path: Path, names: Iterable[str]) -> None:
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise ValueError(f"{path} has {repeated[0]} in more than one column: leave one of them")


def _parameters_of(columns: Iterable[str]) -> dict[str, str]:
    """Return the parameters' names by the columns that say that they are parameters."""
    return {
        column: column.removeprefix(prefix)
        for column in columns
        for prefix in _PREFIXES
        if column.startswith(prefix)
    }


def _metrics_of(columns: list[str]) -> dict[str, str]:
    """Return the metrics' names by their columns: all others, where none says that it is one."""
    said = {name: name.removeprefix(_METRIC) for name in columns if name.startswith(_METRIC)}
    every = {name: name for name in columns if not said or name in _OF_EVERY_TRIAL}
    return {**every, **said}


def _row(
    row: Mapping[str, str], parameters: Mapping[str, str], metrics: Mapping[str, str]
) -> dict[str, Any]:
    numbers = {name: _number(row[column]) for column, name in metrics.items()}
    # Optuna's tables have the objectives in order, without their names.
    values = [numbers.pop(n) for n in list(numbers) if n == "value" or n.startswith("values_")]
    trial = {
        "parameters": {name: _cell(row[c]) for c, name in parameters.items() if row[c]},
        "values": values,
        "metrics": {name: number for name, number in numbers.items() if number is not None},
    }
    return {name: member for name, member in trial.items() if member or name == "parameters"}


def _cell(text: str) -> Any:
    """Return the JSON value of a cell, or its text.

    An apostrophe that argbest has put in front of what looks like a formula is left out.
    """
    if text.startswith("'") and text[1:].startswith(FORMULA_MARKS):
        return text[1:]
    try:
        value = json.loads(text)
    except ValueError:
        return text
    is_plain = not isinstance(value, float) or math.isfinite(value)
    return value if is_plain and not isinstance(value, dict) else text


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "nan")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _told(path: Path, entries: Iterable[_Entry]) -> Told:
    trials: list[dict[str, Any]] = []
    unfinished = repeated = 0
    for entry in entries:
        if entry.said.get("purpose", Purpose.SEARCH) != Purpose.SEARCH:
            repeated += 1
        elif _has_ended(entry.said) and _has_values(entry.trial):
            _check(path, entry)
            trials.append(entry.trial)
        else:
            unfinished += 1
    return Told(path.name, trials, unfinished, repeated)


def _check(path: Path, entry: _Entry) -> None:
    """Raise ValueError, with the trial's line and column, for one that no request may have."""
    try:
        KnownTrial.from_json(entry.trial)
    except SearchSpaceError as error:
        problem = error.problems[0]
        inside = (c for p, c in entry.columns.items() if f"{problem.pointer}/".startswith(f"{p}/"))
        column = next((f", column {column}" for column in inside), "")
        where = f"{path}, {entry.place}{column}"
        if not entry.columns:
            where += f", {problem.pointer}"
        hint = f"; {problem.hint}" if problem.hint else ""
        raise ValueError(f"{where}: {problem.detail}{hint}") from error


def _has_ended(entry: Mapping[str, Any]) -> bool:
    """Whether a trial has trained to its end."""
    state = str(next((entry[key] for key in ("state", "State", "status") if key in entry), ""))
    return state.rpartition(".")[2].lower() in ("", *_COMPLETE)


def _has_values(trial: Mapping[str, Any]) -> bool:
    """Whether a trial has all its values: without one the next would be another objective's."""
    return None not in trial.get("values", ()) and ("values" in trial or "metrics" in trial)
