"""The distributions in the database file of an Optuna study, which is only read."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from service.cli.convert.domains import values_of
from service.cli.convert.draft import Draft, NotConvertible
from service.cli.convert.optuna import domain_of, finish
from service.cli.optuna_file import choose_study
from service.cli.sqlite_files import opened

_MOST_ROWS = 200_000
_LONGEST_DISTRIBUTION = 65_536

#: A parameter's values by trial, and its distributions in the order of the trials.
Values = dict[str, dict[int, float]]
Distributions = dict[str, list[str]]


def convert(path: Path, study: str | None) -> Draft:
    """Return the space of a study in the database file at ``path``.

    Raises :class:`NotConvertible` for a file without studies, and for one of several where
    ``study`` names none.
    """
    try:
        with closing(opened(path)) as database:
            return _draft(database, study)
    except sqlite3.Error as error:
        raise NotConvertible(f"{path} is not the database of an Optuna study: {error}") from None


def _draft(database: sqlite3.Connection, wanted: str | None) -> Draft:
    try:
        number, name = choose_study(database, wanted)
    except ValueError as error:
        raise NotConvertible(str(error)) from None
    draft = Draft(f"the Optuna study {name}")
    values, distributions = _parameters(database, number)
    if not values:
        raise NotConvertible(f"the study {name} has no trial with parameters")
    for parameter, found in distributions.items():
        note = draft.about(parameter)
        domain = domain_of(found[-1], note)
        if domain is None:
            draft.lose(f"parameter {parameter}: a distribution that cannot be read")
            continue
        if len(found) > 1:
            note(f"{len(found)} different distributions in the study; the last one here")
        draft.add(parameter, domain)
    _guess_conditions(draft, values)
    directions = [
        str(direction)
        for (direction,) in database.execute(
            "SELECT direction FROM study_directions WHERE study_id = ? ORDER BY objective LIMIT 4",
            (number,),
        )
    ]
    finish(draft, directions, _metric_names(database, number), name)
    return draft


def _parameters(database: sqlite3.Connection, study: int) -> tuple[Values, Distributions]:
    rows = database.execute(
        "SELECT trials.trial_id, param_name, param_value, distribution_json FROM trial_params "
        "JOIN trials ON trials.trial_id = trial_params.trial_id "
        "WHERE study_id = ? AND length(distribution_json) <= ? ORDER BY trials.trial_id LIMIT ?",
        (study, _LONGEST_DISTRIBUTION, _MOST_ROWS),
    )
    values: Values = defaultdict(dict)
    distributions: Distributions = {}
    for trial, name, value, distribution in rows:
        values[str(name)][int(trial)] = float(value)
        found = distributions.setdefault(str(name), [])
        if distribution not in found:
            found.append(str(distribution))
    return values, distributions


def _metric_names(database: sqlite3.Connection, study: int) -> list[str]:
    row = database.execute(
        "SELECT value_json FROM study_system_attributes WHERE study_id = ? AND key = ?",
        (study, "study:metric_names"),
    ).fetchone()
    try:
        names = json.loads(row[0]) if row else []
    except ValueError:
        return []
    return [str(name) for name in names] if isinstance(names, list) else []


def _guess_conditions(draft: Draft, values: Values) -> None:
    """Give a parameter that not all trials have the condition that explains it, if there is one."""
    everywhere = set().union(*(trials.keys() for trials in values.values()))
    for name, original in draft.originals.items():
        trials = values[original].keys()
        if trials == everywhere:
            continue
        parent = next(_explanations(draft, values, original), None)
        if parent is None:
            draft.note(f"parameter {name}: not in all trials; write its condition as when")
            continue
        domain = draft.parameters[name]
        bare = domain if isinstance(domain, Mapping) else {"value": domain}
        draft.parameters[name] = {**bare, "when": {parent[0]: parent[1]}}
        draft.note(
            f"parameter {name}: when {parent[0]} is one of {json.dumps(parent[1])}, guessed from "
            "the trials that have it"
        )


def _explanations(draft: Draft, values: Values, original: str) -> Iterator[tuple[str, list[Any]]]:
    """Yield each list parameter, with those of its values that go with having ``original``."""
    having = values[original].keys()
    for name, other in draft.originals.items():
        options = values_of(draft.parameters[name])
        if other == original or len(options) < 2 or not having <= values[other].keys():
            continue
        inside = {value for trial, value in values[other].items() if trial in having}
        outside = {value for trial, value in values[other].items() if trial not in having}
        if not inside & outside and all(0 <= i < len(options) for i in inside):
            yield name, [options[int(index)] for index in sorted(inside)]
