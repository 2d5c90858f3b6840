"""What can be wrong with a search space, and how it is told.

SearchSpaceError       the space, or a change to it, cannot be used; holds every problem found
  UnknownSearchSpace   no declared space has that name
  YamlError            a text is not YAML of the kind that declares a space
  SpaceFileError       a declared space's file cannot be used; problems name the file and the line
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from itertools import islice
from pathlib import Path

from search_spaces.text import printable

_LONGEST_POINTER_PART = 100
_MOST_NAMED = 20


class Code(StrEnum):
    """What kind of problem it is, for programs; the problem's detail and hint are for people."""

    MISSING = "missing"
    UNKNOWN_KEY = "unknown_key"
    WRONG_TYPE = "wrong_type"
    BAD_NAME = "bad_name"
    BAD_CHARACTER = "bad_character"
    BAD_FILE = "bad_file"
    NOT_FINITE = "not_finite"
    OUT_OF_RANGE = "out_of_range"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    EMPTY = "empty"
    DUPLICATE = "duplicate"
    NOT_A_MULTIPLE = "not_a_multiple"
    LOG_NEEDS_POSITIVE = "log_needs_positive"
    LOG_WITH_STEP = "log_with_step"
    IMPOSSIBLE_CONDITION = "impossible_condition"
    CONDITION_CYCLE = "condition_cycle"
    INVALID_VALUE = "invalid_value"
    NOT_APPLICABLE = "not_applicable"
    NOT_LISTABLE = "not_listable"
    NOTHING_TO_VARY = "nothing_to_vary"
    TOO_MANY_TRIALS = "too_many_trials"
    TEST_METRIC = "test_metric"
    NO_SUCH_ROWS = "no_such_rows"
    UNKNOWN_PARAMETER = "unknown_parameter"
    UNKNOWN_METRIC = "unknown_metric"
    UNKNOWN_DATASET = "unknown_dataset"
    UNKNOWN_STRATEGY = "unknown_strategy"
    UNKNOWN_SCHEDULER = "unknown_scheduler"
    UNKNOWN_SEARCH_SPACE = "unknown_search_space"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where (a JSON pointer, RFC 6901), what, and how to mend it.

    ``code`` is stable, for programs: one of :class:`Code`, or an error type of pydantic's.
    """

    pointer: str
    detail: str
    code: str
    hint: str = ""

    def under(self, pointer: str) -> Problem:
        """Return the same problem of a member that lies at ``pointer``."""
        return replace(self, pointer=pointer + self.pointer)

    def __str__(self) -> str:
        text = f"{self.pointer or '/'}: {self.detail}"
        return f"{text}; {self.hint}" if self.hint else text


class SearchSpaceError(Exception):
    """A search space, or a change to it, cannot be used; ``problems`` holds all that was found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class UnknownSearchSpace(SearchSpaceError):
    """No declared space has that name."""


class YamlError(SearchSpaceError):
    """A text is not YAML of the kind that declares a space; ``line`` (from 1) is where."""

    def __init__(self, detail: str, hint: str, line: int = 1) -> None:
        super().__init__([Problem("", detail, Code.BAD_FILE, hint)])
        self.line = line
        self.args = (detail, hint, line)  # pickling passes these on

    def __str__(self) -> str:
        return f"line {self.line}: {self.problems[0].detail}; {self.problems[0].hint}"


class SpaceFileError(SearchSpaceError):
    """The file at ``path`` cannot be used; each problem's detail names the file and the line."""

    def __init__(self, problems: Iterable[Problem], path: Path) -> None:
        super().__init__(problems)
        self.path = path
        self.args = (self.problems, path)  # pickling passes these on


def raise_any(problems: Iterable[Problem], pointer: str = "") -> None:
    """Raise :class:`SearchSpaceError` with ``problems`` under ``pointer``, if there are any."""
    moved = tuple(problem.under(pointer) for problem in problems)
    if moved:
        raise SearchSpaceError(moved)


def pointer_to(*parts: str | int) -> str:
    """Return the JSON pointer of the member reached by ``parts``.

    A part may be any key that a client sent: long ones are cut, and characters that a line cannot
    hold are escaped.
    """
    cut = (printable(str(part)[:_LONGEST_POINTER_PART]) for part in parts)
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in cut)


def did_you_mean(name: str, known: Collection[str]) -> str:
    """Return a hint that names the entries of ``known`` close to ``name``, or else the first."""
    close = get_close_matches(name[:_LONGEST_POINTER_PART], known, n=3)
    if close:
        return f"did you mean {' or '.join(close)}?"
    more = f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
    named = ", ".join(islice(known, _MOST_NAMED))
    return f"there are: {named}{more}" if known else "there are none"
