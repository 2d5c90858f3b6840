"""Finds out what each column of a table is, and turns it into numbers or categories."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from search_spaces import Problem
from search_spaces.errors import did_you_mean
from trainables.own_data.options import ColumnType
from trainables.own_data.problems import (
    LARGEST,
    MAX_CATEGORIES,
    BadData,
    of_column,
    shown,
)
from trainables.own_data.tables import RawColumn, RawTable

#: What a column is found to be: beside the types that it may be used as, dates, texts of which
#: almost each is another, columns of one value, and contents that no model can use.
Found = Literal["number", "category", "date", "text", "constant", "other"]

#: More different texts than this, and than half of the rows, are no categories.
MOST_CATEGORIES = 200
_FEW = 20
#: A column of which this share is numbers is one of numbers with mistakes in it.
_MOSTLY = 0.9
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_LOOKS_LIKE_NUMBER = re.compile(r"\D{0,3}\d{1,3}([ ,.']\d{3})*([.,]\d+)?\D{0,3}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ][\d:.]+(Z|[+-]\d{2}:?\d{2})?)?")
_FORMULA = re.compile(r"=[A-Za-z0-9(+@$\-]")


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column, what it was ``found`` to be and what it is ``used`` as.

    Numbers have ``numbers`` (rows,), NaN where one is missing; categories have ``values`` and
    ``codes`` (rows,), -1 where one is missing. ``distinct`` counts the different values.
    """

    name: str
    found: Found
    used: ColumnType
    missing: NDArray[np.bool_]
    distinct: int
    note: str
    numbers: NDArray[np.float64]
    codes: NDArray[np.int64]
    values: Sequence[str]


def typed(table: RawTable, types: Mapping[str, ColumnType]) -> tuple[Column, ...]:
    """Return the columns with their types, corrected by ``types``.

    Raises :class:`~trainables.own_data.problems.BadData` with everything that is wrong with them.
    """
    names = [column.name for column in table.columns]
    problems = [
        Problem("/query/types", f"there is no column {shown(name)}", "unknown_column",
                did_you_mean(name, names))
        for name in types if name not in names
    ]  # fmt: skip
    columns = []
    for raw in table.columns:
        try:
            columns.append(_typed(raw, types.get(raw.name), table.decimal))
        except BadData as error:
            problems += error.problems
    if problems:
        raise BadData(problems)
    return tuple(columns)


def _typed(raw: RawColumn, wanted: ColumnType | None, decimal: str) -> Column:
    if raw.stored in ("number", "date", "other"):
        return _of_numbers(raw, wanted)
    problems = list(_cell_problems(raw)) if wanted != "ignore" else []
    if problems:
        raise BadData(problems)
    parsed = numbers_in(raw.values, decimal)
    present = np.bincount(raw.codes[raw.codes >= 0], minlength=len(raw.values))
    found = _found(raw, parsed, present)
    used = wanted or _use(raw, found, parsed, present)
    return Column(
        name=raw.name,
        found=found,
        used=used,
        missing=raw.codes < 0,
        distinct=len(raw.values),
        note=_note(raw, found, wanted),
        numbers=_as_numbers(raw, found, parsed) if used == "number" else np.empty(0),
        codes=raw.codes if used == "category" else np.empty(0, dtype=np.int64),
        values=_categories(raw) if used == "category" else (),
    )


def numbers_in(values: Sequence[str], decimal: str) -> NDArray[np.float64]:
    """Return the numbers in texts, NaN for a text that is none.

    Where cells are not separated by commas, ``decimal`` "," lets 1,5 be a number, if no text has a
    point.
    """
    texts = pa.array(values, pa.string())
    if decimal == "," and not any("." in value for value in values):
        texts = pc.replace_substring(texts, ",", ".", max_replacements=1)
    is_number = pc.match_substring_regex(texts, _NUMBER)
    parsed = pc.cast(pc.if_else(is_number, texts, None), pa.float64())
    return np.array(parsed.fill_null(float("nan")).to_numpy(zero_copy_only=False))


def _cell_problems(raw: RawColumn) -> Iterator[Problem]:
    for index, value in enumerate(raw.values):
        if _FORMULA.match(value):
            detail = f"holds a spreadsheet's formula in row {_row(raw, index)}: {shown(value)}"
            hint = "export the values, not the formulas"
            yield of_column(raw.name, detail, "formula", hint)
            return
        if _INFINITE.fullmatch(value):
            detail = f"holds {shown(value)} in row {_row(raw, index)}"
            hint = "leave the cell empty where there is no number"
            yield of_column(raw.name, detail, "not_finite", hint)
            return


