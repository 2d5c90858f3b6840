"""The domains of a hyperparameter: a constant, a list of values, or a range.

A domain raises :class:`SearchSpaceError` with every problem when it is built. ``size`` is the
number of its values (None: endless), ``listed()`` yields them in order, and ``parts(numbers)``
yields (value, count) pairs: one value for each part into which ``numbers`` cut the domain, below,
at and above each of them, and how many values that part has. ``when`` maps other parameters to the
conditions under which this one exists; all of them must hold.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any, Literal

from search_spaces.errors import Code, Problem, SearchSpaceError, raise_any
from search_spaces.values import (
    LARGEST_INT,
    Value,
    any_of,
    is_number,
    list_problems,
    number_problems,
    plain,
    same,
    shown,
    value_problems,
    wrong_type,
)
from search_spaces.when import When, read_when, when_json


def _set(domain: Domain, **members: Any) -> None:
    for name, value in members.items():
        object.__setattr__(domain, name, value)


class _Listed:
    """A domain whose ``values`` are listed."""

    __slots__ = ()
    values: Sequence[Value]

    @property
    def size(self) -> int:
        """The number of values."""
        return len(self.values)

    @property
    def is_listable(self) -> bool:
        """Whether a strategy can list the values."""
        return True

    def listed(self) -> Iterator[Value]:
        """Yield the values as listed."""
        yield from self.values

    def parts(self, _: Iterable[float]) -> Iterator[tuple[Value, int]]:
        """Yield each value, with 1."""
        yield from ((value, 1) for value in self.values)

    def __contains__(self, value: object) -> bool:
        return any(same(value, listed) for listed in self.values)


@dataclass(frozen=True, slots=True)
class Constant(_Listed):
    """One fixed value."""

    value: Value
    when: When = field(default_factory=dict, hash=False, kw_only=True)

    def __post_init__(self) -> None:
        when, problems = read_when(self.when)
        raise_any([*value_problems(self.value, "/value"), *problems])
        _set(self, value=plain(self.value), when=when)

    @property
    def values(self) -> tuple[Value]:  # type: ignore[override]
        """The value alone."""
        return (self.value,)

    @property
    def default(self) -> Value:
        """The value itself."""
        return self.value

    def to_json(self) -> Any:
        """Return the value, or ``{"value", "when"}`` where it is a list or has conditions."""
        if self.when or isinstance(self.value, list):
            return {"value": self.value, **when_json(self.when)}
        return self.value


@dataclass(frozen=True, slots=True)
class Choice(_Listed):
    """One of several listed values; ``default`` is among them."""

    values: tuple[Value, ...]
    default: Value
    when: When = field(default_factory=dict, hash=False, kw_only=True)

    def __post_init__(self) -> None:
        when, problems = read_when(self.when)
        if wrong_values := list(list_problems(self.values, "/values")):
            raise SearchSpaceError([*wrong_values, *problems])
        values = tuple(map(plain, self.values))
        chosen = [value for value in values if same(value, plain(self.default))]
        if not chosen:
            detail = f"{shown(self.default)} is not one of the values"
            hint = any_of(values, self.default)
            problems.append(Problem("/default", detail, Code.OUT_OF_RANGE, hint))
        raise_any(problems)
        _set(self, values=values, default=chosen[0], when=when)

    def to_json(self) -> Any:
        """Return ``{"values", "default"}``, with ``when`` where there are conditions."""
        return {"values": list(self.values), "default": self.default, **when_json(self.when)}


@dataclass(frozen=True, slots=True)
class Range:
    """All numbers from ``low`` to ``high``, both included.

    ``type`` is "int" (whole numbers) or "float"; ``step`` leaves only ``low``, ``low + step``, ...,
    ``high``; ``log`` makes samplers draw evenly on a logarithmic scale.
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
            # All numbers of the range's own type, so that equal ranges are written alike.
            number = int if self.type == "int" else float
            members = {name: getattr(self, name) for name in ("low", "high", "default", "step")}
            _set(self, **{k: None if v is None else number(v) for k, v in members.items()})
            if self.default not in self:
                detail = f"{shown(self.default)} is not a value of the range"
                hint = f"the nearest one is {shown(self.nearest(self.default))}"
                problems.append(Problem("/default", detail, Code.OUT_OF_RANGE, hint))
        raise_any([*problems, *wrong_conditions])
        _set(self, when=when)

    @property
    def size(self) -> int | None:
        """The number of values; None for a range of floats without step."""
        spacing = self._spacing
        if spacing is None:
            return 1 if self.low == self.high else None
        return int((_exact(self.high) - _exact(self.low)) / spacing) + 1

    @property
    def is_listable(self) -> bool:
        """Whether a strategy can list the values: there is a step, and no logarithmic scale."""
        return self.size is not None and (not self.log or self.size == 1)

    def listed(self) -> Iterator[float]:
        """Yield the values from low to high; raise ValueError for floats without step."""
        size = self.size
        if size is None:
            raise ValueError("a range without step has no list of values")
        yield from map(self._value_at, range(size))

    def parts(self, numbers: Iterable[float]) -> Iterator[tuple[Value, int]]:
        """Yield one value for each part into which ``numbers`` cut the range, and its size.

        The sizes are all 1 where the range is endless.
        """
        size, spacing = self.size, self._spacing
        if size is None or spacing is None:
            near = {near for n in numbers for near in (n, *(math.nextafter(n, e) for e in _ENDS))}
            near = {float(number) for number in near if self.low < number < self.high}
            yield from ((number, 1) for number in sorted({self.low, self.high, *near}))
            return
        places = [(_exact(number) - _exact(self.low)) / spacing for number in numbers]
        starts = {0, *map(math.ceil, places), *(math.floor(place) + 1 for place in places)}
        inside = sorted(start for start in starts if 0 <= start < size)
        yield from ((self._value_at(one), end - one) for one, end in pairwise([*inside, size]))

    def nearest(self, value: float) -> float:
        """Return the value of the range nearest to ``value``, which rounding may have moved."""
        inside = min(max(value, self.low), self.high)
        if self._spacing is None:
            return inside
        return self._value_at(round((_exact(inside) - _exact(self.low)) / self._spacing))

    def __contains__(self, value: object) -> bool:
        if not is_number(value) or (self.type == "int" and not isinstance(value, int)):
            return False
        return self.low <= value <= self.high and self.nearest(value) == value  # type: ignore[operator, arg-type]

    def to_json(self) -> Any:
        """Return all members, ``step`` and ``when`` only where there are any."""
        step = {} if self.step is None else {"step": self.step}
        ends = {"low": self.low, "high": self.high, "log": self.log}
        return {**ends, **step, "type": self.type, "default": self.default, **when_json(self.when)}

    @property
    def _spacing(self) -> Fraction | None:
        """The distance between two values, None where there is no smallest one."""
        if self.step is not None:
            return _exact(self.step)
        return Fraction(1) if self.type == "int" else None

    def _value_at(self, index: int) -> float:
        # In exact decimals, so that 0.1 and two steps of 0.1 are 0.3 and not 0.30000000000000004.
        exact = _exact(self.low) + index * (self._spacing or 0)
        return int(exact) if self.type == "int" else float(exact)

    def _member_problems(self) -> Iterator[Problem]:
        """Yield what is wrong with each member taken alone."""
        for name in ("low", "high", "default", *(["step"] if self.step is not None else [])):
            value = getattr(self, name)
            problems = list(number_problems(value, f"/{name}"))
            yield from problems
            if not problems and self.type == "int" and value != int(value):
                detail = f"{shown(value)} is not a whole number, but the range is of type int"
                hint = 'use a whole number, or "type": "float"'
                yield Problem(f"/{name}", detail, Code.WRONG_TYPE, hint)
        if self.type not in ("int", "float"):
            yield wrong_type("/type", self.type, 'either "int" or "float"')
        log: Any = self.log
        if not isinstance(log, bool):
            yield wrong_type("/log", log, "either true or false")

    def _shape_problems(self) -> Iterator[Problem]:
        """Yield what is wrong with members that are right each for itself."""
        if self.low > self.high:
            detail = f"low {shown(self.low)} is above high {shown(self.high)}"
            yield Problem("/low", detail, Code.OUT_OF_RANGE, "exchange low and high")
        elif not math.isfinite(float(self.high) - float(self.low)):
            detail = "the distance from low to high is not a finite number"
            yield Problem("/high", detail, Code.NOT_FINITE, "bring low and high closer together")
        if self.log and self.low <= 0:
            detail, hint = f"low {shown(self.low)} has no logarithm", "make low positive"
            yield Problem("/low", detail, Code.LOG_NEEDS_POSITIVE, hint + ", or log false")
        if self.log and self.step is not None:
            detail = "a range cannot have both log and step"
            yield Problem("/step", detail, Code.LOG_WITH_STEP, "leave out step, or make log false")
        elif self.step is not None and self.low <= self.high:
            yield from self._step_problems(self.step)

    def _step_problems(self, step: float) -> Iterator[Problem]:
        low, high = _exact(self.low), _exact(self.high)
        largest = max(abs(self.low), abs(self.high))
        if step <= 0:
            detail = f"step {shown(step)} is not positive"
            yield Problem("/step", detail, Code.OUT_OF_RANGE, "make step positive")
        elif rest := (high - low) % _exact(step):
            number, most = (int, LARGEST_INT) if self.type == "int" else (float, sys.float_info.max)
            ends = [high - rest, high - rest + _exact(step)]
            fit = " or ".join(shown(number(end)) for end in ends if low < end <= most)
            detail = (
                f"high {shown(self.high)} is not reached from low {shown(self.low)} "
                f"in steps of {shown(step)}"
            )
            hint = f"make high {fit}, or take another step" if fit else "take another step"
            yield Problem("/step", detail, Code.NOT_A_MULTIPLE, hint)
        elif self.type == "float" and step < 2 * math.ulp(largest):
            # Two values closer than this may round to the same double.
            detail = f"step {shown(step)} is too small beside numbers as large as {shown(largest)}"
            yield Problem("/step", detail, Code.OUT_OF_RANGE, "make step larger")


Domain = Constant | Choice | Range

_ENDS = (-math.inf, math.inf)


def _exact(value: float) -> Fraction:
    """Return the decimal number that ``value`` is written as, exactly."""
    return Fraction(str(value))
