"""The errors of accepting and reading jobs; ``service/http/problems.py`` says how each is answered.

InvalidRequest  the request was understood, and fields of it are wrong
NotAllowed      this client, or any, may not do it here
Unavailable     the disk or another part of the service cannot do it now
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from search_spaces import Problem

#: Fields that one answer names: a body of garbage must not cause a longer answer.
MOST_PROBLEMS = 100


class InvalidRequest(Exception):
    """The request was understood, and fields of it are wrong; holds the first problems found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(islice(problems, MOST_PROBLEMS))
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class NotAllowed(Exception):
    """The client may not do it; ``scope`` is the one its token lacks, "" if none would help."""

    def __init__(self, message: str, *, hint: str, scope: str = "") -> None:
        super().__init__(message)
        self.hint, self.scope = hint, scope


class Unavailable(Exception):
    """A part of the service cannot answer now; the message says which and why."""

    def __init__(self, message: str, *, retry_after_s: int = 5) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
