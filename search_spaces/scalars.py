"""JSON scalars: the values that a hyperparameter can take."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

from search_spaces.errors import Code, Problem
from search_spaces.text import unprintable

Scalar = str | int | float | bool | None

#: Whole numbers beyond this are not exact in JSON readers that know only doubles (RFC 8259, 6).
LARGEST_INT = 2**53 - 1
LONGEST_TEXT = 200
MOST_VALUES = 1000
_LONGEST_SHOWN = 60


def same(one: object, other: object) -> bool:
    """Whether two scalars are the same JSON value: 1 and 1.0 are, 1 and true are not."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def is_number(value: object) -> bool:
    """Whether ``value`` is a JSON number (Python's bool is an int, JSON's is none)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def shown(value: object) -> str:
    """Return ``value`` as a message quotes it: as JSON, cut where it is long."""
    if isinstance(value, int) and abs(value) > LARGEST_INT:
        return f"a whole number of {value.bit_length()} bits"
    if isinstance(value, str):
        cut = value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "..."
        return json.dumps(cut, ensure_ascii=unprintable(cut) != "")
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list | tuple) else f"a {type(value).__name__}"


def scalar_problem(value: object, pointer: str) -> Problem | None:
    """Return what is wrong with ``value`` as a scalar, or None."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str):
        return _text_problem(value, pointer)
    if isinstance(value, int):
        return _int_problem(value, pointer)
    if isinstance(value, float):
        return _float_problem(value, pointer)
    return Problem(
        pointer,
        f"{shown(value)} is not a value that a parameter can take",
        Code.WRONG_TYPE,
        "use text, a number, true, false or null",
    )


def _text_problem(value: str, pointer: str) -> Problem | None:
    if len(value) > LONGEST_TEXT:
        return Problem(
            pointer,
            f"text of {len(value)} characters is too long",
            Code.TOO_LONG,
            f"use at most {LONGEST_TEXT} characters",
        )
    if character := unprintable(value):
        detail = f"{shown(value)} holds {character}"
        return Problem(pointer, detail, Code.BAD_CHARACTER, "remove it")
    return None


def _int_problem(value: int, pointer: str) -> Problem | None:
    if abs(value) <= LARGEST_INT:
        return None
    return Problem(
        pointer,
        f"{shown(value)} is too large",
        Code.OUT_OF_RANGE,
        f"use whole numbers between {-LARGEST_INT} and {LARGEST_INT}",
    )


def _float_problem(value: float, pointer: str) -> Problem | None:
    if math.isfinite(value):
        return None
    return Problem(
        pointer, f"{shown(value)} is not a finite number", Code.NOT_FINITE, "use a finite number"
    )


def number_problem(value: object, pointer: str) -> Problem | None:
    """Return what is wrong with ``value`` as a number, or None."""
    if is_number(value):
        return scalar_problem(value, pointer)
    return wrong_type(pointer, value, "a number")


def flag_problem(value: object, pointer: str) -> Problem | None:
    """Return what is wrong with ``value`` as a truth value, or None."""
    return None if isinstance(value, bool) else wrong_type(pointer, value, "either true or false")


def list_problems(values: object, pointer: str) -> Iterator[Problem]:
    """Yield what is wrong with a list of scalars: its form, its entries, its duplicates."""
    if not isinstance(values, list | tuple):
        yield wrong_type(pointer, values, "a list of values")
        return
    if not values:
        yield Problem(pointer, "the list is empty", Code.EMPTY, "list at least one value")
    if len(values) > MOST_VALUES:
        detail = f"the list has {len(values)} values"
        yield Problem(pointer, detail, Code.TOO_MANY, f"list at most {MOST_VALUES}, or use a range")
        return
    seen: set[Scalar] = set()
    for index, value in enumerate(values):
        problem = scalar_problem(value, f"{pointer}/{index}")
        if problem:
            yield problem
        elif value in seen:
            # By Python's equality: Optuna cannot tell 1 from true either.
            detail = f"{shown(value)} equals a value listed before it"
            yield Problem(f"{pointer}/{index}", detail, Code.DUPLICATE, "list each value once")
        else:
            seen.add(value)


def wrong_type(pointer: str, value: object, wanted: str) -> Problem:
    """Return the problem of a ``value`` that is not ``wanted``."""
    return Problem(pointer, f"{shown(value)} is not {wanted}", Code.WRONG_TYPE, f"use {wanted}")
