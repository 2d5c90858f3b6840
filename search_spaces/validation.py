"""Whether a trainable can run a search space: its parameters, metrics and data, and the trials.

The trainable's parameters come as a JSON Schema (draft 2020-12), so this needs no trainable.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain, islice
from typing import Any

from search_spaces.capabilities import refusals
from search_spaces.domains import Choice, Constant, Domain, Range
from search_spaces.errors import (
    Code,
    Problem,
    SearchSpaceError,
    did_you_mean,
    pointer_to,
    raise_any,
)
from search_spaces.objectives import RESERVED_METRICS, Constraint
from search_spaces.population import population_problems
from search_spaces.schema import INTERVAL, Schema, described, resolved
from search_spaces.space import SearchSpace
from search_spaces.strategies import count
from search_spaces.values import Value, any_of, shown

#: A range under a schema that is no plain interval is checked value by value, up to this many.
_MOST_CHECKED_VALUES = 1000
_JSON_TYPES = {"int": "integer", "float": "number"}
_TYPE_FIXES = {
    "integer": 'write "type": "int" and whole numbers',
    "number": 'write "type": "float"',
}


@cache
def _validator() -> Any:
    """Return a validator class in which 1.0 is no integer, as in strict parameters."""
    # Importing jsonschema takes longer than the whole command line.
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    def is_int(_: object, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", is_int)
    return extend(Draft202012Validator, type_checker=types)  # type: ignore[no-untyped-call]


def check(
    space: SearchSpace,
    *,
    schema: Schema,
    metrics: Mapping[str, str],
    datasets: Collection[str],
    max_trials: int,
    lacking: Collection[str] = (),
    resumes: bool = True,
    changeable: Collection[str] | None = None,
    pointer: str = "",
    overridden: Collection[str] = (),
) -> None:
    """Raise :class:`SearchSpaceError` with every reason why ``space`` cannot be run as declared.

    ``schema`` is the JSON Schema of the trainable's parameters, ``metrics`` maps each metric that
    it reports to the split it is measured on, ``datasets`` are those that it takes. Every value
    that a domain can take must be valid. A metric of the "test" split is refused: selection never
    uses test data. So is one of a split that is ``lacking`` in the data set. What the strategy or
    the scheduler cannot do (:mod:`search_spaces.capabilities`) is refused, and a population where
    the trainable does not ``resume`` or no parameter is ``changeable`` while it trains (None: it
    does not say; :mod:`search_spaces.population`). The problems' pointers lie under ``pointer``,
    where the space was declared; those of the members at the pointers ``overridden``, which a job
    replaced, stay as they are.
    """
    problems = [
        *_parameter_problems(space.parameters, schema),
        *_all_metric_problems(space, metrics, lacking, overridden),
        *_limit_problems(space.constraints),
        *_dataset_problems(space.dataset, datasets),
        *_strategy_problems(space, max_trials),
        *refusals(space),
        *population_problems(space, resumes=resumes, changeable=changeable),
    ]
    raise_any(located(problems, pointer, overridden))


def located(
    problems: Iterable[Problem], pointer: str, overridden: Collection[str]
) -> Iterator[Problem]:
    """Yield the problems under ``pointer``, those of members ``overridden`` as they are."""
    for problem in problems:
        replaced = any(f"{problem.pointer}/".startswith(f"{root}/") for root in overridden)
        yield problem if replaced else problem.under(pointer)


def _all_metric_problems(
    space: SearchSpace,
    metrics: Mapping[str, str],
    lacking: Collection[str],
    overridden: Collection[str],
) -> Iterator[Problem]:
    """Yield what is wrong with each metric that decides something: an objective or a limit."""
    known = {**dict.fromkeys(RESERVED_METRICS, "none"), **metrics}
    listed = bool(space.secondary) or "/objectives" in overridden
    for index, objective in enumerate(space.objectives):
        pointer = f"/objectives/{index}/metric" if listed else "/metric"
        yield from _metric_problems(objective.metric, known, lacking, space.dataset, pointer)
    for index, constraint in enumerate(space.constraints):
        pointer = f"/constraints/{index}/metric"
        yield from _metric_problems(constraint.metric, known, lacking, space.dataset, pointer)


def _limit_problems(constraints: Iterable[Constraint]) -> Iterator[Problem]:
    """Yield each limit that no number can keep together with the earlier ones of its metric."""
    limits: dict[str, tuple[float, float]] = {}
    for index, constraint in enumerate(constraints):
        low, high = limits.get(constraint.metric, (-math.inf, math.inf))
        at_least = low if constraint.at_least is None else max(low, constraint.at_least)
        at_most = high if constraint.at_most is None else min(high, constraint.at_most)
        if at_least <= at_most:
            limits[constraint.metric] = at_least, at_most
            continue
        name = "at_most" if at_most < high else "at_least"
        detail = (
            f"no {shown(constraint.metric)} is at least {shown(at_least)} "
            f"and at most {shown(at_most)}, as the constraints ask together"
        )
        hint = "make at_least no larger than at_most, or leave one of them out"
        yield Problem(f"/constraints/{index}/{name}", detail, Code.OUT_OF_RANGE, hint)


def _metric_problems(
    metric: str,
    metrics: Mapping[str, str],
    lacking: Collection[str],
    dataset: str,
    pointer: str,
) -> Iterator[Problem]:
    unusable = {"test", *lacking}
    selecting = [name for name, split in metrics.items() if split not in unusable]
    if metric not in metrics:
        detail = f"the trainable reports no metric {shown(metric)}"
        hint = did_you_mean(metric, selecting)
        yield Problem(pointer, detail, Code.UNKNOWN_METRIC, hint)
    elif metrics[metric] in lacking and metrics[metric] != "test":
        detail = f"{metric} needs {metrics[metric]} rows, which data set {dataset} does not have"
        hint = f"use one of: {', '.join(selecting)}; or your own data with --split 0.6,0.2,0.2"
        yield Problem(pointer, detail, Code.NO_SUCH_ROWS, hint)
    elif metric not in selecting:
        detail = f"{metric} is measured on the test data, which never select a configuration"
        hint = f"use one of: {', '.join(selecting)}"
        yield Problem(pointer, detail, Code.TEST_METRIC, hint)


def _dataset_problems(dataset: str, datasets: Collection[str]) -> Iterator[Problem]:
    if dataset not in datasets:
        detail = f"the trainable takes no data set {shown(dataset)}"
        yield Problem("/dataset", detail, Code.UNKNOWN_DATASET, did_you_mean(dataset, datasets))


def _strategy_problems(space: SearchSpace, max_trials: int) -> Iterator[Problem]:
    if space.is_sampled and all(domain.size == 1 for domain in space.parameters.values()):
        detail = f"strategy {space.strategy} has nothing to vary: every parameter is constant"
        hint = "give a parameter several values or a range, or use strategy single"
        yield Problem("/strategy", detail, Code.NOTHING_TO_VARY, hint)
    try:
        trials = count(space) * space.repeats
    except SearchSpaceError as error:
        yield from error.problems
        return
    if trials > max_trials:
        pointer, hint = "/parameters", f"list fewer values, or draw up to {max_trials} by a sampler"
        if space.is_sampled:
            pointer, hint = "/trials", f"ask for at most {max_trials // space.repeats}"
        detail = f"the search has {shown(trials)} trials; at most {max_trials} are allowed"
        yield Problem(pointer, detail, Code.TOO_MANY_TRIALS, hint)


def _parameter_problems(parameters: Mapping[str, Domain], schema: Schema) -> Iterator[Problem]:
    known = schema.get("properties", {})
    for name, domain in parameters.items():
        pointer = pointer_to("parameters", name)
        if name in known:
            rule = _Rule(name, known[name], schema.get("$defs", {}))
            yield from rule.domain_problems(domain, pointer)
        elif not schema.get("additionalProperties", True):
            detail = f"the trainable has no parameter {shown(name)}"
            yield Problem(pointer, detail, Code.UNKNOWN_PARAMETER, did_you_mean(name, known))
    for name in schema.get("required", ()):
        if name not in parameters or parameters[name].when:
            detail = f"the trainable always needs the parameter {name}"
            hint = f"declare {name} without conditions"
            yield Problem(pointer_to("parameters", name), detail, Code.MISSING, hint)


@dataclass(frozen=True, slots=True)
class _Rule:
    """The JSON Schema of one parameter; ``definitions`` are those that it may refer to."""

    name: str
    schema: Schema
    definitions: Schema

    def domain_problems(self, domain: Domain, pointer: str) -> Iterator[Problem]:
        """Yield what makes a value of ``domain`` invalid."""
        match domain:
            case Constant():
                wrapped = isinstance(domain.to_json(), dict)
                yield from self._value_problems(domain.value, pointer + "/value" * wrapped)
            case Choice():
                for index, value in enumerate(domain.values):
                    yield from self._value_problems(value, f"{pointer}/values/{index}")
            case Range():
                yield from self._range_problems(domain, pointer)

    def _range_problems(self, domain: Range, pointer: str) -> Iterator[Problem]:
        schema = resolved(self.schema, self.definitions)
        takes = schema.get("type", _JSON_TYPES[domain.type])
        if schema.keys() == {"anyOf"}:
            branches = (replace(self, schema=branch) for branch in schema["anyOf"])
            attempts = [list(branch._range_problems(domain, pointer)) for branch in branches]
            yield from min(attempts, key=len)
        elif takes != _JSON_TYPES[domain.type]:
            detail = f"{self.name} takes {self._described()}, not a range of type {domain.type}"
            hint = _TYPE_FIXES.get(takes, 'list the values: {"values": [...]}')
            yield Problem(pointer + "/type", detail, Code.INVALID_VALUE, hint)
        elif schema.keys() <= INTERVAL:
            yield from self._value_problems(domain.low, pointer + "/low")
            if domain.high != domain.low:
                yield from self._value_problems(domain.high, pointer + "/high")
        elif domain.size is not None and domain.size <= _MOST_CHECKED_VALUES:
            wrong = chain.from_iterable(self._value_problems(v, pointer) for v in domain.listed())
            yield from islice(wrong, 1)
        else:
            detail = f"{self.name} takes {self._described()}, not all numbers of the range"
            hint = 'list them: {"values": [...]}'
            yield Problem(pointer, detail, Code.INVALID_VALUE, hint)

    def _value_problems(self, value: Value, pointer: str) -> Iterator[Problem]:
        schema, kind = {**self.schema, "$defs": self.definitions}, _validator()
        if not kind(schema, format_checker=kind.FORMAT_CHECKER).is_valid(value):
            options = resolved(self.schema, self.definitions).get("enum")
            hint = any_of(options, value) if options else f"{self.name} takes {self._described()}"
            detail = f"{shown(value)} is not valid for {self.name}"
            yield Problem(pointer, detail, Code.INVALID_VALUE, hint)

    def _described(self) -> str:
        return described(self.schema, self.definitions)
