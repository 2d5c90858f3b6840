"""Turns typed columns, or arrays, into the arrays that models train on.

Whatever is learned of the data is learned of the training rows alone: means, deviations and the
categories that there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainables.datasets.types import SPLITS, Kind
from trainables.own_data.columns import Column
from trainables.own_data.problems import MAX_FEATURES, MAX_NUMBERS, bad

_Floats = NDArray[np.float64]
_Order = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Target:
    """What is predicted: ``y`` (rows,), a number, or the index of a class.

    A model sees numbers less ``mean``, over ``scale``, which are those of the training rows.
    """

    name: str
    kind: Kind
    y: NDArray[Any]
    classes: tuple[str, ...] = ()
    mean: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """The arrays of a data set: ``x`` (rows, features), ``y`` (rows,), and which rows are whose.

    The rows are those of the file, ordered: first the training rows, then validation and test,
    ``counts`` of each. A model sees ``x * scale``. ``encodings`` says what became of each column.
    """

    kind: Kind
    target: Target
    x: NDArray[Any]
    y: NDArray[Any]
    counts: Mapping[str, int]
    features: tuple[str, ...]
    scale: float = 1.0
    encodings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def part(self, split: str) -> slice:
        """Return which rows are of a part."""
        ends = np.cumsum([self.counts[name] for name in SPLITS])
        end = int(ends[SPLITS.index(split)])
        return slice(end - self.counts[split], end)


def split_rows(
    rows: int, shares: tuple[float, float, float], seed: int, strata: NDArray[np.int64] | None
) -> tuple[_Order, dict[str, int]]:
    """Return the rows in the order of their parts, and how many are in each part.

    ``RandomState(seed).permutation(rows)`` orders them. With ``strata`` (rows,), classes, each part
    gets its share of each class, and the training rows at least one.
    """
    order = np.random.RandomState(seed).permutation(rows)
    held_out = {"validation": shares[1], "test": shares[2]}
    if strata is None:
        groups = [order]
    else:
        by_class = order[np.argsort(strata[order], kind="stable")]
        ends = np.cumsum(np.bincount(strata))[:-1]
        groups = [group for group in np.split(by_class, ends) if len(group)]
    part_of = np.zeros(rows, dtype=np.int64)
    for group in groups:
        wanted = _counts(len(group), held_out)
        part_of[group[: wanted["validation"]]] = 1
        part_of[group[wanted["validation"] : sum(wanted.values())]] = 2
    parts = [order[part_of[order] == index] for index in range(len(SPLITS))]
    return np.concatenate(parts), {name: len(p) for name, p in zip(SPLITS, parts, strict=True)}


def _counts(rows: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Return how many of the rows are held out for each part; one is left for training."""
    counts: dict[str, int] = {}
    for name, share in shares.items():
        counts[name] = min(round(share * rows), rows - 1 - sum(counts.values()))
    return counts


def prepare_table(
    columns: Sequence[Column], target: Target, order: _Order, counts: Mapping[str, int]
) -> Prepared:
    """Return the arrays of a table: numbers standardised, categories as 0/1 columns.

    As for Ames: a missing number becomes 0, the mean, and each column of categories has a last 0/1
    column for "missing". A category that no training row has is 0 in all of its columns.
    """
    used = [c for c in columns if c.used != "ignore" and c.name != target.name]
    train = order[: counts["train"]]
    encodings = {column.name: _encoding(column, train) for column in used}
    names = [name for c in used for name in _feature_names(c, encodings[c.name])]
    _check_size(len(order), len(names))
    x = np.zeros((len(order), len(names)))
    at = 0
    for column in used:
        width = encodings[column.name]["features"]
        _fill(x[:, at : at + width], column, encodings[column.name], order)
        at += width
    return Prepared(
        target.kind, target, x, _scaled(target, order), counts, tuple(names), 1.0, encodings
    )


