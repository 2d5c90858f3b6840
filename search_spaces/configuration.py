"""A configuration: the value of every parameter that exists in it, in the declared order.

A parameter whose conditions do not hold is absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from search_spaces.conditions import Parameters, dependency_order
from search_spaces.domains import Constant, Domain, Range
from search_spaces.errors import Code, Problem, did_you_mean, pointer_to
from search_spaces.values import Value, any_of, same, shown
from search_spaces.when import holds

Configuration = dict[str, Value]


def configuration_of(
    parameters: Parameters, choose: Callable[[str, Domain], Value]
) -> Configuration:
    """Return the configuration in which each parameter that exists has the value chosen for it.

    Parameters are chosen after those that their conditions name.
    """
    config: Configuration = {}
    for name in dependency_order(parameters):
        if holds(parameters[name].when, config):
            config[name] = choose(name, parameters[name])
    return as_declared(config, parameters)


def with_defaults(parameters: Parameters, chosen: Mapping[str, Value]) -> Configuration:
    """Return the configuration with the ``chosen`` values, everything else at its default."""
    return configuration_of(parameters, lambda name, domain: chosen.get(name, domain.default))


def as_declared(config: Configuration, parameters: Parameters) -> Configuration:
    """Return ``config`` in the declared order."""
    return {name: config[name] for name in parameters if name in config}


def enqueue_problems(
    parameters: Parameters, enqueued: Sequence[Mapping[str, Value]]
) -> Iterator[Problem]:
    """Yield what of the ``enqueued`` configurations does not lie in the space.

    A value that its domain lacks, a parameter that is not declared or does not exist beside the
    other values, and a configuration that comes twice. The pointers are ``/enqueue/0/name``.
    """
    seen: list[Configuration] = []
    for index, chosen in enumerate(enqueued):
        pointer = pointer_to("enqueue", index)
        problems = [p.under(pointer) for p in _misfits(parameters, chosen)]
        yield from problems
        if problems:
            continue
        complete = with_defaults(parameters, chosen)
        if complete in seen:
            detail = "the configuration is enqueued before this one already"
            hint = "a parameter that is left out has its default: name each configuration once"
            yield Problem(pointer, detail, Code.DUPLICATE, hint)
        seen.append(complete)


def _misfits(parameters: Parameters, chosen: Mapping[str, Value]) -> Iterator[Problem]:
    """Yield the values of one configuration that the space does not hold."""
    known = {name: value for name, value in chosen.items() if name in parameters}
    exist = with_defaults(parameters, known)
    for name, value in chosen.items():
        pointer = pointer_to(name)
        if name not in parameters:
            detail = f"the space has no parameter {shown(name)}"
            hint = did_you_mean(name, parameters)
            yield Problem(pointer, detail, Code.UNKNOWN_PARAMETER, hint)
        elif value not in parameters[name]:
            detail = f"{shown(value)} is not a value of {name}"
            yield Problem(pointer, detail, Code.OUT_OF_RANGE, _values_hint(parameters[name], value))
        elif name not in exist:
            others = " and ".join(parameters[name].when)
            detail = f"{name} does not exist in this configuration: it depends on {others}"
            hint = f"leave out {name}, or give {others} a value under which it exists"
            yield Problem(pointer, detail, Code.NOT_APPLICABLE, hint)


def _values_hint(domain: Domain, value: Value) -> str:
    match domain:
        case Constant():
            return f"it is always {shown(domain.value)}: leave it out"
        case Range():
            return f"use a value of the range from {shown(domain.low)} to {shown(domain.high)}"
        case _:
            return any_of(list(domain.values), value)


def completed(parameters: Parameters, chosen: Mapping[str, Value]) -> Configuration:
    """Return the configuration that the enqueued values ``chosen`` mean: all else at its default.

    Numbers are written as the space writes them: 1 for a listed 1.0 is 1.0.
    """
    return with_defaults(parameters, {n: _own(parameters[n], v) for n, v in chosen.items()})


def _own(domain: Domain, value: Any) -> Value:
    if isinstance(domain, Range):
        return domain.nearest(value)
    return next(listed for listed in domain.values if same(value, listed))
