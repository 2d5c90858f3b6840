"""Answers that are kept with what they are answers about."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, TypeVar, TypeVarTuple


class _Remembering(Protocol):
    @property
    def memory(self) -> dict[Any, Any]: ...


_Subject = TypeVar("_Subject", bound=_Remembering)
_Arguments = TypeVarTuple("_Arguments")
_Answer = TypeVar("_Answer")


def remembered(
    function: Callable[[_Subject, *_Arguments], _Answer],
) -> Callable[[_Subject, *_Arguments], _Answer]:
    """Make a function of a subject that never changes keep its answers in ``subject.memory``.

    Its further arguments are part of the question, and hashable. Over the results of 10,000 trials
    the same questions, asked by each plot and table, would take most of the time.
    """

    @wraps(function)
    def remember(subject: _Subject, *arguments: *_Arguments) -> _Answer:
        question = (function, arguments)
        if question not in subject.memory:
            subject.memory[question] = function(subject, *arguments)
        answer: _Answer = subject.memory[question]
        return answer

    return remember
