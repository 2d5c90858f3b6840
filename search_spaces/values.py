"""The values that a hyperparameter can take: JSON scalars, and lists of values."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from search_spaces.errors import Code, Problem, did_you_mean
from search_spaces.text import unprintable

#: A scalar, or a list of values.
Value = str | int | float | bool | None | list[Any]

#: Whole numbers beyond this are not exact in JSON readers that know only doubles (RFC 8259, 6).
LARGEST_INT = 2**53 - 1
LONGEST_TEXT = 200
MOST_VALUES = 1000
#: Limits of a value that is a list: entries, and lists within lists.
MOST_ENTRIES = 100
DEEPEST_LIST = 4
_LONGEST_SHOWN = 60
_MOST_SHOWN = 8


def same(one: object, other: object) -> bool:
    """Whether two values are the same in JSON: 1 and 1.0 are, 1 and true are not."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def plain(value: Any) -> Any:
    """Return a copy of ``value`` in which tuples are lists."""
    return [plain(entry) for entry in value] if isinstance(value, list | tuple) else value


def is_number(value: object) -> bool:
    """Whether ``value`` is a JSON number (Python's bool is an int, JSON's is none)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def shown(value: object, depth: int = 0) -> str:
    """Return ``value`` as a message quotes it: as JSON, cut where it is long."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple):
        if depth > 1:
            return "[...]"
        entries = [shown(entry, depth + 1) for entry in value[:_MOST_SHOWN]]
        return f"[{', '.join(entries)}{', ...' if len(value) > _MOST_SHOWN else ''}]"
    if isinstance(value, str):
        cut = value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "..."
        return json.dumps(cut, ensure_ascii=unprintable(cut) != "")
    if isinstance(value, int) and abs(value) >= 10**30:
        return f"about {'-' if value < 0 else ''}10^{math.floor(math.log10(abs(value)))}"
    if value is None or isinstance(value, int | float):
        return json.dumps(value)
    return f"a {type(value).__name__}"


def any_of(values: Sequence[object], wanted: object = None) -> str:
    """Return a hint that names ``values``, or of texts those close to the text ``wanted``."""
    texts = [value for value in values if isinstance(value, str)]
    if isinstance(wanted, str) and texts:
        return did_you_mean(wanted, texts)
    more = f" or {len(values) - _MOST_SHOWN} more" if len(values) > _MOST_SHOWN else ""
    return "use one of " + ", ".join(map(shown, values[:_MOST_SHOWN])) + more


def value_problems(value: object, pointer: str, depth: int = 0) -> Iterator[Problem]:
    """Yield what is wrong with ``value`` as the value of a parameter."""
    if isinstance(value, str):
        yield from text_problems(value, pointer)
    elif isinstance(value, list | tuple):
        yield from _entry_problems(value, pointer, depth)
    elif isinstance(value, float):
        if not math.isfinite(value):
            detail = f"{shown(value)} is not a finite number"
            yield Problem(pointer, detail, Code.NOT_FINITE, "use a finite number")
    elif isinstance(value, int):  # of which bool is a part
        if abs(value) > LARGEST_INT:
            hint = f"use whole numbers between {-LARGEST_INT} and {LARGEST_INT}"
            yield Problem(pointer, f"{shown(value)} is too large", Code.OUT_OF_RANGE, hint)
    elif value is not None:
        detail = f"{shown(value)} is not a value that a parameter can take"
        hint = "use text, a number, true, false, null or a list of these"
        if isinstance(value, dict):
            hint += "; make each member a parameter of its own, optimizer.momentum for instance"
        yield Problem(pointer, detail, Code.WRONG_TYPE, hint)


def _entry_problems(values: Sequence[object], pointer: str, depth: int) -> Iterator[Problem]:
    if depth == DEEPEST_LIST:
        detail = f"the value has more than {DEEPEST_LIST} lists within lists"
        yield Problem(pointer, detail, Code.TOO_LONG, "use fewer")
    elif len(values) > MOST_ENTRIES:
        detail = f"a value that is a list of {len(values)} entries is too long"
        yield Problem(pointer, detail, Code.TOO_LONG, f"use at most {MOST_ENTRIES} entries")
    else:
        for index, value in enumerate(values):
            yield from value_problems(value, f"{pointer}/{index}", depth + 1)


def text_problems(value: str, pointer: str) -> Iterator[Problem]:
    """Yield what is wrong with a text that stands on one line."""
    if len(value) > LONGEST_TEXT:
        detail = f"text of {len(value)} characters is too long"
        yield Problem(pointer, detail, Code.TOO_LONG, f"use at most {LONGEST_TEXT} characters")
    elif character := unprintable(value):
        detail = f"{shown(value)} holds {character}"
        yield Problem(pointer, detail, Code.BAD_CHARACTER, "remove it")


def number_problems(value: object, pointer: str) -> Iterator[Problem]:
    """Yield what is wrong with ``value`` as a number."""
    if is_number(value):
        yield from value_problems(value, pointer)
    else:
        yield wrong_type(pointer, value, "a number")


def list_problems(values: object, pointer: str) -> Iterator[Problem]:
    """Yield what is wrong with a list of values: its form, its entries, its duplicates."""
    if not isinstance(values, list | tuple):
        yield wrong_type(pointer, values, "a list of values")
        return
    if not values:
        yield Problem(pointer, "the list is empty", Code.EMPTY, "list at least one value")
    if len(values) > MOST_VALUES:
        detail = f"the list has {len(values)} values"
        yield Problem(pointer, detail, Code.TOO_MANY, f"list at most {MOST_VALUES}, or use a range")
        return
    seen: set[Hashable] = set()
    for index, value in enumerate(values):
        problems = list(value_problems(value, f"{pointer}/{index}"))
        yield from problems
        if not problems:
            # By Python's equality: Optuna cannot tell 1 from true either.
            key = _hashable(value)
            if key in seen:
                detail = f"{shown(value)} equals a value listed before it"
                hint = "list each value once"
                yield Problem(f"{pointer}/{index}", detail, Code.DUPLICATE, hint)
            seen.add(key)


def _hashable(value: Any) -> Hashable:
    return tuple(map(_hashable, value)) if isinstance(value, list | tuple) else value


def wrong_type(pointer: str, value: object, wanted: str) -> Problem:
    """Return the problem of a ``value`` that is not ``wanted``."""
    return Problem(pointer, f"{shown(value)} is not {wanted}", Code.WRONG_TYPE, f"use {wanted}")
