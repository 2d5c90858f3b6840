"""The conditions under which a parameter exists: other parameters and their values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from search_spaces.errors import Problem, pointer_to
from search_spaces.scalars import Scalar, list_problems, same, scalar_problem, wrong_type

#: Each named parameter must exist and have one of its values.
When = Mapping[str, tuple[Scalar, ...]]


def holds(when: When, config: Mapping[str, Scalar]) -> bool:
    """Whether ``config`` meets every condition."""
    return all(
        name in config and any(same(config[name], value) for value in values)
        for name, values in when.items()
    )


def when_json(when: When) -> dict[str, Any]:
    """Return ``{"when": ...}`` with single values bare, or nothing where there is no condition."""
    if not when:
        return {}
    bare = {name: values[0] if len(values) == 1 else list(values) for name, values in when.items()}
    return {"when": bare}


def read_when(when: object) -> tuple[dict[str, tuple[Scalar, ...]], list[Problem]]:
    """Return ``when`` with a tuple of values per parameter, and what is wrong with it."""
    if not isinstance(when, Mapping):
        return {}, [wrong_type("/when", when, "an object of parameter names and values")]
    conditions: dict[str, tuple[Scalar, ...]] = {}
    problems: list[Problem] = []
    for name, wanted in when.items():
        pointer = "/when" + pointer_to(name)
        if not isinstance(name, str):
            problems.append(wrong_type(pointer, name, "the name of a parameter"))
        elif isinstance(wanted, list | tuple):
            problems += list_problems(wanted, pointer)
            conditions[name] = tuple(wanted)
        else:
            problem = scalar_problem(wanted, pointer)
            problems += [problem] if problem else []
            conditions[name] = (wanted,)
    return conditions, problems
