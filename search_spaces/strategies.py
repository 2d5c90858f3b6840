"""The configurations of a space: listed beforehand, or suggested one by one by a sampler.

A configuration maps the name of every parameter that exists in it to its value, in the order of
the declaration; a parameter whose conditions do not hold is absent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from search_spaces.conditions import Parameters, dependency_order
from search_spaces.domains import Choice, Constant, Domain, Range
from search_spaces.errors import Code, Problem, SearchSpaceError, pointer_to, raise_any
from search_spaces.scalars import Scalar, same
from search_spaces.space import SAMPLERS, STRATEGIES, SearchSpace
from search_spaces.when import holds

__all__ = [
    "SAMPLERS",
    "STRATEGIES",
    "Configuration",
    "Suggester",
    "configurations",
    "count",
    "defaults",
    "listing_problems",
    "suggest",
]

Configuration = dict[str, Scalar]

#: Steps that counting a grid may take; only dozens of interwoven conditions need more.
_MOST_COUNTING_STEPS = 200_000


class Suggester(Protocol):
    """Draws one value at a time, both ends of a range included; ``optuna.Trial`` is one."""

    def suggest_categorical(self, name: str, choices: Sequence[Scalar]) -> Any:
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
    return _with_defaults(space.parameters, {})


def count(space: SearchSpace) -> int:
    """Return how many configurations the space's strategy runs, without building them.

    For a sampler that is ``space.trials``. Raises :class:`SearchSpaceError` where the strategy
    cannot list the space's domains, and where conditions are too interwoven to count.
    """
    if space.is_sampled:
        # Always set on a sampled space; None only on the others.
        return space.trials or 0
    raise_any(listing_problems(space))
    if space.is_single:
        return 1
    if space.is_one_at_a_time:
        varied = (space.parameters[name] for name in defaults(space))
        return 1 + sum(_size(domain) - 1 for domain in varied)
    return _grid_size(space.parameters)


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
    order = dependency_order(space.parameters)
    return (_as_declared(c, space.parameters) for c in _grid(space.parameters, order, {}))


def suggest(space: SearchSpace, trial: Suggester) -> Configuration:
    """Return a configuration drawn from ``trial``, with the constants.

    Parameters are drawn after those that their conditions name, under their own names; one whose
    conditions do not hold is not drawn.
    """
    config: Configuration = {}
    for name in dependency_order(space.parameters):
        domain = space.parameters[name]
        if holds(domain.when, config):
            config[name] = _suggest_value(name, domain, trial)
    return _as_declared(config, space.parameters)


def listing_problems(space: SearchSpace) -> Iterator[Problem]:
    """Yield why the space's strategy cannot list its configurations."""
    if space.is_sampled:
        detail = f"strategy {space.strategy} draws its configurations and lists none"
        hint = "list the configurations of single, one_at_a_time or grid"
        yield Problem("/strategy", detail, Code.NOT_LISTABLE, hint)
    elif not space.is_single:
        for name, domain in space.parameters.items():
            if domain.size is None:
                detail = f"strategy {space.strategy} cannot list a range without step"
                hint = f"add a step, list the values, or use a sampler: {', '.join(SAMPLERS)}"
                yield Problem(pointer_to("parameters", name), detail, Code.NOT_LISTABLE, hint)


def _suggest_value(name: str, domain: Domain, trial: Suggester) -> Scalar:
    match domain:
        case Constant():
            return domain.value
        case Choice():
            value: Scalar = trial.suggest_categorical(name, domain.values)
            return value
        case Range(low=low, high=high, step=step, log=log, type="int"):
            return trial.suggest_int(name, int(low), int(high), step=int(step or 1), log=log)
        case Range(low=low, high=high, step=step, log=log):
            # Samplers step in binary fractions; the configuration shows the declared decimals.
            return domain.nearest(trial.suggest_float(name, low, high, step=step, log=log))


def _with_defaults(parameters: Parameters, chosen: Mapping[str, Scalar]) -> Configuration:
    """Return the configuration of the ``chosen`` values and, for all else, the defaults."""
    config: Configuration = {}
    for name in dependency_order(parameters):
        if holds(parameters[name].when, config):
            config[name] = chosen.get(name, parameters[name].default)
    return _as_declared(config, parameters)


def _as_declared(config: Configuration, parameters: Parameters) -> Configuration:
    return {name: config[name] for name in parameters if name in config}


def _one_at_a_time(space: SearchSpace) -> Iterator[Configuration]:
    start = defaults(space)
    yield start
    for name, default in start.items():
        for value in space.parameters[name].listed():
            if not same(value, default):
                yield _with_defaults(space.parameters, {name: value})


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


def _grid_size(parameters: Parameters) -> int:
    """Return the number of combinations.

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
            raise SearchSpaceError([_too_interwoven()])
        ways = _extended(ways, name, groups, dependents)
    return ways.total()


def _extended(
    ways: Counter[frozenset[str]],
    name: str,
    groups: Counter[frozenset[str]],
    dependents: frozenset[str],
) -> Counter[frozenset[str]]:
    """Return ``ways`` after ``name``, whose ``dependents`` are ruled out where it is itself."""
    extended: Counter[frozenset[str]] = Counter()
    for ruled_out, number in ways.items():
        if name in ruled_out:
            extended[(ruled_out - {name}) | dependents] += number
            continue
        for more, values in groups.items():
            extended[ruled_out | more] += number * values
    return extended


def _values_by_ruled_out(
    name: str, parameters: Parameters, dependents: frozenset[str]
) -> Counter[frozenset[str]]:
    """Return how many values of ``name`` rule out each set of ``dependents``."""
    wanted = {dependent: parameters[dependent].when[name] for dependent in dependents}
    named = {value for values in wanted.values() for value in values}
    groups = Counter(
        frozenset(dependent for dependent, values in wanted.items() if value not in values)
        for value in named
    )
    others = _size(parameters[name]) - len(named)
    if others:
        groups[dependents] += others
    return groups


def _size(domain: Domain) -> int:
    if domain.size is None:
        raise ValueError("a range without step has no size")
    return domain.size


def _too_interwoven() -> Problem:
    detail = "the conditions are too interwoven to count the combinations"
    hint = f"use fewer conditions, or a sampler: {', '.join(SAMPLERS)}"
    return Problem("/parameters", detail, Code.TOO_MANY, hint)
