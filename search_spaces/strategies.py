"""The configurations of a space: listed beforehand, or suggested one by one by a sampler.

A configuration maps the name of every parameter that exists in it to its value, in the order of
the declaration; a parameter whose conditions do not hold is absent.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from search_spaces.conditions import Parameters, dependency_order
from search_spaces.configuration import (
    Configuration,
    as_declared,
    completed,
    configuration_of,
    with_defaults,
)
from search_spaces.domains import Choice, Constant, Domain, Range
from search_spaces.errors import Code, Problem, SearchSpaceError, pointer_to, raise_any
from search_spaces.space import SAMPLERS, SearchSpace
from search_spaces.values import LARGEST_INT, Value, same
from search_spaces.when import holds, meets, numbers_in

#: What a sampler takes as one of several choices.
Label = str | int | float | bool | None

#: Steps that counting combinations may take; only dozens of interwoven conditions need more.
_MOST_COUNTING_STEPS = 200_000
#: Samplers draw ranges of floats without their steps, and the nearest step is taken, where the
#: largest number is more than this many steps.
FINEST = 1e6


class Suggester(Protocol):
    """Draws one value at a time, both ends of a range included; ``optuna.Trial`` is one."""

    def suggest_categorical(self, name: str, choices: Sequence[Label]) -> Any:
        """Return one of ``choices``."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return a number from ``low`` to ``high``."""

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """Return a whole number from ``low`` to ``high``."""


def defaults(space: SearchSpace) -> Configuration:
    """Return the configuration in which every parameter has its default."""
    return with_defaults(space.parameters, {})


def count(space: SearchSpace) -> int:
    """Return how many configurations the space's strategy runs, without building them.

    For a sampler that is ``space.trials``. Raises :class:`SearchSpaceError` where the strategy
    cannot list the space's domains, and where conditions are too interwoven to count.
    """
    if space.is_sampled:
        return space.trials or 0  # never None where a sampler draws
    raise_any(listing_problems(space))
    if space.is_single:
        return 1
    if space.is_one_at_a_time:
        varied = (space.parameters[name] for name in defaults(space))
        return 1 + sum((domain.size or 1) - 1 for domain in varied)
    return _combinations(space.parameters)


def count_distinct(space: SearchSpace) -> int | None:
    """Return how many different configurations a sampler can draw from the space.

    None where they are endless, more than 2**53 - 1, or not countable because conditions are too
    interwoven.
    """
    if any(domain.size is None for domain in space.parameters.values()):
        return None
    try:
        number = _combinations(space.parameters)
    except SearchSpaceError:
        return None
    return number if number <= LARGEST_INT else None


def configurations(space: SearchSpace) -> Iterator[Configuration]:
    """Yield the configurations of a strategy that lists them, each once.

    ``single``: the defaults. ``one_at_a_time``: the defaults, then for each parameter that exists
    in them, as declared, each of its other values in order, while all else keeps its default.
    ``grid``: all combinations; the last parameter varies fastest (one that is declared before a
    parameter it depends on counts as declared after it). Raises :class:`SearchSpaceError` for a
    sampler and for domains that the strategy cannot list.
    """
    raise_any(listing_problems(space))
    if space.is_single:
        return iter((defaults(space),))
    if space.is_one_at_a_time:
        return _one_at_a_time(space)
    return every_configuration(space)


def every_configuration(space: SearchSpace) -> Iterator[Configuration]:
    """Yield each configuration that a sampler can draw, as ``grid`` lists them.

    Raises ``ValueError`` when it comes to a range of floats without step.
    """
    order = dependency_order(space.parameters)
    return (as_declared(c, space.parameters) for c in _grid(space.parameters, order, {}))


def enqueued(space: SearchSpace) -> tuple[Configuration, ...]:
    """Return the configurations that run first, complete: what they leave out has its default."""
    return tuple(completed(space.parameters, chosen) for chosen in space.enqueue)


def listing_problems(space: SearchSpace) -> Iterator[Problem]:
    """Yield why the space's strategy cannot list its configurations."""
    if space.is_sampled:
        detail = f"strategy {space.strategy} draws its configurations and lists none"
        hint = "list the configurations of single, one_at_a_time or grid"
        yield Problem("/strategy", detail, Code.NOT_LISTABLE, hint)
    elif not space.is_single:
        for name, domain in space.parameters.items():
            if not domain.is_listable:
                detail = f"strategy {space.strategy} cannot list a range without step"
                hint = f"add a step, list the values, or use a sampler: {', '.join(SAMPLERS)}"
                yield Problem(pointer_to("parameters", name), detail, Code.NOT_LISTABLE, hint)


def suggest(space: SearchSpace, trial: Suggester) -> Configuration:
    """Return a configuration drawn from ``trial``, with the constants.

    Parameters are drawn after those that their conditions name, under their own names; one whose
    conditions do not hold is not drawn.
    """
    return configuration_of(space.parameters, partial(_suggest_value, trial))


