"""Archives of code: their names, their limits, and what can be wrong with one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

#: An archive may hold so many times the bytes that it has when it is sent.
_LARGEST_RATIO = 8
DEFAULT_BYTES = 64 * 1024 * 1024


class Fault(StrEnum):
    """What is wrong with an archive, for programs."""

    NOT_GZIP = "not_gzip"
    CUT_OFF = "cut_off"
    DAMAGED = "damaged"
    TRAILING_DATA = "trailing_data"
    LARGE_HEADER = "large_header"
    UNSAFE_NAME = "unsafe_name"
    BAD_NAME = "bad_name"
    LINK = "link"
    SPECIAL_FILE = "special_file"
    SPECIAL_BITS = "special_bits"
    SPARSE = "sparse"
    DUPLICATE = "duplicate"
    CASE_CLASH = "case_clash"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    EMPTY = "empty"


class BadArchive(Exception):
    """An archive that is not used: ``fault`` is the kind, ``hint`` says how to mend it."""

    def __init__(self, fault: Fault, detail: str, hint: str) -> None:
        super().__init__(detail)
        self.fault, self.detail, self.hint = fault, detail, hint


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that an archive holds: bytes packed and unpacked, and files with folders."""

    packed: int = DEFAULT_BYTES
    unpacked: int = _LARGEST_RATIO * DEFAULT_BYTES
    entries: int = 20_000

    @classmethod
    def of(cls, packed: int) -> Limits:
        """Return the limits that belong to so many packed bytes."""
        return cls(packed, _LARGEST_RATIO * packed)


@dataclass(frozen=True, slots=True)
class Contents:
    """What an archive holds: its files, and their bytes."""

    files: int
    bytes: int


def digest_of(content: bytes) -> str:
    """Return the name of an archive with these bytes: ``sha256:`` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
