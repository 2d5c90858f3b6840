"""Writes whole numbers of a space as floats where the trainable's parameter is a float."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from search_spaces.domains import Choice, Constant, Domain
from search_spaces.schema import Schema, resolved
from search_spaces.space import SearchSpace
from search_spaces.values import Value, is_number
from search_spaces.when import Bounds, Condition


def with_floats(space: SearchSpace, schema: Schema) -> SearchSpace:
    """Return ``space`` with the whole numbers of float parameters as floats.

    ``schema`` is the JSON Schema of the trainable's parameters. JSON does not tell 1 from 1.0; a
    specification and its fingerprint do.
    """
    rules, definitions = schema.get("properties", {}), schema.get("$defs", {})

    def convert(name: str, value: Value) -> Value:
        return _as_float(value, rules.get(name, {}), definitions)

    parameters = {n: _converted(n, domain, convert) for n, domain in space.parameters.items()}
    enqueue = tuple({n: convert(n, value) for n, value in one.items()} for one in space.enqueue)
    return replace(space, parameters=parameters, enqueue=enqueue, checked=True)


def _converted(name: str, domain: Domain, convert: Callable[[str, Value], Value]) -> Domain:
    def condition(parent: str, wanted: Condition) -> Condition:
        if isinstance(wanted, Bounds):
            return Bounds({key: convert(parent, limit) for key, limit in wanted.limits.items()})  # type: ignore[misc]
        return tuple(convert(parent, value) for value in wanted)

    when = {parent: condition(parent, wanted) for parent, wanted in domain.when.items()}
    match domain:
        case Constant(value=value):
            return replace(domain, value=convert(name, value), when=when)
        case Choice(values=values, default=default):
            floats = tuple(convert(name, value) for value in values)
            return replace(domain, values=floats, default=convert(name, default), when=when)
        case _:  # a range has made its numbers of its own type
            return replace(domain, when=when)


def _as_float(value: Value, rule: Schema, definitions: Schema) -> Value:
    """Return ``value`` as a float if ``rule`` takes floats and no whole numbers; so in lists."""
    rule = resolved(rule, definitions)
    branches = [resolved(branch, definitions) for branch in rule.get("anyOf", [rule])]
    if isinstance(value, list):
        entries = next((b for b in branches if b.get("type") == "array"), {})
        first, others = entries.get("prefixItems", []), entries.get("items") or {}
        rules = [*first, *[others] * len(value)]
        return [_as_float(v, r, definitions) for v, r in zip(value, rules, strict=False)]
    types = {branch.get("type") for branch in branches}
    is_float = "number" in types and "integer" not in types
    return float(value) if is_float and is_number(value) else value  # type: ignore[arg-type]
