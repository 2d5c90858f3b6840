"""What a rule of the diagnosis finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found: its name, the parameter that it is about ("" for none), and sentences.

    ``detail`` says what was seen, ``hint`` what to do about it.
    """

    rule: str
    parameter: str
    detail: str
    hint: str
