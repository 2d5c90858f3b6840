"""Which parameters the trials of a population change, and how a copy's values are chosen.

Population-based training (Jaderberg et al., "Population Based Training of Neural Networks", 2017,
arXiv:1711.09846): a trial that goes on from another one's state explores values near the other's.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from random import Random

from search_spaces.configuration import Configuration, configuration_of
from search_spaces.domains import Choice, Constant, Domain, Range
from search_spaces.errors import Code, Problem, did_you_mean, pointer_to
from search_spaces.scheduling import Scheduler
from search_spaces.space import SearchSpace
from search_spaces.strategies import count_distinct
from search_spaces.values import Value, is_number, same, shown


def changing(space: SearchSpace, changeable: Collection[str] | None) -> tuple[str, ...]:
    """Return the parameters that a population changes, in the space's order.

    These are the scheduler's, or all that vary and that are ``changeable``: those that the
    trainable lets change while it trains, None where it does not say.
    """
    named = space.scheduler.perturb
    wanted = changeable or () if named is None else named
    return tuple(name for name in _varied(space) if name in wanted)


def _varied(space: SearchSpace) -> list[str]:
    return [name for name, domain in space.parameters.items() if domain.size != 1]


def population_problems(
    space: SearchSpace, *, resumes: bool, changeable: Collection[str] | None
) -> Iterator[Problem]:
    """Yield why the space's trainable cannot train a population, where its scheduler asks for one.

    ``resumes`` says whether the trainable goes on from a state.
    """
    if not space.scheduler.is_population:
        return
    name, trainable = space.scheduler.name, space.trainable
    if not resumes:
        detail = f"{name} hands the state of one trial to another, and {trainable} cannot resume"
        hint = "use asha or median, or let the trainable resume (see docs/states.md)"
        yield Problem("/scheduler", detail, Code.NOT_APPLICABLE, hint)
    distinct, population = count_distinct(space), space.scheduler.population
    if distinct is not None and distinct < population:
        detail = f"the population has {population} trials, and there are only {distinct} different"
        hint = f"use a population of at most {distinct}, or more values"
        pointer = "/scheduler/population"
        yield Problem(pointer, f"{detail} configurations", Code.TOO_MANY_TRIALS, hint)
    problems = list(_name_problems(space, changeable))
    yield from problems
    if not problems:
        yield from _dependence_problems(space, changing(space, changeable))


def _name_problems(space: SearchSpace, changeable: Collection[str] | None) -> Iterator[Problem]:
    """Yield what is wrong with the parameters that are to change, or that none can."""
    names, trainable, varied = space.scheduler.perturb, space.trainable, _varied(space)
    able = [name for name in varied if changeable is None or name in changeable]
    if names is None and changeable is None:
        detail = "a program does not say which parameters may change while it trains"
        hint = 'name them: "perturb": ["learning_rate"]'
        yield Problem("/scheduler/perturb", detail, Code.MISSING, hint)
    elif names is None and not able:
        detail = f"no parameter that varies may change while {trainable} trains"
        hint = f"vary one of: {', '.join(sorted(changeable or ())) or 'none may change'}"
        yield Problem("/scheduler", detail, Code.NOTHING_TO_VARY, hint)
    for index, name in enumerate(names or ()):
        pointer = pointer_to("scheduler", "perturb", index)
        if name not in space.parameters:
            detail = f"the space has no parameter {shown(name)}"
            yield Problem(pointer, detail, Code.UNKNOWN_PARAMETER, did_you_mean(name, able))
        elif name not in varied:
            detail = f"{name} has one value: there is nothing to change"
            yield Problem(pointer, detail, Code.NOTHING_TO_VARY, "leave it out, or let it vary")
        elif name not in able:
            detail = f"{name} may not change while {trainable} trains: its state would not fit"
            hint = f"leave it out; these may: {', '.join(able) or 'none of those that vary'}"
            yield Problem(pointer, detail, Code.NOT_APPLICABLE, hint)


def _dependence_problems(space: SearchSpace, names: Sequence[str]) -> Iterator[Problem]:
    """Yield the parameters that stay as they are, but would come and go with one that changes."""
    for name, domain in space.parameters.items():
        for parent in domain.when:
            if parent in names and name not in names:
                detail = f"{name} depends on {parent}, which changes during training"
                hint = f"leave {parent} out of the scheduler's perturb, or the condition out"
                pointer = pointer_to("parameters", name, "when", parent)
                yield Problem(pointer, detail, Code.NOT_APPLICABLE, hint)


def explored(
    space: SearchSpace, parameters: Mapping[str, Value], names: Collection[str], random: Random
) -> Configuration:
    """Return the configuration of a copy of a trial with these ``parameters``.

    The parameters ``names`` are perturbed or drawn anew as the space's scheduler says, the others
    are the trial's. One that exists only beside the new values is drawn.
    """

    def choose(name: str, domain: Domain) -> Value:
        if name not in parameters:
            return drawn(domain, random)
        if name not in names:
            return parameters[name]
        return _explored(domain, parameters[name], space.scheduler, random)

    return configuration_of(space.parameters, choose)


def drawn(domain: Domain, random: Random) -> Value:
    """Return a value of the domain, evenly drawn, on its logarithmic scale if it has one."""
    if not isinstance(domain, Range):
        return random.choice(domain.values)
    # A value with a spacing stands for all numbers that are nearest to it.
    half = 0.5 * (domain.step or (1.0 if domain.type == "int" else 0.0))
    low, high = domain.low - half, domain.high + half
    if domain.log:
        return domain.nearest(math.exp(random.uniform(math.log(low), math.log(high))))
    return domain.nearest(random.uniform(low, high))


def _explored(domain: Domain, value: Value, how: Scheduler, random: Random) -> Value:
    if random.random() < how.resample_probability:
        return drawn(domain, random)
    factor = random.choice(how.perturbation)
    match domain:
        case Constant():
            return value
        case Choice():
            return _neighbour(domain, value, 1 if factor > 1 else -1, random)
        case Range():
            return _multiplied(domain, float(value), factor)  # type: ignore[arg-type]


def _multiplied(domain: Range, value: float, factor: float) -> Value:
    """Return the value times the factor; where that rounds to the value, the next one."""
    found = domain.nearest(value * factor)
    step = domain.step or (1 if domain.type == "int" else 0)
    if found == value and step:
        found = domain.nearest(value + math.copysign(step, value * factor - value))
    return found


def _neighbour(domain: Choice, value: Value, way: int, random: Random) -> Value:
    """Return the next larger or smaller of numbers, of other values any one."""
    if not all(is_number(listed) for listed in domain.values):
        return random.choice(domain.values)
    ordered = sorted(domain.values)  # type: ignore[type-var]
    at = next(index for index, listed in enumerate(ordered) if same(listed, value))
    return ordered[min(max(at + way, 0), len(ordered) - 1)]
