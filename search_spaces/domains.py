"""What one hyperparameter may be: a constant, a list of values, or a range.

Each domain refuses bad values when it is built, with every problem it has, and says its size,
its values in order, and whether a value lies in it. ``when`` maps other parameters to the values
under which this one exists (all must hold); an empty one means always.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from search_spaces.errors import Code, Problem, raise_any
from search_spaces.scalars import (
    Scalar,
    flag_problem,
    list_problems,
    number_problem,
    same,
    scalar_problem,
    shown,
    wrong_type,
)
from search_spaces.when import When, read_when, when_json


@dataclass(frozen=True, slots=True)
class Constant:
    """One fixed value."""

    value: Scalar
    when: When = field(default_factory=dict, hash=False, kw_only=True)

    def __post_init__(self) -> None:
        when, problems = read_when(self.when)
        problem = scalar_problem(self.value, "/value")
        raise_any([*([problem] if problem else []), *problems])
        object.__setattr__(self, "when", when)

    @property
    def default(self) -> Scalar:
        """The value itself."""
        return self.value

    @property
    def size(self) -> int:
        """One."""
        return 1

    def listed(self) -> Iterator[Scalar]:
        """Yield the value."""
        yield self.value

    def __contains__(self, value: object) -> bool:
        return same(self.value, value)

    def to_json(self) -> Any:
        """Return the value, or ``{"value", "when"}`` where it has conditions."""
        return {"value": self.value, **when_json(self.when)} if self.when else self.value


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several listed values; ``default`` is among them."""

    values: tuple[Scalar, ...]
    default: Scalar
    when: When = field(default_factory=dict, hash=False, kw_only=True)

    def __post_init__(self) -> None:
        when, problems = read_when(self.when)
        wrong_values = list(list_problems(self.values, "/values"))
        chosen = [v for v in self.values if same(v, self.default)] if not wrong_values else []
        if not wrong_values and not chosen:
            problems.append(_outside("/default", self.default, "one of the values"))
        raise_any([*wrong_values, *problems])
        object.__setattr__(self, "values", tuple(self.values))
        object.__setattr__(self, "default", chosen[0])
        object.__setattr__(self, "when", when)

    @property
    def size(self) -> int:
        """The number of values."""
        return len(self.values)

    def listed(self) -> Iterator[Scalar]:
        """Yield the values as listed."""
        yield from self.values

    def __contains__(self, value: object) -> bool:
        return any(same(value, listed) for listed in self.values)

    def to_json(self) -> Any:
        """Return ``{"values", "default"}``, with ``when`` where there are conditions."""
        return {
            "values": list(self.values),
            "default": self.default,
            **when_json(self.when),
        }


