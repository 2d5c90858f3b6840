"""What a data set predicts: a number, or a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_spaces import pointer_to
from search_spaces.errors import did_you_mean
from search_spaces.text import unstorable
from trainables.datasets.types import Kind
from trainables.own_data.columns import Column, numbers_in, typed
from trainables.own_data.options import ColumnType, Options
from trainables.own_data.prepared import Target
from trainables.own_data.problems import (
    LARGEST,
    MAX_CLASSES,
    BadData,
    bad,
    of_column,
    shown,
)
from trainables.own_data.tables import RawColumn, RawTable

#: Whole numbers of so few different values may be classes, where the task is not given.
FEW_CLASSES = 20
#: They are taken for classes if each has so many rows on average: one for each part at least, where
#: these have the usual shares. Amounts with few rows each are numbers to predict.
_ROWS_OF_A_CLASS = 5


def target_column(table: RawTable, options: Options) -> tuple[RawColumn, Kind]:
    """Return the column to predict, and as what.

    Raises :class:`~trainables.own_data.problems.BadData` where there is none of that name, or one
    with missing values.
    """
    names = [column.name for column in table.columns]
    if not options.target:
        hint = f"name the column to predict: --target {names[-1]}, say"
        raise bad("/query/target", "no target is given", "missing", hint)
    if options.target not in names:
        hint = did_you_mean(options.target, names)
        detail = f"there is no column {shown(options.target)}"
        raise bad("/query/target", detail, "unknown_column", hint)
    if options.target in options.types:
        hint = "leave it out of --types and give --task"
        detail = f"{shown(options.target)} is the target"
        raise bad("/query/types", detail, "not_applicable", hint)
    raw = table.columns[names.index(options.target)]
    is_stored = raw.stored in ("number", "date", "other")
    missing = np.isnan(raw.numbers) if is_stored else raw.codes < 0
    if missing.any():
        detail = f"is the target, and missing in {int(missing.sum()):,} rows, first in row "
        detail += f"{int(np.argmax(missing)) + 1}"
        hint = "fill the cells in, or leave these rows out"
        raise BadData([of_column(raw.name, detail, "missing_target", hint)])
    return raw, options.task or _task(raw, table)


def _task(raw: RawColumn, table: RawTable) -> Kind:
    values = np.unique(raw.numbers) if raw.stored in ("number", "date") else None
    if values is None:
        parsed = numbers_in(raw.values, table.decimal)
        if raw.stored != "text" or np.isnan(parsed).any():
            return "classification"
        values = parsed
    return "classification" if _are_classes(values, table.rows, FEW_CLASSES) else "regression"


def _are_classes(values: NDArray[np.float64], rows: int, most: int) -> bool:
    """Whether numbers, each once in ``values``, are taken for the names of classes."""
    few = len(values) == 2 or len(values) <= min(most, rows / _ROWS_OF_A_CLASS)
    return few and bool(np.all(values == np.floor(values)))


def make_target(table: RawTable, raw: RawColumn, kind: Kind) -> Target:
    """Return the target of a table, not yet scaled."""
    wanted: ColumnType = "number" if kind == "regression" else "category"
    if kind == "classification" and len(raw.values) > MAX_CLASSES:
        _check_classes(raw.name, raw.values, table.rows)
    try:
        (column,) = typed(replace(table, columns=(raw,)), {raw.name: wanted})
    except BadData as error:
        hint = "or predict classes: --task classification" if kind == "regression" else ""
        raise BadData(
            replace(p, hint=f"{p.hint}; {hint}" if hint else p.hint) for p in error.problems
        ) from error
    return _of_numbers(raw.name, column) if kind == "regression" else _of_classes(column)


def _of_numbers(name: str, column: Column) -> Target:
    if column.numbers.min() == column.numbers.max():
        detail = f"is the target, and {column.numbers[0]:g} in all rows"
        hint = "predict a column that varies"
        raise BadData([of_column(name, detail, "constant_target", hint)])
    return Target(name, "regression", column.numbers)


def _of_classes(column: Column) -> Target:
    order = sorted(range(len(column.values)), key=lambda i: _sorted_by(column.values[i]))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    classes = tuple(column.values[i] for i in order)
    _check_classes(column.name, classes, len(column.codes))
    return Target(column.name, "classification", place[column.codes], classes)


def _sorted_by(value: str) -> tuple[float, str]:
    """Sort classes that are numbers by their value, 10 after 9, and others after them."""
    try:
        return float(value), value
    except ValueError:
        return float("inf"), value


def _check_classes(name: str, classes: Sequence[str], rows: int) -> None:
    if len(classes) < 2:
        detail = f"is the target, and has one class only: {shown(classes[0])}"
        hint = "a classification needs two classes or more"
        raise BadData([of_column(name, detail, "one_class", hint)])
    if len(classes) > MAX_CLASSES or len(classes) > rows / 2:
        detail = f"is the target, and has {len(classes):,} classes in {rows:,} rows"
        hint = "predict a number, --task regression, or a column with fewer different values"
        raise BadData([of_column(name, detail, "too_many_classes", hint)])


def target_of_array(name: str, y: NDArray[Any], task: Kind | None) -> Target:
    """Return the target in an array (rows,) of numbers, or of class names."""
    is_text = y.dtype.kind == "U"
    is_number = y.dtype.kind == "f"
    floats = np.empty(0) if is_text else y.astype(np.float64)
    pointer = pointer_to("arrays", name)
    if not np.isfinite(floats).all() or np.abs(floats).max(initial=0) > LARGEST:
        hint = "leave these rows out, or correct them"
        raise bad(pointer, f"{name} holds NaN or huge numbers", "missing_target", hint)
    most = FEW_CLASSES if is_number else MAX_CLASSES
    are_classes = is_text or _are_classes(np.unique(floats), len(y), most)
    kind = task or ("classification" if are_classes else "regression")
    if kind == "regression":
        if is_text:
            detail, hint = f"{name} holds texts", "save numbers, or give --task classification"
            raise bad(pointer, detail, "wrong_type", hint)
        if floats.min() == floats.max():
            detail = f"{name} is {floats[0]:g} in all rows"
            raise bad(pointer, detail, "constant_target", "predict what varies")
        return Target(name, "regression", floats)
    values, codes = np.unique(y, return_inverse=True)
    classes = tuple(str(value) if is_text else f"{float(value):.15g}" for value in values)
    if any(map(unstorable, classes)):
        detail = f"{name} holds characters that no text may hold, such as NUL"
        raise bad(pointer, detail, "bad_character", "leave them out")
    _check_classes(name, classes, len(y))
    return Target(name, "classification", codes.astype(np.int64), classes)


def scaled_by_training(target: Target, train: NDArray[np.int64]) -> Target:
    """Return the target with the mean and the deviation of the training rows."""
    if target.kind == "classification":
        return target
    y = target.y[train]
    deviation = float(y.std(ddof=1)) if len(y) > 1 else 0.0
    if deviation == 0:
        detail = f"the target is {y[0]:g} in all training rows"
        raise bad("", detail, "constant_target", "use more rows, or another seed")
    return replace(target, mean=float(y.mean()), scale=deviation)
