"""The conditions among a space's parameters: their order, and whether they can be met."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from search_spaces.domains import Domain, Range
from search_spaces.errors import Code, Problem, did_you_mean, pointer_to
from search_spaces.values import any_of, shown
from search_spaces.when import Bounds, Condition, meets, numbers_in

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
    """Yield each condition on an unknown parameter, each one never met, and each cycle.

    Conditions on the ``unreadable`` parameters are passed over: their own problem is known.
    """
    for name, domain in parameters.items():
        for parent, condition in domain.when.items():
            pointer = pointer_to("parameters", name, "when", parent)
            if parent in parameters:
                yield from _never_met(parent, parameters[parent], condition, pointer)
            elif parent not in unreadable:
                others = [other for other in parameters if other != name]
                detail = f"the condition names a parameter {shown(parent)} that is not declared"
                hint = did_you_mean(parent, others)
                yield Problem(pointer, detail, Code.UNKNOWN_PARAMETER, hint)
    for name in parameters:
        if name in _ancestors(name, parameters):
            pointer = pointer_to("parameters", name, "when")
            detail = f"{name} depends on itself through its conditions"
            hint = "remove a condition so that no parameter depends on itself"
            yield Problem(pointer, detail, Code.CONDITION_CYCLE, hint)


def _never_met(
    parent: str, domain: Domain, condition: Condition, pointer: str
) -> Iterator[Problem]:
    if isinstance(condition, Bounds):
        wrong = [] if _can_hold(condition, domain) else [f"{parent} is never {condition}"]
    else:
        never = [value for value in condition if value not in domain]
        wrong = [f"{parent} never takes the value {shown(value)}" for value in never]
    if isinstance(condition, tuple) and any(map(_compares, condition)):
        hint = 'compare with {"at_least": ...}, "greater_than", "at_most" or "less_than"'
    elif isinstance(domain, Range):
        hint = f"{parent} goes from {shown(domain.low)} to {shown(domain.high)}"
    else:
        first = None if isinstance(condition, Bounds) else condition[0]
        hint = any_of(list(domain.listed()), first)
    for detail in wrong:
        yield Problem(pointer, detail, Code.IMPOSSIBLE_CONDITION, hint)


def _compares(value: object) -> bool:
    """Whether a value is written like a comparison: ``>= 2``."""
    return isinstance(value, str) and value.lstrip().startswith(("<", ">"))


def _can_hold(condition: Condition, domain: Domain) -> bool:
    """Whether the condition is met by a value of ``domain``."""
    return any(meets(value, condition) for value, _ in domain.parts(numbers_in([condition])))


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
    """Return ``parameters`` without the conditions that others, replaced, can no longer meet.

    Values that a condition's parameter no longer takes leave the condition; a parameter left with
    a condition that never holds is left out. Those in ``kept`` stay as they are.
    """
    remaining = dict(parameters)
    while True:
        reduced: dict[str, Domain] = {}
        for name, domain in remaining.items():
            possible = ((p, _possible(c, remaining.get(p))) for p, c in domain.when.items())
            when = {parent: condition for parent, condition in possible if condition}
            if name in kept:
                reduced[name] = domain
            elif when.keys() == domain.when.keys():
                reduced[name] = replace(domain, when=when)
        if reduced == remaining:
            return reduced
        remaining = reduced


def _possible(condition: Condition, domain: Domain | None) -> Condition | None:
    """Return the part of ``condition`` that ``domain`` can meet, empty or None if it meets none."""
    if domain is None:
        return None
    if isinstance(condition, Bounds):
        return condition if _can_hold(condition, domain) else None
    return tuple(value for value in condition if value in domain)
