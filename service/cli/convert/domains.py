"""Domains of other systems' parameters as this project declares them, in JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

from search_spaces import is_number

Note = Callable[[str], None]

_LARGEST_INT = 2**53 - 1
_LONGEST_TEXT = 200
_SIGMAS = 3


def interval(
    low: float,
    high: float,
    note: Note,
    *,
    whole: bool = False,
    step: float | None = None,
    log: bool = False,
) -> Any:
    """Return a range with both ends, or a constant where these are equal.

    What a range cannot have is changed, and noted: a ``step`` that does not reach ``high`` lowers
    that, and a logarithmic scale has no step and begins above 0.
    """
    low, high = min(low, high), max(low, high)
    if log and low <= 0:
        note(f"a logarithmic scale cannot begin at {low}: it is linear here")
        log = False
    if log and step and step != (1 if whole else None):
        note(f"a logarithmic range has no step: values are not rounded to {step}")
    if step is not None and (log or step <= 0 or (whole and step == 1)):
        step = None
    if step is not None:
        high = _reached(low, high, step, note)
    if low == high:
        return int(low) if whole else float(low)
    number: Callable[[float], float] = int if whole else float
    domain: dict[str, Any] = {"low": number(low), "high": number(high)}
    if step is not None:
        domain["step"] = number(step)
    return domain | ({"log": True} if log else {})


def _reached(low: float, high: float, step: float, note: Note) -> float:
    """Return the last of ``low``, ``low + step``, ... that is not above ``high``."""
    first, last, spacing = (Fraction(str(number)) for number in (low, high, step))
    rest = (last - first) % spacing
    if rest:
        note(f"the range ends at {float(last - rest):g}, the last step before {high:g}")
    return float(last - rest)


def rounded(low: float, high: float, step: float, note: Note, *, log: bool = False) -> Any:
    """Return the range of the multiples of ``step`` to which numbers between the ends round."""
    if log or step <= 0:
        whole = all(number == int(number) for number in (low, high, step))
        return interval(low, high, note, step=step, log=log, whole=whole)
    spacing = Fraction(str(step))
    low, high = (float(round(Fraction(str(end)) / spacing) * spacing) for end in (low, high))
    whole = all(number == int(number) for number in (low, high, step))
    return interval(low, high, note, step=step, whole=whole)


def normal(mean: float, deviation: float, note: Note, *, step: float | None = None) -> Any:
    """Return the range of three deviations on each side: there are no normal distributions."""
    low, high = mean - _SIGMAS * abs(deviation), mean + _SIGMAS * abs(deviation)
    note(
        f"a normal distribution has no counterpart: evenly from {low:g} to {high:g}, the mean and "
        "three deviations on each side"
    )
    return interval(low, high, note) if step is None else rounded(low, high, step, note)


def log_normal(mean: float, deviation: float, note: Note) -> Any:
    """Return the logarithmic range of three deviations on each side."""
    try:
        low, high = (math.exp(mean + side * _SIGMAS * abs(deviation)) for side in (-1, 1))
    except OverflowError:
        note("the log-normal distribution goes beyond all numbers: the constant 1.0 here")
        return 1.0
    low, high = float(f"{low:.3g}"), float(f"{high:.3g}")
    note(
        f"a log-normal distribution has no counterpart: from {low:g} to {high:g} on a logarithmic "
        "scale, three deviations on each side"
    )
    return interval(low, high, note, log=True)


def choice(values: Iterable[Any], note: Note) -> Any:
    """Return the list of those values that a parameter can take, a constant where it is one."""
    kept: list[Any] = []
    for value in values:
        usable = _usable(value, note)
        if usable is _UNUSABLE:
            continue
        if any(usable == other for other in kept):
            note(f"{json.dumps(usable)} comes twice or equals another value: listed once")
        else:
            kept.append(usable)
    return constant(kept[0]) if len(kept) == 1 else {"values": kept}


def constant(value: Any) -> Any:
    """Return the domain of one value."""
    return {"value": value} if isinstance(value, list) else value


def plain(value: Any, note: Note) -> Any:
    """Return the domain of one value of another system, null where it can be none."""
    usable = _usable(value, note)
    return None if usable is _UNUSABLE else constant(usable)


_UNUSABLE = object()


def _usable(value: Any, note: Note) -> Any:
    if isinstance(value, Mapping):
        note("an object is no value here: its JSON text stands for it")
        value = json.dumps(value)
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        note(f"a text of {len(value)} characters is too long and left out")
        return _UNUSABLE
    if is_number(value) and (not math.isfinite(value) or abs(value) > 1e300):
        note(f"{value} is no number that a parameter can take, and left out")
        return _UNUSABLE
    if isinstance(value, int) and abs(value) > _LARGEST_INT:
        note("a whole number beyond 2^53 is left out")
        return _UNUSABLE
    return value


def values_of(domain: Any) -> list[Any]:
    """Return the values that a JSON domain lists, none of a range."""
    if not isinstance(domain, Mapping):
        return [domain]
    if "values" in domain:
        return list(domain["values"])
    return [domain["value"]] if "value" in domain else []


def constants(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that are bare constants, by name."""
    return {name: one for name, one in parameters.items() if not isinstance(one, Mapping)}
