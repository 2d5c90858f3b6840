"""The rule on characters, for every text that a person, a client or a trainable sends.

Control characters (category Cc) and line and paragraph separators are not printed: a terminal or a
log obeys them. Nor are U+FFFE and U+FFFF, which XML, and so a plot, cannot hold. Descriptions may
have newlines and tabs. Neither printed nor stored are NUL, which PostgreSQL refuses, and lone
surrogates, which no encoding holds.
"""

from __future__ import annotations

import re
from unicodedata import category

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_UNPRINTABLE_LINES = re.compile("(?![\t\n])" + _UNPRINTABLE.pattern)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_KINDS = {
    "Cc": "control character",
    "Zl": "line separator",
    "Zp": "paragraph separator",
    "Cs": "lone surrogate",
    "Cn": "noncharacter",
}


def unprintable(text: str, *, several_lines: bool = False) -> str:
    """Return the first character of ``text`` that a printed line cannot hold, named, or "".

    The name is for messages: "the control character U+0007 at position 3". With ``several_lines``,
    newlines and tabs are allowed.
    """
    return _named((_UNPRINTABLE_LINES if several_lines else _UNPRINTABLE).search(text))


def unstorable(text: str) -> str:
    """Return the first character of ``text`` that cannot be stored, named, or ""."""
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
    kind = "NUL character" if character == "\0" else _KINDS[category(character)]
    return f"the {kind} U+{ord(character):04X} at position {found.start()}"
