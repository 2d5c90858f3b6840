"""The rule on characters, for every text that a person, a client or a trainable sends.

============================  ==================  =====================  =========
a text with                   fits on one line    fits on several lines  is stored
============================  ==================  =====================  =========
NUL, a lone surrogate         no                  no                     no
tab, newline                  no                  yes                    yes
another control character     no                  no                     yes
a line or paragraph separator no                  no                     yes
U+FFFE, U+FFFF                no                  no                     yes
============================  ==================  =====================  =========

A terminal or a log obeys control characters and separators, and XML, so a plot, cannot hold U+FFFE
and U+FFFF. PostgreSQL refuses NUL, and no encoding holds a lone surrogate.
"""

from __future__ import annotations

import re

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_UNPRINTABLE_LINES = re.compile("(?![\t\n])" + _UNPRINTABLE.pattern)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def unprintable(text: str, *, several_lines: bool = False) -> str:
    """Return the first character of ``text`` that a printed line cannot hold, named, or "".

    The name is for messages: "the control character U+0007 at position 3". With ``several_lines``,
    newlines and tabs are allowed.
    """
    return _named((_UNPRINTABLE_LINES if several_lines else _UNPRINTABLE).search(text))


def unstorable(text: str) -> str:
    """Return the first character of ``text`` that cannot be stored, named, or "".

    That is NUL, which PostgreSQL refuses, or a lone surrogate, which no encoding holds.
    """
    return _named(_UNSTORABLE.search(text))


def printable(text: str) -> str:
    r"""Return ``text`` with each character that one line cannot hold as an escape: ``\u0007``."""
    return _UNPRINTABLE.sub(_escape, text)


def storable(text: str) -> str:
    r"""Return ``text`` with each character that cannot be stored as an escape: ``\u0000``."""
    return _UNSTORABLE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found.group()):04x}"


def _named(found: re.Match[str] | None) -> str:
    if found is None:
        return ""
    character = found.group()
    kinds = {"\0": "NUL character", "\u2028": "line separator", "\u2029": "paragraph separator"}
    if "\ud800" <= character <= "\udfff":
        kind = "lone surrogate"
    elif character in "\ufffe\uffff":
        kind = "noncharacter"
    else:
        kind = kinds.get(character, "control character")
    return f"the {kind} U+{ord(character):04X} at position {found.start()}"