@dataclass(frozen=True, slots=True)
class Range:
    """All numbers from ``low`` to ``high``, both included.

    ``type`` is "int" (whole numbers) or "float"; ``step`` leaves only ``low``, ``low + step``, ...,
    ``high``; ``log`` makes samplers draw evenly on a logarithmic scale. A range without ``step``
    has a size only where it is of whole numbers, or a single one, and not ``log``.
    """

    low: float
    high: float
    default: float
    log: bool = False
    step: float | None = None
    type: Literal["int", "float"] = "float"
    when: When = field(default_factory=dict, hash=False, kw_only=True)

    def __post_init__(self) -> None:
        when, wrong_conditions = read_when(self.when)
        problems = list(self._member_problems()) or list(self._shape_problems())
        if not problems:
            self._convert_members()
            if self.default not in self:
                problems.append(_outside("/default", self.default, "a value of the range"))
        raise_any([*problems, *wrong_conditions])
        object.__setattr__(self, "when", when)

    def _convert_members(self) -> None:
        """Make all numbers of the range's own type, so that equal ranges are written alike."""
        number = int if self.type == "int" else float
        for name in ("low", "high", "default", "step"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else number(value))

    @property
    def size(self) -> int | None:
        """The number of values, or None where they cannot be listed."""
        if self.low == self.high:
            return 1
        spacing = self._spacing()
        if spacing is None:
            return None
        return int((_exact(self.high) - _exact(self.low)) / spacing) + 1

    def listed(self) -> Iterator[float]:
        """Yield the values from low to high; raise ValueError where they cannot be listed."""
        size = self.size
        if size is None:
            raise ValueError("a range without step has no list of values")
        yield from map(self._value_at, range(size))

    def nearest(self, value: float) -> float:
        """Return the value of the range nearest to ``value``, which rounding may have moved."""
        inside = min(max(value, self.low), self.high)
        spacing = self._spacing()
        if spacing is None:
            return inside
        return self._value_at(round((_exact(inside) - _exact(self.low)) / spacing))

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return False
        if self.type == "int" and not isinstance(value, int):
            return False
        return self.low <= value <= self.high and self.nearest(value) == value

    def to_json(self) -> Any:
        """Return all members but those that are absent: ``step`` and ``when``."""
        step = {} if self.step is None else {"step": self.step}
        return {
            "low": self.low,
            "high": self.high,
            "log": self.log,
            **step,
            "type": self.type,
            "default": self.default,
            **when_json(self.when),
        }

    def _spacing(self) -> Fraction | None:
        """Return the distance between two values, or None where they are not evenly spaced."""
        if self.step is not None:
            return _exact(self.step)
        return Fraction(1) if self.type == "int" and not self.log else None

    def _value_at(self, index: int) -> float:
        # In exact decimals, so that 0.1 and two steps of 0.1 are 0.3 and not 0.30000000000000004.
        exact = _exact(self.low) + index * (self._spacing() or 0)
        return int(exact) if self.type == "int" else float(exact)

    def _member_problems(self) -> Iterator[Problem]:
        """Yield what is wrong with each member taken alone."""
        members = {"low": self.low, "high": self.high, "default": self.default}
        if self.step is not None:
            members["step"] = self.step
        for name, value in members.items():
            problem = number_problem(value, f"/{name}")
            if problem is None and self.type == "int" and value != int(value):
                problem = _fractional(f"/{name}", value)
            if problem:
                yield problem
        if self.type not in ("int", "float"):
            yield wrong_type("/type", self.type, 'either "int" or "float"')
        if problem := flag_problem(self.log, "/log"):
            yield problem

    def _shape_problems(self) -> Iterator[Problem]:
        """Yield what is wrong with members that are right each for itself."""
        if self.low > self.high:
            detail = f"low {shown(self.low)} is above high {shown(self.high)}"
            yield Problem("/low", detail, Code.OUT_OF_RANGE, "exchange low and high")
        elif not math.isfinite(float(self.high) - float(self.low)):
            detail = "the distance from low to high is not a finite number"
            yield Problem("/high", detail, Code.NOT_FINITE, "bring low and high closer together")
        if self.log and self.low <= 0:
            detail = f"low {shown(self.low)} has no logarithm"
            yield Problem(
                "/low", detail, Code.LOG_NEEDS_POSITIVE, "make low positive, or log false"
            )
        if self.log and self.step is not None:
            detail = "a range cannot have both log and step"
            yield Problem("/step", detail, Code.LOG_WITH_STEP, "leave out step, or make log false")
        elif self.step is not None and self.low <= self.high:
            yield from self._step_problems(self.step)

    def _step_problems(self, step: float) -> Iterator[Problem]:
        largest = max(abs(self.low), abs(self.high))
        if step <= 0:
            detail = f"step {shown(step)} is not positive"
            yield Problem("/step", detail, Code.OUT_OF_RANGE, "make step positive")
        elif (_exact(self.high) - _exact(self.low)) % _exact(step):
            detail = (
                f"high {shown(self.high)} is not reached from low {shown(self.low)} "
                f"in steps of {shown(step)}"
            )
            hint = "make high minus low a multiple of step"
            yield Problem("/step", detail, Code.NOT_A_MULTIPLE, hint)
        elif self.type == "float" and step < 2 * math.ulp(largest):
            # Two values closer than this may round to the same double.
            detail = f"step {shown(step)} is too small beside numbers as large as {shown(largest)}"
            yield Problem("/step", detail, Code.OUT_OF_RANGE, "make step larger")


Domain = Constant | Choice | Range


def _exact(value: float) -> Fraction:
    """Return the decimal number that ``value`` is written as, exactly."""
    return Fraction(str(value))


def _outside(pointer: str, value: object, where: str) -> Problem:
    detail = f"{shown(value)} is not {where}"
    return Problem(pointer, detail, Code.OUT_OF_RANGE, f"make it {where}, or leave it out")


def _fractional(pointer: str, value: float) -> Problem:
    detail = f"{shown(value)} is not a whole number, but the range is of type int"
    return Problem(pointer, detail, Code.WRONG_TYPE, 'use a whole number, or "type": "float"')
