"""Reads the studies of an Optuna database file, without Optuna and without writing to it.

The tables are those of ``optuna.storages.RDBStorage`` since Optuna 3.0 (its schema version 12).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from service.cli.sqlite_files import opened

_MOST_NAMED = 20
_MODES = {"MINIMIZE": "min", "MAXIMIZE": "max"}
_TRIALS = "SELECT trial_id FROM trials WHERE study_id = ? AND state = 'COMPLETE' ORDER BY number"
_PARAMETERS = """SELECT trial_id, param_name, param_value, distribution_json FROM trial_params
    JOIN trials USING (trial_id) WHERE study_id = ? AND state = 'COMPLETE' ORDER BY param_id"""
_VALUES = """SELECT trial_id, value, value_type FROM trial_values
    JOIN trials USING (trial_id) WHERE study_id = ? AND state = 'COMPLETE' ORDER BY objective"""


def read_study(path: Path, name: str | None) -> tuple[str, list[dict[str, Any]], int]:
    """Return a study's name, its complete trials as a history has them, and how many others.

    Raises:
        ValueError: If the file is no Optuna database, or does not say which study is meant.
    """
    try:
        with closing(opened(path)) as database:
            study, chosen = choose_study(database, name)
            return chosen, list(_trials(database, study)), _others(database, study)
    except sqlite3.Error as error:
        raise ValueError(f"{path} is not a database of Optuna 3 or newer: {error}") from error
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"{path} has a parameter whose values cannot be read") from error


def choose_study(database: sqlite3.Connection, name: str | None) -> tuple[int, str]:
    """Return the number and the name of the study called ``name``, or of the only one.

    Raises ``ValueError``, which names the studies that there are, where that is none.
    """
    rows = database.execute("SELECT study_id, study_name FROM studies ORDER BY study_id LIMIT 1000")
    studies = {str(study): int(number) for number, study in rows}
    if name is None and len(studies) == 1:
        name = next(iter(studies))
    if name in studies:
        return studies[name], name
    if not studies:
        raise ValueError("the database holds no study")
    several = len(studies) > _MOST_NAMED
    named = ", ".join([*list(studies)[:_MOST_NAMED], *(["..."] if several else [])])
    if name is None:
        raise ValueError(f"the database holds several studies: name one by --study: {named}")
    raise ValueError(f"the database holds no study {name!r}; there are: {named}")


def _others(database: sqlite3.Connection, study: int) -> int:
    query = "SELECT count(*) FROM trials WHERE study_id = ? AND state != 'COMPLETE'"
    return int(database.execute(query, (study,)).fetchone()[0])


def _trials(database: sqlite3.Connection, study: int) -> Iterator[dict[str, Any]]:
    directions = database.execute(
        "SELECT direction FROM study_directions WHERE study_id = ? ORDER BY objective", (study,)
    )
    modes = [_MODES[direction] for (direction,) in directions if direction in _MODES]
    trials: dict[int, dict[str, Any]] = {
        trial: {"parameters": {}, "values": [], **({"modes": modes} if modes else {})}
        for (trial,) in database.execute(_TRIALS, (study,))
    }
    for trial, name, value, distribution in database.execute(_PARAMETERS, (study,)):
        trials[trial]["parameters"][name] = _value(value, json.loads(distribution))
    for trial, value, kind in database.execute(_VALUES, (study,)):
        if kind == "FINITE":
            trials[trial]["values"].append(value)
    # A value that is infinite is none to learn from.
    yield from (trial for trial in trials.values() if trial["values"])


def _value(stored: float, distribution: dict[str, Any]) -> Any:
    """Return a value as the study's owner knows it; categories are stored by their index."""
    kind, attributes = distribution["name"], distribution["attributes"]
    if kind == "CategoricalDistribution":
        return attributes["choices"][int(stored)]
    return int(stored) if kind.startswith("Int") else stored
