"""The JSON Schema of a function's parameters, as the function's owner sends it.

It is made of what :mod:`search_spaces.validation` understands: references are replaced by what they
name, so that none is missing or endless, and keywords that are not checked here are left out (the
function's own model checks them).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from search_spaces.errors import Code, Problem, SearchSpaceError, pointer_to
from search_spaces.values import is_number, wrong_type

MOST_RULES = 2000
_DEEPEST = 8
_TYPES = ("integer", "number", "string", "boolean", "null", "array", "object")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_text(value: object) -> bool:
    return isinstance(value, str)


#: Keywords that are kept as they are, and what their values must be.
_PLAIN: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "type": (lambda value: value in _TYPES, f"one of {', '.join(_TYPES)}"),
    "enum": (lambda value: isinstance(value, list) and value != [], "a list of values"),
    "const": (lambda _: True, "any value"),
    "default": (lambda _: True, "any value"),
    "title": (_is_text, "text"),
    "description": (_is_text, "text"),
    "minimum": (is_number, "a number"),
    "maximum": (is_number, "a number"),
    "exclusiveMinimum": (is_number, "a number"),
    "exclusiveMaximum": (is_number, "a number"),
    "multipleOf": (lambda value: is_number(value) and value > 0, "a number above 0"),
    "minLength": (_is_count, "a whole number"),
    "maxLength": (_is_count, "a whole number"),
    "minItems": (_is_count, "a whole number"),
    "maxItems": (_is_count, "a whole number"),
    "uniqueItems": (lambda value: isinstance(value, bool), "true or false"),
}


def read_schema(raw: object, pointer: str) -> dict[str, Any]:
    """Return the schema of an object's members that ``raw`` is, without references.

    Raises :class:`SearchSpaceError` with the first problem, at a pointer under ``pointer``.
    """
    schema = _mapping(raw, pointer)
    properties = _mapping(schema.get("properties", {}), f"{pointer}/properties")
    reading = _Reading(_mapping(schema.get("$defs", {}), f"{pointer}/$defs"))
    rules = {
        name: reading.rule(rule, f"{pointer}/properties{pointer_to(name)}", 0)
        for name, rule in properties.items()
    }
    required = schema.get("required", [])
    if not isinstance(required, list) or not set(map(str, required)) <= rules.keys():
        raise _wrong(f"{pointer}/required", required, "a list of names of properties")
    is_open = schema.get("additionalProperties", True)
    return {
        "type": "object",
        "properties": rules,
        "required": required,
        "additionalProperties": is_open is not False,
    }


class _Reading:
    """Reads the rules of one schema, with its definitions."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions, self._rules = definitions, 0

    def rule(self, raw: object, pointer: str, depth: int) -> dict[str, Any]:
        """Return one rule, what it refers to included."""
        self._rules += 1
        if depth > _DEEPEST or self._rules > MOST_RULES:
            detail = "the schema has too many rules, or one that refers to itself"
            hint = "leave parameters_schema out: the function checks its parameters itself"
            raise SearchSpaceError([Problem(pointer, detail, Code.TOO_MANY, hint)])
        rule = _mapping(raw, pointer)
        if "$ref" in rule:
            rest = {key: value for key, value in rule.items() if key != "$ref"}
            rule = {**_mapping(self._definition(rule["$ref"], pointer), pointer), **rest}
            if "$ref" in rule:
                return self.rule(rule, pointer, depth + 1)
        read: dict[str, Any] = {}
        for key, value in rule.items():
            place = f"{pointer}/{key}"
            if key in _PLAIN:
                is_right, wanted = _PLAIN[key]
                if not is_right(value):
                    raise _wrong(place, value, wanted)
                read[key] = value
            elif key in ("anyOf", "oneOf", "prefixItems") and isinstance(value, list) and value:
                read[key] = [
                    self.rule(entry, f"{place}/{index}", depth + 1)
                    for index, entry in enumerate(value)
                ]
            elif key == "items" and isinstance(value, Mapping):
                read[key] = self.rule(value, place, depth + 1)
        return read

    def _definition(self, reference: object, pointer: str) -> object:
        name = str(reference).removeprefix("#/$defs/")
        if name not in self._definitions:
            raise _wrong(f"{pointer}/$ref", reference, "one of those in $defs")
        return self._definitions[name]


def _mapping(value: object, pointer: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(pointer, value, "a JSON Schema, as an object")
    return value


def _wrong(pointer: str, value: object, wanted: str) -> SearchSpaceError:
    return SearchSpaceError([wrong_type(pointer, value, wanted)])
