"""Suggests a pattern for a number that a program printed, and that nothing reads."""

from __future__ import annotations

import re
from collections.abc import Iterable

from service.cli.init.metrics import mode_of

_LABELLED = re.compile(
    r"([A-Za-z][\w/.-]*(?: [A-Za-z][\w/.-]*){0,3}) ?([:=]) ?"
    r"([-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"
)


def suggestion(lines: Iterable[str]) -> str:
    """Return patterns for the number that looks most like a metric, "" where none has a label.

    ``lines`` are what the program printed last.
    """
    found = {match[1]: match for line in lines for match in _LABELLED.finditer(line)}
    if not found:
        return ""
    label = next((one for one in found if mode_of(one)), next(reversed(found)))
    name = re.sub(r"\W+", "_", label).strip("_").lower()
    pattern = rf"{re.escape(label)} ?{found[label][2]} ?([-+0-9.eE]+)".replace(r"\ ", " ")
    return (
        f"it printed {found[label][0]}, which patterns: {{{name}: '{pattern}'}} and metric: {name} "
        "take"
    )
