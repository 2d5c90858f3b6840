"""Numbers, durations, times and parameter values as text, the same for every reader.

The command line, reports, plots and the hand-in call these functions; the web page has a twin in
JavaScript. Only the standard library is imported.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

#: What formulas of a spreadsheet begin with.
FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")


def number(value: float | None, digits: int = 4) -> str:
    """Return a measured value with ``digits`` significant digits, ``n/a`` if it is not finite.

    From 0.01 to 10 it has ``digits`` decimals, so that figures stand in columns. Whole digits are
    never rounded, and there is an exponent only below 0.0001 and from 1,000,000 on.
    """
    if value is None or not math.isfinite(value):
        return "n/a"
    size = abs(value)
    if 0.01 <= size < 10:
        return f"{value:.{digits}f}"
    text = f"{value:.{digits}g}"
    return f"{value:.0f}" if "e+" in text and size < 1e6 else text


def mean_text(mean: float | None, deviation: float | None, n: int) -> str:
    """Return a mean with its standard deviation, ``0.8812 ± 0.0031 (n = 3)``; plain for n = 1."""
    if n < 2:
        return number(mean)
    return f"{number(mean)} ± {number(deviation)} (n = {n})"


def parameter_value(value: Any) -> str:
    """Return a parameter's value: floats with six significant digits, the rest as in JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:g}"
    return json.dumps(value, ensure_ascii=False)


def duration(seconds: float) -> str:
    """Return seconds in one or two units: ``0.8 s``, ``42 s``, ``2 min 05 s``, ``3 d 04 h``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if (whole := _rounded(seconds)) < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if (minutes := _rounded(seconds / 60)) < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    hours = _rounded(seconds / 3600)
    return f"{hours // 24} d {hours % 24:02d} h"


def _rounded(value: float) -> int:
    return math.floor(value + 0.5)  # halves up, as the page's JavaScript rounds


def moment(time: datetime | str | None) -> str:
    """Return a time in UTC to the minute: ``2026-11-28 09:41 UTC``; empty for None.

    A text is read as ISO 8601.
    """
    if time is None:
        return ""
    parsed = datetime.fromisoformat(time) if isinstance(time, str) else time
    return f"{parsed.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def count(amount: int, noun: str) -> str:
    """Return an amount with its noun: ``1 trial``, ``7 trials``."""
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"
