"""What a search is after: objectives, and constraints that a configuration must meet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from search_spaces.errors import Code, Problem, raise_any
from search_spaces.members import read_object
from search_spaces.values import number_problems, shown, text_problems, wrong_type

#: Metrics that every trial has, whatever its trainable reports: the seconds that it trained, and
#: the bytes of its newest checkpoint or model file.
RESERVED_METRICS = ("seconds", "model_bytes")


@dataclass(frozen=True, slots=True)
class Objective:
    """A metric and its better direction."""

    metric: str
    mode: Literal["min", "max"]

    def __post_init__(self) -> None:
        raise_any(
            [
                *(p.under("/metric") for p in metric_problems(self.metric)),
                *(p.under("/mode") for p in mode_problems(self.mode)),
            ]
        )

    @classmethod
    def from_json(cls, raw: object, pointer: str = "") -> Objective:
        """Return the objective that ``raw`` declares.

        Raises :class:`SearchSpaceError` with every problem, at pointers under ``pointer``.
        """
        return read_object(cls, raw, pointer)

    def to_json(self) -> dict[str, Any]:
        """Return ``{"metric", "mode"}``."""
        return {"metric": self.metric, "mode": self.mode}


@dataclass(frozen=True, slots=True)
class Constraint:
    """Limits of a metric, both included; a configuration outside them is not ranked."""

    metric: str
    at_most: float | None = None
    at_least: float | None = None

    def __post_init__(self) -> None:
        problems = [p.under("/metric") for p in metric_problems(self.metric)]
        limits = {"at_most": self.at_most, "at_least": self.at_least}
        wrong = [
            problem
            for name, limit in limits.items()
            if limit is not None
            for problem in number_problems(limit, f"/{name}")
        ]
        if not wrong:
            wrong += self._limit_problems()
        raise_any(problems + wrong)

    def _limit_problems(self) -> Iterator[Problem]:
        if self.at_most is None and self.at_least is None:
            detail = f"the constraint on {shown(self.metric)} has no limit"
            yield Problem("/metric", detail, Code.MISSING, "add at_most or at_least")
        elif None not in (self.at_most, self.at_least) and self.at_most < self.at_least:  # type: ignore[operator]
            detail = f"no number is at least {shown(self.at_least)} and at most {self.at_most}"
            yield Problem("/at_most", detail, Code.OUT_OF_RANGE, "exchange at_most and at_least")

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies within the limits; NaN does not."""
        return self.excess(value) <= 0

    def excess(self, value: float) -> float:
        """Return by how much ``value`` breaks the constraint: at most 0 where it is met.

        That is the sign of Optuna's constraints; infinity for NaN.
        """
        if math.isnan(value):
            return math.inf
        above = -math.inf if self.at_most is None else value - self.at_most
        below = -math.inf if self.at_least is None else self.at_least - value
        return max(above, below)

    @classmethod
    def from_json(cls, raw: object, pointer: str = "") -> Constraint:
        """Return the constraint that ``raw`` declares.

        Raises :class:`SearchSpaceError` with every problem, at pointers under ``pointer``.
        """
        return read_object(cls, raw, pointer)

    def to_json(self) -> dict[str, Any]:
        """Return ``{"metric"}`` with the limits that there are."""
        members = {member.name: getattr(self, member.name) for member in fields(self)}
        return {name: value for name, value in members.items() if value is not None}


def metric_problems(value: object) -> Iterator[Problem]:
    """Yield what is wrong with ``value`` as the name of a metric."""
    if not isinstance(value, str):
        problem = wrong_type("", value, "text")
        hint = 'write "metric": "<its name>" and "mode": "min" or "max"'
        yield replace(problem, hint=hint) if isinstance(value, Mapping) else problem
    elif not value.strip():
        yield Problem("", "the text is empty", Code.EMPTY, "write something")
    else:
        yield from text_problems(value, "")


def mode_problems(value: object) -> Iterator[Problem]:
    """Yield what is wrong with ``value`` as the better direction of a metric."""
    if value not in ("min", "max"):
        problem = wrong_type("", value, 'either "min" or "max"')
        start = value[:3].lower() if isinstance(value, str) else ""
        hint = f"write {start} instead" if start in ("min", "max") else problem.hint
        yield replace(problem, hint=hint)
