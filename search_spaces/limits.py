"""When a search ends before all its trials, and how its winner is confirmed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from search_spaces.errors import Code, Problem, raise_any
from search_spaces.members import read_object, whole_problems
from search_spaces.values import number_problems, shown

MOST_SECONDS = 31_536_000  # a year
MOST_TRIALS = 1_000_000
MOST_TOTAL_EPOCHS = 10**12


@dataclass(frozen=True, slots=True)
class Budget:
    """What a search may use up; each limit that is not None ends it.

    ``seconds`` since the job began to run, ``epochs`` trained by all trials, ``target``: a value of
    the first objective that is good enough, ``trials_without_improvement`` in a row, and so many
    ``failed_trials``.
    """

    seconds: float | None = None
    epochs: int | None = None
    target: float | None = None
    trials_without_improvement: int | None = None
    failed_trials: int | None = None

    def __post_init__(self) -> None:
        raise_any(self._problems())

    def _problems(self) -> Iterator[Problem]:
        if self.seconds is not None:
            yield from _seconds_problems(self.seconds)
        if self.epochs is not None:
            yield from whole_problems(self.epochs, "/epochs", 1, MOST_TOTAL_EPOCHS)
        if self.target is not None:
            yield from number_problems(self.target, "/target")
        for name in ("trials_without_improvement", "failed_trials"):
            if getattr(self, name) is not None:
                yield from whole_problems(getattr(self, name), f"/{name}", 1, MOST_TRIALS)

    @property
    def is_endless(self) -> bool:
        """Whether nothing is limited."""
        return not self.to_json()

    @classmethod
    def from_json(cls, raw: object, pointer: str = "") -> Budget:
        """Return the budget that ``raw`` declares; null is no limit.

        Raises :class:`SearchSpaceError` with every problem, at pointers under ``pointer``.
        """
        return read_object(cls, raw, pointer)

    def to_json(self) -> dict[str, Any]:
        """Return the limits that there are."""
        members = {member.name: getattr(self, member.name) for member in fields(self)}
        return {name: value for name, value in members.items() if value is not None}


def _seconds_problems(value: object) -> Iterator[Problem]:
    problems = list(number_problems(value, "/seconds"))
    yield from problems
    if not problems and not 0 < value <= MOST_SECONDS:  # type: ignore[operator]
        hint = f"use a number above 0 and at most {MOST_SECONDS}"
        yield Problem("/seconds", f"{shown(value)} is out of range", Code.OUT_OF_RANGE, hint)


@dataclass(frozen=True, slots=True)
class Confirm:
    """Run the ``top`` configurations and the default again, with up to ``seeds`` further seeds."""

    top: int = 3
    seeds: int = 5

    def __post_init__(self) -> None:
        problems = [
            *whole_problems(self.top, "/top", 1, 20),
            *whole_problems(self.seeds, "/seeds", 2, 100),
        ]
        raise_any(problems)

    @property
    def trials(self) -> int:
        """The most trials that it runs: all seeds of the top configurations and the default."""
        return (self.top + 1) * self.seeds

    @classmethod
    def from_json(cls, raw: object, pointer: str = "") -> Confirm:
        """Return the confirmation that ``raw`` declares.

        Raises :class:`SearchSpaceError` with every problem, at pointers under ``pointer``.
        """
        return read_object(cls, raw, pointer)

    def to_json(self) -> dict[str, Any]:
        """Return ``{"top", "seeds"}``."""
        return {"top": self.top, "seeds": self.seeds}


#: Nothing is limited.
NO_BUDGET = Budget()
