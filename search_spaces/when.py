"""The conditions under which a parameter exists: other parameters, and the values they need."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from search_spaces.errors import Code, Problem, pointer_to
from search_spaces.keys import key_problems
from search_spaces.values import (
    Value,
    is_number,
    list_problems,
    number_problems,
    plain,
    same,
    value_problems,
    wrong_type,
)

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "at_least": operator.ge,
    "greater_than": operator.gt,
    "at_most": operator.le,
    "less_than": operator.lt,
}
BOUNDS = tuple(_COMPARISONS)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Numbers within ``limits``, which map "at_least", "greater_than", ... to a number each."""

    limits: Mapping[str, float]

    def __contains__(self, value: object) -> bool:
        return is_number(value) and all(
            _COMPARISONS[name](value, limit) for name, limit in self.limits.items()
        )

    def __str__(self) -> str:
        return " and ".join(f"{k.replace('_', ' ')} {v}" for k, v in self.limits.items())


#: One of several values, or any number within bounds.
Condition = tuple[Value, ...] | Bounds
#: Each named parameter must exist and meet its condition.
When = Mapping[str, Condition]


def meets(value: object, condition: Condition) -> bool:
    """Whether ``value`` is one of the condition's values, or lies within its bounds."""
    if isinstance(condition, Bounds):
        return value in condition
    return any(same(value, wanted) for wanted in condition)


def holds(when: When, config: Mapping[str, Value]) -> bool:
    """Whether ``config`` meets every condition; an absent parameter meets none."""
    return all(name in config and meets(config[name], wanted) for name, wanted in when.items())


def numbers_in(conditions: Iterable[Condition]) -> Iterator[float]:
    """Yield every number that the conditions name."""
    for condition in conditions:
        values = condition.limits.values() if isinstance(condition, Bounds) else condition
        yield from filter(is_number, values)


def when_json(when: When) -> dict[str, Any]:
    """Return ``{"when": ...}`` with single scalars bare, or nothing where there is no condition."""
    return {"when": {name: _json(wanted) for name, wanted in when.items()}} if when else {}


def _json(condition: Condition) -> Any:
    if isinstance(condition, Bounds):
        return dict(condition.limits)
    bare = len(condition) == 1 and not isinstance(condition[0], list)
    return condition[0] if bare else list(condition)


def read_when(when: object) -> tuple[dict[str, Condition], list[Problem]]:
    """Return the conditions that ``when`` declares by parameter, and what is wrong with it."""
    if not isinstance(when, Mapping):
        return {}, [wrong_type("/when", when, "an object of parameter names and values")]
    conditions: dict[str, Condition] = {}
    problems: list[Problem] = []
    for name, wanted in when.items():
        pointer = "/when" + pointer_to(name)
        if not isinstance(name, str):
            problems.append(wrong_type(pointer, name, "the name of a parameter"))
        elif isinstance(wanted, Mapping | Bounds):
            limits = wanted.limits if isinstance(wanted, Bounds) else wanted
            problems += _bounds_problems(limits, pointer)
            conditions[name] = Bounds(dict(limits))
        elif isinstance(wanted, list | tuple):
            problems += list_problems(wanted, pointer)
            conditions[name] = tuple(map(plain, wanted))
        else:
            problems += value_problems(wanted, pointer)
            conditions[name] = (wanted,)
    return conditions, problems


def _bounds_problems(limits: Mapping[Any, object], pointer: str) -> Iterator[Problem]:
    if not limits:
        hint = f"name a value, a list of values or some of {', '.join(BOUNDS)}"
        yield Problem(pointer, "the condition is empty", Code.EMPTY, hint)
    yield from (problem.under(pointer) for problem in key_problems(limits, BOUNDS))
    for name in filter(limits.__contains__, BOUNDS):
        yield from number_problems(limits[name], f"{pointer}/{name}")
