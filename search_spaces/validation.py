"""Whether a trainable can run a search space: its parameters, metrics and data, and the trials.

The trainable's parameters come as a JSON Schema (draft 2020-12), so this needs no trainable.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Literal

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from search_spaces.domains import Choice, Constant, Domain, Range
from search_spaces.errors import (
    Code,
    Problem,
    SearchSpaceError,
    did_you_mean,
    pointer_to,
    raise_any,
)
from search_spaces.scalars import Scalar, shown
from search_spaces.space import SearchSpace
from search_spaces.strategies import count, listing_problems

Schema = Mapping[str, Any]

#: A range under a schema that is no plain interval is checked value by value, up to this many.
_MOST_CHECKED_VALUES = 1000
_INTERVAL = {"type", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"}
_JSON_TYPES = {"int": "integer", "float": "number"}
_TYPE_FIXES = {
    "integer": 'write "type": "int" and whole numbers',
    "number": 'write "type": "float"',
}
_ANNOTATIONS = {"title", "description", "default", "examples", "deprecated"}


def _is_int(_: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# JSON Schema counts 1.0 among the integers; a trainable's strict parameters do not.
_Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_int),
)


def check(
    space: SearchSpace,
    *,
    schema: Schema,
    metrics: Mapping[str, str],
    datasets: Collection[str],
    max_trials: int,
    pointer: str = "",
    overridden: Collection[str] = (),
) -> None:
    """Raise :class:`SearchSpaceError` with every reason why ``space`` cannot be run as declared.

    ``schema`` is the JSON Schema of the trainable's parameters, ``metrics`` maps each metric that
    it reports to the split it is measured on, ``datasets`` are those that it takes. Every value
    that a domain can take must be valid. A metric of the "test" split is refused: selection never
    uses test data. The problems' pointers lie under ``pointer``, where the space was declared, but
    for the members at the pointers ``overridden``, which came from outside the space.
    """
    problems = [
        *_parameter_problems(space.parameters, schema),
        *_metric_problems(space.metric, metrics),
        *_dataset_problems(space.dataset, datasets),
        *_strategy_problems(space, max_trials),
    ]
    raise_any(p if _lies_under(p.pointer, overridden) else p.under(pointer) for p in problems)


def _lies_under(pointer: str, roots: Collection[str]) -> bool:
    return any(pointer == root or pointer.startswith(root + "/") for root in roots)


def _metric_problems(metric: str, metrics: Mapping[str, str]) -> Iterator[Problem]:
    selecting = [name for name, split in metrics.items() if split != "test"]
    if metric not in metrics:
        detail = f"the trainable reports no metric {shown(metric)}"
        hint = did_you_mean(metric, selecting)
        yield Problem("/metric", detail, Code.UNKNOWN_METRIC, hint)
    elif metric not in selecting:
        detail = f"{metric} is measured on the test data, which never select a configuration"
        hint = f"use one of: {', '.join(selecting)}"
        yield Problem("/metric", detail, Code.TEST_METRIC, hint)


def _dataset_problems(dataset: str, datasets: Collection[str]) -> Iterator[Problem]:
    if dataset not in datasets:
        detail = f"the trainable takes no data set {shown(dataset)}"
        yield Problem("/dataset", detail, Code.UNKNOWN_DATASET, did_you_mean(dataset, datasets))


def _strategy_problems(space: SearchSpace, max_trials: int) -> Iterator[Problem]:
    if space.is_sampled:
        if all(domain.size == 1 for domain in space.parameters.values()):
            detail = f"strategy {space.strategy} has nothing to vary: every parameter is constant"
            hint = "give a parameter several values or a range, or use strategy single"
            yield Problem("/strategy", detail, Code.NOTHING_TO_VARY, hint)
    elif unlistable := list(listing_problems(space)):
        yield from unlistable
        return
    try:
        trials = count(space)
    except SearchSpaceError as error:
        yield from error.problems
        return
    if trials > max_trials:
        pointer, fix = (
            ("/trials", f"ask for at most {max_trials}")
            if space.is_sampled
            else ("/parameters", f"list fewer values, or draw up to {max_trials} with a sampler")
        )
        detail = f"the search has {shown(trials)} trials; at most {max_trials} are allowed"
        yield Problem(pointer, detail, Code.TOO_MANY_TRIALS, fix)


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
    """What the JSON Schema says of one parameter; ``definitions`` are those it may refer to."""

    name: str
    schema: Schema
    definitions: Schema

    def domain_problems(self, domain: Domain, pointer: str) -> Iterator[Problem]:
        """Yield what makes a value of ``domain`` invalid."""
        match domain:
            case Constant(when=when):
                yield from self._value_problems(
                    domain.value, pointer + "/value" if when else pointer
                )
            case Choice():
                for index, value in enumerate(domain.values):
                    yield from self._value_problems(value, f"{pointer}/values/{index}")
            case Range():
                yield from self._range_problems(domain, pointer)

    def _range_problems(self, domain: Range, pointer: str) -> Iterator[Problem]:
        schema = self._resolved()
        if schema.keys() <= {"anyOf"} | _ANNOTATIONS and "anyOf" in schema:
            attempts = [
                list(self._for(branch)._range_problems(domain, pointer))
                for branch in schema["anyOf"]
            ]
            yield from min(attempts, key=len)
        elif not _accepts(schema, domain.type):
            detail = f"{self.name} takes {_described(schema)}, not a range of type {domain.type}"
            hint = _TYPE_FIXES.get(str(schema["type"]), 'list the values: {"values": [...]}')
            yield Problem(pointer + "/type", detail, Code.INVALID_VALUE, hint)
        elif schema.keys() <= _INTERVAL | _ANNOTATIONS:
            yield from self._value_problems(domain.low, pointer + "/low")
            if domain.high != domain.low:
                yield from self._value_problems(domain.high, pointer + "/high")
        elif domain.size is not None and domain.size <= _MOST_CHECKED_VALUES:
            wrong = chain.from_iterable(self._value_problems(v, pointer) for v in domain.listed())
            yield from islice(wrong, 1)
        else:
            detail = f"{self.name} takes only some of the numbers of a range"
            hint = 'list them: {"values": [...]}'
            yield Problem(pointer, detail, Code.INVALID_VALUE, hint)

    def _value_problems(self, value: Scalar, pointer: str) -> Iterator[Problem]:
        error: ValidationError | None = next(self._validator().iter_errors(value), None)
        if error is not None:
            schema = self._resolved()
            detail = f"{shown(value)} is not valid for {self.name}"
            hint = f"{self.name} takes {_described(schema)}"
            options = [option for option in schema.get("enum", ()) if isinstance(option, str)]
            if isinstance(value, str) and options:
                hint = did_you_mean(value, options)
            yield Problem(pointer, detail, Code.INVALID_VALUE, hint)

    def _validator(self) -> Any:
        return _Validator({**self.schema, "$defs": self.definitions})

    def _resolved(self) -> Schema:
        """Return the schema, or what it refers to in the definitions."""
        schema = self.schema
        while "$ref" in schema:
            schema = self.definitions[schema["$ref"].removeprefix("#/$defs/")]
        return schema

    def _for(self, schema: Schema) -> _Rule:
        return _Rule(self.name, schema, self.definitions)


def _accepts(schema: Schema, kind: Literal["int", "float"]) -> bool:
    """Whether a range of that type fits the schema's type, as far as it states one."""
    return "type" not in schema or schema["type"] == _JSON_TYPES[kind]


def _described(schema: Schema) -> str:
    """Return in words what a schema of one value accepts."""
    if "enum" in schema:
        return "one of " + ", ".join(map(shown, schema["enum"]))
    if "anyOf" in schema:
        return " or ".join(map(_described, schema["anyOf"]))
    nouns = {"integer": "a whole number", "number": "a number", "string": "text"}
    nouns |= {"boolean": "true or false", "null": "null"}
    noun = nouns.get(str(schema.get("type")), "other values")
    words = {
        "exclusiveMinimum": "greater than",
        "minimum": "at least",
        "exclusiveMaximum": "less than",
        "maximum": "at most",
    }
    limits = [f"{text} {schema[key]}" for key, text in words.items() if key in schema]
    return " ".join([noun, " and ".join(limits)]).strip()
