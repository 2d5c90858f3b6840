"""Warns where a column gives the answer away, rows of parts are the same, or a task was assumed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from trainables.own_data.columns import Column
from trainables.own_data.prepared import Prepared, Target
from trainables.own_data.problems import shown
from trainables.own_data.targets import FEW_CLASSES

#: The correlation, or the share of rows, from which a column is called almost equal to the target.
_ALMOST = 0.999
#: A column with more values than this share of the rows determines anything.
_MANY_VALUES = 0.1
_WHOLE = re.compile(r"[+-]?\d+(\.0*)?")
_ID_NAME = re.compile(r"(^|[_\W])(id|uid|uuid|index|unnamed: 0|rownames|row)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Caution:
    """Something that may make a model look better than it is; ``column`` is "" for the rows."""

    code: str
    column: str
    detail: str
    hint: str


def cautions(columns: Sequence[Column], target: Target, prepared: Prepared) -> Iterator[Caution]:
    """Yield what the user should look at, of columns that are used and of rows."""
    for column in columns:
        if column.name == target.name or column.used == "ignore":
            continue
        hint = f"if so, leave it out: --types {_ignored(column)}"
        if _is_id(column):
            detail = f"column {shown(column.name)} numbers the rows, as an id does"
            yield Caution("id_column", column.name, detail, hint)
        share = _agreement(column, target)
        if share >= _ALMOST:
            how = "equal to" if share >= 1 - 1e-9 else "almost equal to"
            detail = f"column {shown(column.name)} is {how} the target"
            hint = f"if it is not known before the target, leave it out: --types {_ignored(column)}"
            yield Caution("target_leak", column.name, detail, hint)
    yield from _row_warnings(prepared)


def _ignored(column: Column) -> str:
    return shlex.quote(f"{column.name}=ignore")


def _is_id(column: Column) -> bool:
    """Whether whole numbers count the rows up or down, or are all different in an id's column."""
    if column.used != "number" or column.missing.any() or column.distinct < len(column.numbers):
        return False
    steps = np.diff(column.numbers)
    if np.any(column.numbers != np.floor(column.numbers)) or len(steps) < 2:
        return False
    return bool(np.all(steps == steps[0])) or _ID_NAME.search(column.name) is not None


def _agreement(column: Column, target: Target) -> float:
    """Return how far a column determines the target: a correlation, or a share of rows."""
    if column.used == "number" and target.kind == "regression":
        return _correlation(column.numbers, target.y)
    if target.kind == "regression":
        return 0.0
    codes = column.codes
    if column.used == "number":
        _, codes = np.unique(column.numbers, return_inverse=True)
    if column.distinct > max(_MANY_VALUES * len(codes), len(target.classes)):
        return 0.0
    table = np.zeros((int(codes.max(initial=0)) + 2, len(target.classes)), dtype=np.int64)
    np.add.at(table, (codes, target.y), 1)  # missing cells, -1, count in the last row
    return int(table.max(axis=1).sum()) / len(codes)


def _correlation(numbers: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    present = ~np.isnan(numbers)
    a, b = numbers[present], y[present]
    if present.mean() < 0.5 or len(a) < 3 or a.min() == a.max() or b.min() == b.max():
        return 0.0
    a, b = a / np.abs(a).max(), b / np.abs(b).max()
    return abs(float(np.corrcoef(a, b)[0, 1]))


def _row_warnings(prepared: Prepared) -> Iterator[Caution]:
    """Count held-out rows that equal a training row, target included."""
    digests = [
        blake2b(x.tobytes() + y.tobytes(), digest_size=16).digest()
        for x, y in zip(prepared.x, prepared.y, strict=True)
    ]
    training = set(digests[prepared.part("train")])
    for split in ("validation", "test"):
        same = sum(digest in training for digest in digests[prepared.part(split)])
        if same:
            detail = f"{same:,} of {prepared.counts[split]:,} {split} rows equal a training row"
            hint = "remove duplicate rows from the file, unless they are different samples"
            yield Caution("duplicate_rows", "", detail, hint)


def assumed_task(target: Target) -> Iterator[Caution]:
    """Say what was made of a target of few whole numbers, which may be classes or amounts.

    To be asked where the user has not given the task.
    """
    values = target.classes or np.unique(target.y)
    are_few = 2 < len(values) <= FEW_CLASSES
    if not (are_few and all(_WHOLE.fullmatch(f"{value}") for value in values)):
        return
    taken, other, task = ("classes", "amounts", "regression")
    if target.kind == "regression":
        taken, other, task = ("amounts", "classes", "classification")
    detail = f"the {len(values)} whole numbers in {shown(target.name)} were taken for {taken}"
    yield Caution("assumed_task", target.name, detail, f"if they are {other}: --task {task}")


def small_class_warnings(target: Target, prepared: Prepared) -> Iterator[Caution]:
    """Warn of classes that a part does not have."""
    if target.kind != "classification":
        return
    for split, rows in prepared.counts.items():
        counts = np.bincount(prepared.y[prepared.part(split)], minlength=len(target.classes))
        absent = [name for name, count in zip(target.classes, counts, strict=True) if not count]
        if rows and absent:
            named = ", ".join(map(shown, absent[:5])) + (" and others" if len(absent) > 5 else "")
            detail = f"the {split} rows have none of {named}"
            yield Caution("small_class", "", detail, "add rows of these classes, or merge classes")
