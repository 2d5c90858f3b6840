"""Numbers, times and strings as people read them; nothing is imported but the standard library."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def clean(text: str) -> str:
    r"""Return ``text`` with control characters written out (ESC as ``\x1b``).

    A job's name or an error's message must not be able to drive somebody's terminal.
    """
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode()
        for char in text
    )


def number(value: Any) -> str:
    """Return a metric or parameter value briefly: six significant digits, ``-`` for None."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (dict, list)):
        return clean(json.dumps(value, ensure_ascii=False))
    return clean(str(value)).replace("\n", " ")


def pairs(values: Mapping[str, Any]) -> str:
    """Return ``a=1 b=2`` for a mapping."""
    return " ".join(f"{clean(name)}={number(value)}" for name, value in values.items())


def duration(seconds: float) -> str:
    """Return seconds as ``4.2 s``, ``3 min 05 s`` or ``2 h 07 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def moment(iso: str | None) -> str:
    """Return an ISO 8601 time in UTC as ``2026-11-23 17:46:05 UTC``, ``-`` for None."""
    if iso is None:
        return "-"
    day, _, rest = iso.partition("T")
    return f"{day} {rest[:8]} UTC" if rest else iso


def size(count: float) -> str:
    """Return a number of bytes as ``30.9 MB`` (powers of 1000)."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