def _found(raw: RawColumn, parsed: NDArray[np.float64], present: NDArray[np.int64]) -> Found:
    if len(raw.values) <= 1:
        return "constant"
    if raw.stored == "text" and not np.isnan(parsed).any():
        return "number"
    if all(_DATE.fullmatch(value) for value in raw.values):
        return "date"
    if len(raw.values) <= max(_FEW, min(MOST_CATEGORIES, int(present.sum()) // 2)):
        return "category"
    return "text"


def _use(
    raw: RawColumn, found: Found, parsed: NDArray[np.float64], present: NDArray[np.int64]
) -> ColumnType:
    """Return what a column is used as where the user says nothing."""
    is_number = ~np.isnan(parsed)
    mixed = raw.stored == "text" and found in ("category", "text") and len(raw.values) > _FEW
    if mixed and present[is_number].sum() >= _MOSTLY * present.sum():
        index = int(np.flatnonzero(~is_number)[0])
        value, row = raw.values[index], _row(raw, index)
        detail = f"holds numbers, but {shown(value)} in row {row} is none"
        hint = (
            f"correct the cell (a missing value is empty or NA), or say what the column is: "
            f"--types {raw.name}=category or {raw.name}=ignore"
        )
        raise BadData([of_column(raw.name, detail, "mixed_column", hint)])
    return found if found == "number" or found == "category" else "ignore"


def _note(raw: RawColumn, found: Found, wanted: ColumnType | None) -> str:
    if wanted:
        return ""
    if found == "constant":
        what = "one value only" if raw.values else "no value"
        return f"not used: {what}"
    if found == "date":
        return f"dates are not used; --types {raw.name}=number takes days since 1970-01-01"
    if found == "text":
        if all(_LOOKS_LIKE_NUMBER.fullmatch(value) for value in raw.values[:1000]):
            return (
                f"not used: {shown(raw.values[0])} looks like a number with a unit or a separator "
                "of thousands; write plain numbers such as 1234.5"
            )
        return (
            f"not used: {len(raw.values):,} different texts; --types {raw.name}=category uses them"
        )
    return ""


def _as_numbers(raw: RawColumn, found: Found, parsed: NDArray[np.float64]) -> NDArray[np.float64]:
    if found == "date" and np.isnan(parsed).all():
        parsed = np.array([_days(raw, index) for index in range(len(raw.values))])
    wrong = np.flatnonzero(np.isnan(parsed))
    if len(wrong):
        index = int(wrong[0])
        detail = f"is no number in row {_row(raw, index)}: {shown(raw.values[index])}"
        hint = "write plain numbers such as 1234.5; a missing value is empty or NA"
        raise BadData([of_column(raw.name, detail, "wrong_type", hint)])
    numbers = np.append(parsed, np.nan)[raw.codes]
    _check_range(raw.name, numbers)
    return numbers


def _check_range(name: str, numbers: NDArray[np.float64]) -> None:
    large = np.flatnonzero(np.isinf(numbers) | (np.abs(np.nan_to_num(numbers)) > LARGEST))
    if len(large):
        detail = f"holds a number beyond {LARGEST:g} in row {large[0] + 1}"
        hint = "correct it, or use another unit"
        raise BadData([of_column(name, detail, "number_range", hint)])


def _days(raw: RawColumn, index: int) -> float:
    """Return a date as days since 1970; hours are parts of a day."""
    value = raw.values[index]
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        detail = f"holds no date in row {_row(raw, index)}: {shown(value)}"
        hint = "write dates as 2024-12-31"
        raise BadData([of_column(raw.name, detail, "wrong_type", hint)]) from error
    days = moment.toordinal() - date(1970, 1, 1).toordinal()
    return days + (moment.hour * 3600 + moment.minute * 60 + moment.second) / 86_400


def _categories(raw: RawColumn) -> Sequence[str]:
    if len(raw.values) > MAX_CATEGORIES:
        detail = f"has {len(raw.values):,} different values, more than {MAX_CATEGORIES:,}"
        hint = f"use it as a number, or not at all: --types {raw.name}=ignore"
        raise BadData([of_column(raw.name, detail, "too_many_categories", hint)])
    return raw.values


def _of_numbers(raw: RawColumn, wanted: ColumnType | None) -> Column:
    """Return a column that the file stores as numbers, dates or something else."""
    missing = np.isnan(raw.numbers)
    values, places = np.unique(raw.numbers[~missing], return_inverse=True)
    if len(values) <= 1 and raw.stored != "other":
        found: Found = "constant"
    else:
        found = {"number": "number", "date": "date"}.get(raw.stored, "other")  # type: ignore[assignment]
    used: ColumnType = wanted or ("number" if found == "number" else "ignore")
    if found == "other" and used != "ignore":
        detail = "holds lists, bytes or times, which no built-in model takes"
        hint = f"make numbers or texts of it, or leave it out: --types {raw.name}=ignore"
        raise BadData([of_column(raw.name, detail, "wrong_type", hint)])
    note = {
        "constant": "not used: one value only" if len(values) else "not used: no value",
        "date": f"dates are not used; --types {raw.name}=number takes days since 1970-01-01",
        "other": "not used: lists, bytes or times",
    }
    codes = np.full(len(missing), -1)
    texts: Sequence[str] = ()
    if used == "category":
        texts = [f"{value:.15g}" for value in values]
        codes[~missing] = places
        _categories(RawColumn(raw.name, "text", codes, texts, np.empty(0)))
    if used == "number":
        _check_range(raw.name, raw.numbers)
    return Column(
        name=raw.name,
        found=found,
        used=used,
        missing=missing,
        distinct=len(values),
        note="" if wanted else note.get(found, ""),
        numbers=raw.numbers if used == "number" else np.empty(0),
        codes=codes,
        values=texts,
    )


def _row(raw: RawColumn, index: int) -> int:
    """Return the first row, counted from 1 below the header, with this value."""
    return int(np.argmax(raw.codes == index)) + 1