def suggested(space: SearchSpace, configuration: Mapping[str, Value]) -> dict[str, Label]:
    """Return the answers of a :class:`Suggester` that make ``configuration``, by parameter.

    Raises ValueError for a configuration with a value that the space does not hold.
    """
    answers: dict[str, Any] = {}
    for name, value in configuration.items():
        domain = space.parameters.get(name)
        if domain is None or value not in domain:
            raise ValueError(f"{name} {value!r} cannot have been drawn from {space.name}")
        if isinstance(domain, Choice):
            answers[name] = next(k for k, v in _labels(domain).items() if same(v, value))
        elif isinstance(domain, Range):
            answers[name] = value
    return answers


def _labels(domain: Choice) -> dict[Label, Value]:
    """Return the values by what stands for each in a sampler, which takes no lists.

    That is the value itself, or its JSON text where a value of the domain is a list.
    """
    if any(isinstance(value, list) for value in domain.values):
        return {json.dumps(value): value for value in domain.values}
    return {value: value for value in domain.values}  # type: ignore[misc]


def _suggest_value(trial: Suggester, name: str, domain: Domain) -> Value:
    match domain:
        case Constant():
            return domain.value
        case Choice():
            labels = _labels(domain)
            return labels[trial.suggest_categorical(name, tuple(labels))]
        case Range(low=low, high=high, step=step, log=log, type="int"):
            return trial.suggest_int(name, int(low), int(high), step=int(step or 1), log=log)
        case Range() if _is_fine(domain):
            return domain.nearest(trial.suggest_float(name, *_with_room(domain)))
        case Range(low=low, high=high, step=step, log=log):
            # Samplers step in binary fractions; the configuration shows the declared decimals.
            return domain.nearest(trial.suggest_float(name, low, high, step=step, log=log))


def _is_fine(domain: Range) -> bool:
    """Whether a sampler would refuse values of the range, since binary fractions miss its steps.

    Optuna takes a value that is at most 1e-8 of a step off, and doubles are up to about 1e-15 of
    the largest number off. The bound leaves a factor of ten.
    """
    largest = max(abs(domain.low), abs(domain.high))
    return domain.step is not None and largest > FINEST * domain.step and domain.low < domain.high


def _with_room(domain: Range) -> tuple[float, float]:
    """Return the ends, half a step further out: the first and last value get as much room."""
    half = (domain.step or 0.0) / 2
    low, high = domain.low - half, domain.high + half
    return (low, high) if math.isfinite(high - low) else (domain.low, domain.high)


def _one_at_a_time(space: SearchSpace) -> Iterator[Configuration]:
    start = defaults(space)
    yield start
    for name, default in start.items():
        for value in space.parameters[name].listed():
            if not same(value, default):
                yield with_defaults(space.parameters, {name: value})


def _grid(
    parameters: Parameters, names: Sequence[str], config: Configuration
) -> Iterator[Configuration]:
    """Yield ``config`` with every combination of values of the parameters ``names``."""
    if not names:
        yield config
        return
    first, rest = names[0], names[1:]
    if not holds(parameters[first].when, config):
        yield from _grid(parameters, rest, config)
        return
    for value in parameters[first].listed():
        yield from _grid(parameters, rest, {**config, first: value})


def _combinations(parameters: Parameters) -> int:
    """Return the number of combinations of domains that are not endless.

    Goes through the parameters in order of dependency and counts, for each set of parameters that
    the values so far have ruled out, the ways to get there.
    """
    ways: Counter[frozenset[str]] = Counter({frozenset(): 1})
    steps = 0
    for name in dependency_order(parameters):
        dependents = frozenset(n for n, domain in parameters.items() if name in domain.when)
        groups = _values_by_ruled_out(name, parameters, dependents)
        steps += len(ways) * len(groups)
        if steps > _MOST_COUNTING_STEPS:
            detail = "the conditions are too interwoven to count the combinations"
            hint = f"use fewer conditions, or a sampler: {', '.join(SAMPLERS)}"
            raise SearchSpaceError([Problem("/parameters", detail, Code.TOO_MANY, hint)])
        extended: Counter[frozenset[str]] = Counter()
        for ruled_out, number in ways.items():
            if name in ruled_out:  # and so its dependents
                extended[(ruled_out - {name}) | dependents] += number
                continue
            for more, values in groups.items():
                extended[ruled_out | more] += number * values
        ways = extended
    return ways.total()


def _values_by_ruled_out(
    name: str, parameters: Parameters, dependents: frozenset[str]
) -> Counter[frozenset[str]]:
    """Return how many values of ``name`` rule out each set of ``dependents``."""
    wanted = {dependent: parameters[dependent].when[name] for dependent in dependents}
    groups: Counter[frozenset[str]] = Counter()
    for value, number in parameters[name].parts(numbers_in(wanted.values())):
        ruled_out = (n for n, condition in wanted.items() if not meets(value, condition))
        groups[frozenset(ruled_out)] += number
    return groups
