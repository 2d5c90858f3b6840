"""Numbers, names and lists as text: one way of writing them for plots, paragraphs and tables."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from results.records import MetricInfo

#: Differences below this are called equal: written with four decimals they would be zero.
EQUAL = 5e-5

#: What the best value of a metric is called, by its mode.
EXTREME = {"max": "highest", "min": "lowest"}

_SPLITS = ("train", "validation", "test")


def prettify(name: str) -> str:
    """Return an identifier as words: ``learning_rate`` becomes ``Learning rate``."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def fallback_info(name: str) -> MetricInfo:
    """Describe a metric that nobody declared, as far as its name tells.

    The split is read off the prefix (``train_``, ``validation_``, ``test_``); the better direction
    is unknown, so ``mode`` is empty and nobody may speak of its best epoch.
    """
    prefix = name.partition("_")[0]
    return MetricInfo(name, prettify(name), "", prefix if prefix in _SPLITS else "none")


def axis_label(info: MetricInfo) -> str:
    """Return the metric's label with its unit, as shown on an axis."""
    return f"{info.label} [{info.unit}]" if info.unit else info.label


def in_sentence(info: MetricInfo) -> str:
    """Return the metric's label as it stands inside a sentence: no parentheses, no capital."""
    label = info.label.partition(" (")[0]
    first = label.partition(" ")[0]
    return label if first[1:] != first[1:].lower() else label[:1].lower() + label[1:]


def number(value: float | None) -> str:
    """Write a measured value: four decimals between 0.01 and 10, else four significant digits."""
    if value is None or not math.isfinite(value):
        return "n/a"
    if value == 0 or not 0.01 <= abs(value) < 10:
        return f"{value:.4g}"
    return f"{value:.4f}"


def apart(value: float, reference: float) -> str:
    """Write how far ``value`` is from ``reference``: ``0.0431 higher``.

    With four decimals it is the difference of the two as written, so that a reader can check it.
    """
    if abs(value - reference) < EQUAL:
        return "equal to four decimals"
    side = "higher" if value > reference else "lower"
    if 0.01 <= max(abs(value), abs(reference)) < 10:
        return f"{abs(round(value, 4) - round(reference, 4)):.4f} {side}"
    return f"{number(abs(value - reference))} {side}"


def duration(seconds: float) -> str:
    """Write a duration given in seconds, in seconds, minutes or hours."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def parameter_value(value: Any) -> str:
    """Write a hyperparameter's value: floats to six significant digits, the rest as in JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:g}"
    return json.dumps(value, ensure_ascii=False)


def configuration(parameters: Mapping[str, Any], names: Iterable[str]) -> str:
    """Write those of the named parameters that there are: ``learning_rate 0.01, dropout 0.3``."""
    return ", ".join(f"{n} {parameter_value(parameters[n])}" for n in names if n in parameters)


def listing(items: Sequence[str]) -> str:
    """Join items the English way: ``a``, ``a and b``, ``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def count(amount: int, noun: str) -> str:
    """Write an amount with its noun: ``1 trial``, ``7 trials``."""
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"
