"""Reads and writes the part of YAML that a declared space needs; knows each member's line.

Scalars follow the core schema of YAML 1.2 (section 10.3.2), so that ``1e-3`` is a number and
``on`` is text, as in JSON. Aliases, tags, duplicate keys, keys that are not text and deep nesting
are refused, which leaves no way to make a small file large.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError
from yaml.error import MarkedYAMLError
from yaml.reader import ReaderError

from search_spaces.errors import YamlError, pointer_to
from search_spaces.values import shown

LARGEST_TEXT = 64 * 1024
_DEEPEST = 20
_MOST_DIGITS = 100


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML text as JSON values, and the line (from 1) of each member by JSON pointer."""

    value: Any
    lines: Mapping[str, int]

    def line(self, pointer: str) -> int:
        """Return the line of the member at ``pointer``, or of the nearest one that holds it."""
        while pointer not in self.lines and pointer:
            pointer = pointer.rpartition("/")[0]
        return self.lines.get(pointer, 1)


def load_yaml(text: str) -> Document:
    """Return what ``text`` holds; raise :class:`YamlError`, which names the line, if it cannot."""
    if len(text) > LARGEST_TEXT:
        hint = f"use at most {LARGEST_TEXT} characters"
        raise YamlError(f"a text of {len(text)} characters is too long", hint)
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        value = None if node is None else loader.construct_document(node)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        raise YamlError(str(error.problem or error.context), "correct this line", line) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        detail = f"YAML does not allow the character U+{error.character:04X}"
        raise YamlError(detail, "remove it", line) from None
    return Document(value, {} if node is None else dict(_lines(node, "", 1)))


def dump_yaml(value: Any) -> str:
    """Return JSON values as YAML; :func:`load_yaml` reads equal ones from it."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def _lines(node: yaml.Node, pointer: str, line: int) -> Iterator[tuple[str, int]]:
    yield pointer, line
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _lines(value, pointer + pointer_to(key.value), key.start_mark.line + 1)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, pointer + pointer_to(index), value.start_mark.line + 1)


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, with fewer features and the scalars of YAML 1.2."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node, unless it is an alias, is tagged or lies too deep."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise ComposerError(None, None, "anchors and aliases are not read", event.start_mark)
        if event.tag:
            raise ComposerError(None, None, "tags are not read", event.start_mark)
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ComposerError(None, None, "the nesting is too deep", event.start_mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        """Construct a mapping, unless a key is no text or comes twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            _make_text(key)
            if key.tag != _TAG + "str":
                problem = "a key is not text: put it in quotes"
                raise ConstructorError(None, None, problem, key.start_mark)
            if key.value in seen:
                problem = f"the key {shown(key.value)} comes twice"
                raise ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)

    def construct_decimal(self, node: yaml.ScalarNode) -> int:
        """Construct a whole number; Python itself refuses to read thousands of digits."""
        if len(node.value) > _MOST_DIGITS:
            problem = f"a number of {len(node.value)} digits is too long"
            raise ConstructorError(None, None, problem, node.start_mark)
        return int(node.value)


def _make_text(key: yaml.Node) -> None:
    """Make a key that YAML reads as true, false, null or a number the text that JSON has there."""
    if key.tag in (_TAG + "bool", _TAG + "null"):
        key.value, key.tag = _WORDS[key.value.lower()], _TAG + "str"
    elif key.tag in (_TAG + "int", _TAG + "float"):
        key.tag = _TAG + "str"


class _Dumper(yaml.SafeDumper):
    """PyYAML's safe dumper, which also quotes texts that YAML 1.2 takes for numbers: ``1e-3``."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        """Write a list that comes twice twice: aliases are not read."""
        return True


_WORDS = {"true": "true", "false": "false", "null": "null", "~": "null", "": "null"}
_TAG = "tag:yaml.org,2002:"
_SCALARS = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?[0-9]+", list("-+0123456789")),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
}
_Loader.yaml_implicit_resolvers = {}
for _name, (_pattern, _first) in _SCALARS.items():
    for _reader_or_writer in (_Loader, _Dumper):
        _resolver = re.compile(f"(?:{_pattern})\\Z")
        _reader_or_writer.add_implicit_resolver(_TAG + _name, _resolver, _first)
_Loader.add_constructor(_TAG + "int", _Loader.construct_decimal)
