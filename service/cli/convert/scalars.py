"""Values that other systems write as text."""

from __future__ import annotations

from typing import Any

from search_spaces import is_number
from search_spaces.errors import YamlError
from search_spaces.yaml_files import load_yaml


def scalar(text: Any) -> Any:
    """Return what a text stands for in YAML: "0.01" is a number; other values are left as is."""
    if not isinstance(text, str):
        return text
    try:
        return load_yaml(text).value
    except YamlError:
        return text


def number(text: Any) -> float | None:
    """Return the number that a text stands for, None if it is none."""
    value = scalar(text)
    return value if is_number(value) else None
