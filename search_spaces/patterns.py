"""The regular expressions that find metrics in printed lines, by RE2: its time is linear.

No pattern can take long on a line, as one of Python's :mod:`re` can. In return RE2 has neither
lookarounds nor backreferences (https://github.com/google/re2/wiki/Syntax).
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from search_spaces.text import unprintable

LONGEST_PATTERN = 500
#: Bytes that one compiled pattern may take.
_MEMORY = 1 << 20
_MISSING_IN_RE2 = re.compile(r"\(\?(=|!|<=|<!|P=|\()|\\[1-9]|\\Z")


class PatternError(ValueError):
    """A text is no usable pattern; the message says why, ``hint`` what to write."""

    def __init__(self, detail: str, hint: str) -> None:
        super().__init__(detail)
        self.hint = hint


def compiled(text: str) -> re.Pattern[str]:
    """Return the pattern ``text``: ``search(line)[1]`` is what its one group finds.

    Raises :class:`PatternError` for a text that is no regular expression of RE2, one that is too
    long or too large, and one that has not exactly one group.
    """
    if len(text) > LONGEST_PATTERN:
        detail = f"a pattern of {len(text)} characters is too long"
        raise PatternError(detail, f"use at most {LONGEST_PATTERN} characters")
    if character := unprintable(text):
        raise PatternError(f"the pattern holds {character}", "remove it: lines have none")
    re2 = _re2()
    options = re2.Options()
    options.log_errors, options.max_mem = False, _MEMORY
    try:
        found: re.Pattern[str] = re2.compile(text, options)
    except re2.error as error:
        raise PatternError(_reason(error), _hint(text)) from None
    if found.groups != 1:
        detail = f"the pattern has {found.groups} groups, and one must find the number"
        hint = 'write one group, "val loss: ([0-9.]+)" for instance, and (?:...) for others'
        raise PatternError(detail, hint)
    return found


def _reason(error: Exception) -> str:
    text = error.args[0] if error.args else ""
    reason = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return f"the pattern is no regular expression: {reason}"


def _hint(text: str) -> str:
    if _MISSING_IN_RE2.search(text):
        return "leave out lookarounds, backreferences and \\Z: RE2 has none"
    return "correct it: https://github.com/google/re2/wiki/Syntax"


@cache
def _re2() -> Any:
    """Import RE2 where there is a pattern, and not for each command line."""
    import re2

    return re2
