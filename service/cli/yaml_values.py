"""YAML as people mean it on a command line: the scalars of YAML 1.2's core schema.

PyYAML reads YAML 1.1, where ``1e-3`` is a string, ``no`` a boolean, ``1:30`` ninety and
``2026-01-01`` a date. Here a number is what JSON takes for one, only ``true`` and ``false`` are
booleans, and a key given twice is refused (YAML 1.2.2, sections 10.3.2 and 3.2.1.3).
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml


class BadYaml(ValueError):
    """The text is not YAML, has a key twice, or holds what JSON cannot say."""


class _Loader(yaml.SafeLoader):
    """SafeLoader with the core schema's scalars in place of YAML 1.1's."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        """Build a mapping; refuse a key that is there twice."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for position, key in enumerate(keys):
            if key in keys[:position]:
                line = node.value[position][0].start_mark.line + 1
                raise BadYaml(f"line {line}: the key {key!r} is there twice")
        return super().construct_mapping(node, deep)


#: Tag, pattern and first characters of each scalar that is not a string.
_SCALARS = (
    ("null", r"~|null|Null|NULL|", ("~", "n", "N", "")),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)",
        "-+.0123456789",
    ),
)
for _tag, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first)
    )


def parse(text: str) -> Any:
    """Return the value of a YAML (or JSON) document; raise :class:`BadYaml` for another text."""
    try:
        value = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
        json.dumps(value, allow_nan=False)
    except BadYaml:
        raise
    except yaml.MarkedYAMLError as error:
        where = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise BadYaml(f"{where}{error.problem or error}") from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise BadYaml(str(error)) from error
    return value
