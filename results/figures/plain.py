"""Plotly's JSON as plain values whose texts are shown as they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from numpy import generic, ndarray

#: The members whose texts a figure shows. Plotly reads a part of HTML in them, links included.
_SHOWN = frozenset({"x", "y", "name", "text", "ticktext", "categoryarray"})
#: Characters of a text that is shown; the names of parameters and values may have hundreds.
_MOST_CHARACTERS = 60


def plain(value: Any, member: str = "") -> Any:
    """Return plain JSON: lists for arrays, None for what is not finite, shown texts escaped."""
    if isinstance(value, ndarray | generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {name: plain(one, name) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one, member) for one in value]
    if isinstance(value, str):
        return escaped(value) if member in _SHOWN else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def escaped(text: str) -> str:
    """Return a text such that plotly shows it as it is; a long one without its middle."""
    if len(text) > _MOST_CHARACTERS:  # texts that differ often differ at their end
        end = _MOST_CHARACTERS // 4
        text = f"{text[: _MOST_CHARACTERS - end - 1]}\N{HORIZONTAL ELLIPSIS}{text[-end:]}"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
