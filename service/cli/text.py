"""Values from the server as text for a terminal; only the standard library is imported."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from results.formatting import parameter_value

#: Shown in a table where a mapping lacks the column's name; null is shown as ``null``.
ABSENT = "-"


def clean(text: str) -> str:
    r"""Return ``text`` with control characters written out (ESC as ``\x1b``).

    A job's name or an error's message must not be able to drive somebody's terminal.
    """
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode()
        for char in text
    )


def setting(value: Any) -> str:
    """Return a parameter's value; a text that looks like another value is quoted."""
    if isinstance(value, str) and (value in ("", ABSENT) or _is_json(value)):
        return json.dumps(value)
    return clean(parameter_value(value)).replace("\n", " ")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def cells(
    values: Mapping[str, Any], names: Iterable[str], write: Callable[[Any], str]
) -> list[str]:
    """Return the values called ``names`` as ``write`` shows them, ``-`` where there is none."""
    return [write(values[name]) if name in values else ABSENT for name in names]


def pairs(values: Mapping[str, Any], write: Callable[[Any], str]) -> str:
    """Return ``a=1 b=2``, the values as ``write`` shows them."""
    return " ".join(f"{clean(name)}={write(value)}" for name, value in values.items())


def size(count: float) -> str:
    """Return a number of bytes as ``30.9 MB`` (powers of 1000)."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
