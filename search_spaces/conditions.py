"""Conditions among parameters: are they possible, in which order, what they leave out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from search_spaces.domains import Domain
from search_spaces.errors import Code, Problem, did_you_mean, pointer_to
from search_spaces.scalars import shown

Parameters = Mapping[str, Domain]


def dependency_order(parameters: Parameters) -> tuple[str, ...]:
    """Return the names with each one after those that its conditions name, else as declared.

    Names on a cycle, or behind one, are left out; so are those behind an unknown parameter.
    """
    ordered: dict[str, None] = {}
    waiting = list(parameters)
    while waiting:
        ready = (n for n in waiting if all(parent in ordered for parent in parameters[n].when))
        name = next(ready, None)
        if name is None:
            break
        ordered[name] = None
        waiting.remove(name)
    return tuple(ordered)


def condition_problems(
    parameters: Parameters, unreadable: Collection[str] = ()
) -> Iterator[Problem]:
    """Yield each condition on an unknown parameter or an impossible value, and each cycle.

    Nothing is said of conditions on the ``unreadable`` parameters, whose own problem is known.
    """
    for name, domain in parameters.items():
        for parent, values in domain.when.items():
            pointer = pointer_to("parameters", name, "when", parent)
            if parent in parameters:
                yield from _value_problems(parent, parameters[parent], values, pointer)
            elif parent not in unreadable:
                others = [other for other in parameters if other != name]
                detail = f"the condition names a parameter {shown(parent)} that is not declared"
                hint = did_you_mean(parent, others)
                yield Problem(pointer, detail, Code.UNKNOWN_PARAMETER, hint)
    yield from _cycle_problems(parameters)


def _value_problems(
    parent: str, domain: Domain, values: Collection[object], pointer: str
) -> Iterator[Problem]:
    for value in values:
        if value not in domain:
            detail = f"{parent} never takes the value {shown(value)}"
            hint = f"use a value that {parent} can take, or leave the condition out"
            yield Problem(pointer, detail, Code.IMPOSSIBLE_CONDITION, hint)


def _cycle_problems(parameters: Parameters) -> Iterator[Problem]:
    for name in parameters:
        if name in _ancestors(name, parameters):
            pointer = pointer_to("parameters", name, "when")
            detail = f"{name} depends on itself through its conditions"
            hint = "remove a condition so that no parameter depends on itself"
            yield Problem(pointer, detail, Code.CONDITION_CYCLE, hint)


def _ancestors(name: str, parameters: Parameters) -> set[str]:
    """Return the parameters that the conditions of ``name`` name, directly or through others."""
    found: set[str] = set()
    waiting = list(parameters[name].when)
    while waiting:
        parent = waiting.pop()
        if parent in parameters and parent not in found:
            found.add(parent)
            waiting += parameters[parent].when
    return found


def without_impossible(parameters: Parameters, kept: Collection[str]) -> dict[str, Domain]:
    """Return ``parameters`` without what can no longer be, after others were replaced.

    Values that a condition's parameter no longer takes leave the condition; a parameter left with
    a condition that never holds is left out. Those in ``kept`` stay as they are.
    """
    remaining = dict(parameters)
    while True:
        reduced: dict[str, Domain] = {}
        for name, domain in remaining.items():
            left = domain if name in kept else _what_is_left(domain, remaining)
            if left is not None:
                reduced[name] = left
        if reduced == remaining:
            return reduced
        remaining = reduced


def _what_is_left(domain: Domain, parameters: Parameters) -> Domain | None:
    """Return ``domain`` with the conditions that can still hold, or None where one never does."""
    when = {
        parent: tuple(v for v in values if parent in parameters and v in parameters[parent])
        for parent, values in domain.when.items()
    }
    return replace(domain, when=when) if all(when.values()) else None
