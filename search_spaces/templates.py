"""The small language of a command's arguments: ``{name}`` is a placeholder, ``{{`` a brace."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_PART = re.compile(r"(?P<brace>\{\{|\}\})|\{(?P<name>[^{}]*)\}|(?P<lone>[{}])|(?P<text>[^{}]+)")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A ``{name}`` in a text."""

    name: str


def parts(text: str) -> Iterator[str | Placeholder]:
    """Yield the literal texts and the placeholders of ``text``, in order.

    Raises ``ValueError`` where a brace is neither doubled nor half of a placeholder.
    """
    for found in _PART.finditer(text):
        if found["lone"]:
            raise ValueError(f"a single {found['lone']} at position {found.start()}")
        if found["brace"]:
            yield found["brace"][0]
        elif found["text"]:
            yield found["text"]
        else:
            yield Placeholder(found["name"])


def names(text: str) -> tuple[str, ...]:
    """Return the names of the placeholders of ``text``; raise as :func:`parts`."""
    return tuple(part.name for part in parts(text) if isinstance(part, Placeholder))


def filled(text: str, value: Callable[[str], str]) -> str:
    """Return ``text`` with ``value(name)`` for each placeholder; raise as :func:`parts`."""
    return "".join(p if isinstance(p, str) else value(p.name) for p in parts(text))


def whole(text: str) -> str | None:
    """Return the name of the placeholder that is all of ``text``, or None."""
    found = list(parts(text))
    match found:
        case [Placeholder(name)]:
            return name
    return None
