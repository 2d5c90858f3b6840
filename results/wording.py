"""Numbers, names and lists as text: one way of writing them for plots, paragraphs and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from results.formatting import number, parameter_value
from trainables.contract import Metric

#: What the best value of a metric is called, by its mode.
EXTREME = {"max": "highest", "min": "lowest"}

#: The metrics that every trial has, whatever its trainable reports.
RESERVED = {
    "seconds": Metric("seconds", "Training time", "", "none", "s"),
    "model_bytes": Metric("model_bytes", "Model size", "", "none", "bytes"),
}

Split = Literal["train", "validation", "test", "none"]
_SPLITS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
}
_PREFIX = re.compile(rf"({'|'.join(_SPLITS)})(?:[_/.: -]+(.*))?", re.DOTALL)


def words(name: str) -> str:
    """Return an identifier as words: ``learning_rate`` becomes ``learning rate``."""
    return name.replace("_", " ").strip()


def prettify(name: str) -> str:
    """Return an identifier as words with a capital: ``learning_rate`` becomes ``Learning rate``."""
    return capitalized(words(name))


def capitalized(text: str) -> str:
    """Return a text with its first letter as a capital, the others as they are."""
    return text[:1].upper() + text[1:]


def fallback_info(name: str) -> Metric:
    """Describe a metric that nobody declared, as far as its name tells.

    The better direction is unknown, so ``mode`` is empty and nobody may speak of its best epoch.
    """
    if name in RESERVED:
        return RESERVED[name]
    return Metric(name, prettify(name) or name, "", split_and_quantity(name)[0])


def split_and_quantity(name: str) -> tuple[Split, str]:
    """Return the part of the data that a metric's name begins with, and the rest of the name.

    ``train_loss``, ``val/loss`` and ``test.loss`` measure one quantity, ``loss``, and ``train`` and
    ``val`` the quantity ``value``. A name with no such prefix is its own, of the split "none".
    """
    found = _PREFIX.fullmatch(name)
    return ("none", name) if found is None else (_SPLITS[found[1]], found[2] or "value")


def axis_label(info: Metric) -> str:
    """Return the metric's label with its unit, as shown on an axis."""
    return f"{info.label} [{info.unit}]" if info.unit else info.label


def in_sentence(info: Metric) -> str:
    """Return the metric's label inside a sentence: no parentheses, a capital only in ``F1``."""
    label = info.label.partition(" (")[0]
    is_word = label.partition(" ")[0][1:].islower()
    return label[:1].lower() + label[1:] if is_word else label


def during_note(infos: Iterable[Metric]) -> str:
    """Say in a table's caption which metrics tell of no one model; "" where all do."""
    names = [in_sentence(info) for info in infos if info.measured == "during"]
    return f"; {listing(names)}: mean over the epoch as it is trained" if names else ""


def same_as_written(first: float, second: float) -> bool:
    """Whether a reader sees one number: no difference is spoken of that the figures do not show."""
    return number(first) == number(second)


def side(value: float, reference: float) -> str:
    """Say on which side of ``reference`` a value lies: ``lower``, ``higher`` or ``the same``."""
    if same_as_written(value, reference):
        return "the same"
    return "lower" if value < reference else "higher"


def distance(value: float, reference: float) -> str:
    """Write how far two values are apart, computed from the figures that a reader sees."""
    if all(0.01 <= abs(each) < 10 for each in (value, reference)):
        return f"{abs(round(value, 4) - round(reference, 4)):.4f}"
    return number(abs(float(number(value)) - float(number(reference))))


def apart(value: float, reference: float) -> str:
    """Write how far ``value`` is from ``reference``, and on which side: ``0.0431 higher``."""
    if same_as_written(value, reference):
        return "equal as written"
    return f"{distance(value, reference)} {side(value, reference)}"


def configuration(parameters: Mapping[str, Any], names: Iterable[str]) -> str:
    """Write those of the named parameters that there are: ``learning rate 0.01, dropout 0.3``."""
    return ", ".join(
        f"{words(name)} {parameter_value(parameters[name])}" for name in names if name in parameters
    )


def listing(items: Sequence[str]) -> str:
    """Join items the English way: ``a``, ``a and b``, ``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"