def _encoding(column: Column, train: _Order) -> dict[str, Any]:
    """Return what the training rows say of a column; a constant one has no features."""
    if column.used == "number":
        present = column.numbers[train]
        present = present[~np.isnan(present)]
        if len(present) < 2 or present.min() == present.max():
            return {"features": 0}
        mean, deviation = float(present.mean()), float(present.std(ddof=1))
        return {"features": 1, "mean": mean, "deviation": deviation}
    seen = np.unique(column.codes[train])
    values = sorted(column.values[code] for code in seen if code >= 0)
    if len(seen) < 2:
        return {"features": 0, "values": values}
    return {"features": len(values) + 1, "values": values}


def _feature_names(column: Column, encoding: Mapping[str, Any]) -> Iterator[str]:
    if column.used == "number":
        yield from [column.name] * encoding["features"]
    elif encoding["features"]:
        yield from (f"{column.name}={value}" for value in encoding["values"])
        yield f"{column.name} missing"


def _fill(x: _Floats, column: Column, encoding: Mapping[str, Any], order: _Order) -> None:
    """Write a column's features into ``x`` (rows, its features), which holds zeros."""
    if not encoding["features"]:
        return
    if column.used == "number":
        standardised = (column.numbers[order] - encoding["mean"]) / encoding["deviation"]
        x[:, 0] = np.nan_to_num(standardised, nan=0.0)
        return
    place = {value: index for index, value in enumerate(encoding["values"])}
    places = np.array([place.get(value, -1) for value in column.values] + [len(place)])
    hot = places[column.codes[order]]  # of -1, missing, the last
    rows = np.flatnonzero(hot >= 0)
    x[rows, hot[rows]] = 1.0


def _scaled(target: Target, order: _Order) -> NDArray[Any]:
    """Return the targets (rows,) in the given order, as a model sees them."""
    y: NDArray[Any] = target.y[order]
    return y if target.kind == "classification" else (y - target.mean) / target.scale


def _check_size(rows: int, features: int) -> None:
    hint = "use fewer columns or categories: --types COLUMN=ignore"
    if features == 0:
        detail = "no column is left to predict from"
        raise bad("", detail, "empty", "correct the types of columns: --types COLUMN=category")
    if features > MAX_FEATURES:
        detail = f"the columns become {features:,} features, more than {MAX_FEATURES:,}"
        raise bad("", detail, "too_many_features", hint)
    if rows * features > MAX_NUMBERS:
        detail = f"{rows:,} rows of {features:,} features are more than {MAX_NUMBERS:,} numbers"
        raise bad("", detail, "too_large", f"send fewer rows, or {hint}")


def prepare_arrays(
    x: NDArray[Any], target: Target, order: _Order, counts: Mapping[str, int]
) -> Prepared:
    """Return the arrays of a file of arrays, (rows, features).

    Bytes of a classification stay bytes, which a model sees times 1/256, as the pixels of
    Fashion-MNIST. All else is standardised as the numbers of a table.
    """
    names = tuple(str(index) for index in range(x.shape[1]))
    y = _scaled(target, order)
    if x.dtype == np.uint8 and target.kind == "classification":
        return Prepared(target.kind, target, x[order], y, counts, names, 1 / 256)
    floats = x[order].astype(np.float64)
    if np.isinf(floats).any() or np.abs(np.nan_to_num(floats)).max() > 1e100:
        raise bad("/arrays/x", "x holds infinite or huge numbers", "number_range", "correct them")
    train = floats[: counts["train"]]
    present = ~np.isnan(train)
    n = np.maximum(present.sum(axis=0), 1)
    mean = np.where(present, train, 0.0).sum(axis=0) / n
    squares = np.where(present, np.square(train - mean), 0.0).sum(axis=0)
    deviation = np.sqrt(squares / np.maximum(n - 1, 1))
    floats -= mean
    floats /= np.where(deviation > 0, deviation, np.inf)  # a constant feature becomes 0
    np.nan_to_num(floats, copy=False, nan=0.0)
    return Prepared(target.kind, target, floats, y, counts, names)
