"""The JSON Schema (draft 2020-12) of a trainable's parameters: references, and rules in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from search_spaces.values import shown

Schema = Mapping[str, Any]

_NOUNS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}
_LIMITS = {
    "exclusiveMinimum": "greater than {}",
    "minimum": "at least {}",
    "exclusiveMaximum": "less than {}",
    "maximum": "at most {}",
    "multipleOf": "divisible by {}",
    "pattern": "matching the pattern {}",
    "minLength": "at least {} long",
    "maxLength": "at most {} long",
    "minItems": "at least {} long",
    "maxItems": "at most {} long",
    "uniqueItems": "without duplicates",
    "format": "in the format {}",
}
_ANNOTATIONS = {"title", "description", "default", "examples", "deprecated"}
#: Rules of a number that hold for a whole range if they hold for its ends.
INTERVAL = {"type", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"}
_WORDED = {"type", "enum", "const", "anyOf", "oneOf", "items", "prefixItems", "$defs", *_LIMITS}


def resolved(rule: Schema, definitions: Schema) -> Schema:
    """Return ``rule`` without annotations, or what it refers to in ``definitions``."""
    while "$ref" in rule:
        rule = definitions[rule["$ref"].removeprefix("#/$defs/")]
    return {key: value for key, value in rule.items() if key not in _ANNOTATIONS}


def described(rule: Schema, definitions: Schema) -> str:
    """Return in words which values ``rule`` accepts: "a number greater than 0 and at most 1"."""
    rule = resolved(rule, definitions)
    if "enum" in rule:
        return "one of " + ", ".join(map(shown, rule["enum"]))
    if "const" in rule:
        return shown(rule["const"])
    branches = rule.get("anyOf") or rule.get("oneOf")
    if branches:
        return " or ".join(described(branch, definitions) for branch in branches)
    limits = [text.format(shown(rule[key])) for key, text in _LIMITS.items() if key in rule]
    if isinstance(rule.get("items"), Mapping) and rule["items"]:
        limits.append(f"with each entry {described(rule['items'], definitions)}")
    if entries := rule.get("prefixItems"):
        limits.append(f"of {' then '.join(described(e, definitions) for e in entries)}")
    limits += [f"as its rule {key} asks" for key in rule if key not in _WORDED]
    noun = _NOUNS.get(str(rule.get("type")), "a value")
    return f"{noun} {' and '.join(limits)}".strip()
