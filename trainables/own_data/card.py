"""A data set's card: what its columns are, how its target is distributed, what to look out for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainables.datasets.types import SPLITS
from trainables.own_data.columns import Column
from trainables.own_data.leaks import Caution
from trainables.own_data.prepared import Prepared, Target

#: The commonest values of a column, and the bars of a histogram, that a card shows.
_MOST_VALUES = 20
_BARS = 20

Card = dict[str, Any]


def make_card(
    columns: Sequence[Column],
    target: Target,
    prepared: Prepared,
    cautions: Iterable[Caution],
    **source: Any,
) -> Card:
    """Return the card as plain values; ``source`` says what the file was and how it was split."""
    return {
        "kind": target.kind,
        "rows": len(prepared.y),
        "features": len(prepared.features),
        "splits": dict(prepared.counts),
        "target": {"name": target.name, **_distribution(target, prepared)},
        "columns": [_column(c, target, prepared.encodings.get(c.name, {})) for c in columns],
        "cautions": [asdict(one) for one in cautions],
        "source": source,
    }


def _column(column: Column, target: Target, encoding: Any) -> dict[str, Any]:
    is_target = column.name == target.name
    shown: dict[str, Any] = {
        "name": column.name,
        "found": column.found,
        "used_as": "target" if is_target else column.used,
        "features": encoding.get("features", 0),
        "missing": float(column.missing.mean()),
        "distinct": column.distinct,
        "note": column.note,
    }
    if column.used != "ignore" and not is_target and not shown["features"]:
        shown["note"] = "not used: one value only in the training rows"
    if column.used == "number":
        shown["summary"] = _summary(column.numbers[~column.missing])
    elif column.used == "category":
        shown["values"] = _commonest(column)
    return shown


def _summary(numbers: NDArray[np.float64]) -> dict[str, float]:
    """Return minimum, quartiles, maximum, mean and deviation of numbers that are not missing."""
    if not len(numbers):
        return {}
    low, first, median, third, high = map(float, np.quantile(numbers, (0, 0.25, 0.5, 0.75, 1)))
    return {
        "min": low, "first_quartile": first, "median": median, "third_quartile": third,
        "max": high, "mean": float(numbers.mean()), "deviation": float(numbers.std()),
    }  # fmt: skip


def _commonest(column: Column) -> list[dict[str, Any]]:
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.values))
    order = np.argsort(-counts, kind="stable")[:_MOST_VALUES]
    return [{"value": column.values[i], "rows": int(counts[i])} for i in order]


def _distribution(target: Target, prepared: Prepared) -> dict[str, Any]:
    """Return the histogram of a number, or the rows of each class in each part."""
    if target.kind == "regression":
        counts, edges = np.histogram(target.y, bins=_BARS)
        return {
            "summary": _summary(target.y),
            "histogram": {"edges": edges.tolist(), "rows": counts.tolist()},
            "mean": target.mean,
            "scale": target.scale,
        }
    counts_of = {
        split: np.bincount(prepared.y[prepared.part(split)], minlength=len(target.classes))
        for split in SPLITS
    }
    return {
        "classes": [
            {"name": name, "rows": {split: int(counts_of[split][i]) for split in SPLITS}}
            for i, name in enumerate(target.classes)
        ]
    }
