"""Reads the JSON form of parameters: constants, ``{"values"}`` and ``{"low", "high"}``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from search_spaces.domains import Choice, Constant, Domain, Range
from search_spaces.errors import (
    Code,
    Problem,
    SearchSpaceError,
    did_you_mean,
    pointer_to,
    raise_any,
)
from search_spaces.scalars import is_number, wrong_type

_D = TypeVar("_D", Choice, Range)

_CONSTANT_KEYS = ("value", "when")
_CHOICE_KEYS = ("values", "default", "when")
_RANGE_KEYS = ("low", "high", "log", "step", "type", "default", "when")
_FORMS = 'write a constant, {"values": [...]} or {"low": ..., "high": ...}'


def read_domain(raw: object) -> Domain:
    """Return the domain that ``raw`` declares; raise :class:`SearchSpaceError` if it is none.

    An absent ``default`` is the first of ``values``, or ``low``. An absent ``type`` is "int" where
    all numbers of the range are written as whole ones, else "float".
    """
    if isinstance(raw, list | tuple):
        problem = Problem("", "a bare list is not a domain", Code.WRONG_TYPE, _FORMS)
        raise SearchSpaceError([problem])
    if not isinstance(raw, Mapping):
        return _read_constant(raw)
    if "values" in raw:
        return _read_choice(raw)
    if "value" in raw:
        raise_any(key_problems(raw, _CONSTANT_KEYS))
        return Constant(raw["value"], when=raw.get("when", {}))
    if "low" in raw or "high" in raw:
        return _read_range(raw)
    keys = tuple(dict.fromkeys(_CONSTANT_KEYS + _CHOICE_KEYS + _RANGE_KEYS))
    nothing = Problem("", "the object declares no domain", Code.MISSING, _FORMS)
    raise SearchSpaceError([nothing, *key_problems(raw, keys)])


def read_parameters(raw: object) -> tuple[dict[str, Domain], list[Problem]]:
    """Return the readable domains of ``raw`` by parameter name, and what is wrong with the rest.

    The problems' pointers start at ``/parameters``.
    """
    if not isinstance(raw, Mapping):
        return {}, [wrong_type("/parameters", raw, "an object of parameter names and domains")]
    domains: dict[str, Domain] = {}
    problems: list[Problem] = []
    for name, declared in raw.items():
        try:
            domains[name] = read_domain(declared)
        except SearchSpaceError as error:
            problems += (p.under("/parameters" + pointer_to(name)) for p in error.problems)
    return domains, problems


def known_members(raw: object) -> object:
    """Return a domain's JSON without the keys that this version does not know."""
    if not isinstance(raw, Mapping):
        return raw
    known = {*_CONSTANT_KEYS, *_CHOICE_KEYS, *_RANGE_KEYS}
    return {key: value for key, value in raw.items() if key in known}


def key_problems(raw: Mapping[Any, Any], known: tuple[str, ...]) -> list[Problem]:
    """Return a problem for each key of ``raw`` that is not among ``known``."""
    return [
        Problem(
            pointer_to(key),
            "this key is not known here",
            Code.UNKNOWN_KEY,
            did_you_mean(str(key), known),
        )
        for key in raw
        if key not in known
    ]


def _read_constant(raw: Any) -> Constant:
    try:
        return Constant(raw)
    except SearchSpaceError as error:
        # A bare constant has no member "value" to point at.
        raise SearchSpaceError([_unwrapped(problem) for problem in error.problems]) from None


def _unwrapped(problem: Problem) -> Problem:
    return Problem("", problem.detail, problem.code, problem.hint)


def _read_choice(raw: Mapping[str, Any]) -> Choice:
    values = raw["values"]
    first = values[0] if isinstance(values, list | tuple) and values else None
    default, when = raw.get("default", first), raw.get("when", {})
    return _built(raw, _CHOICE_KEYS, lambda: Choice(values, default, when=when))


def _read_range(raw: Mapping[str, Any]) -> Range:
    missing = [name for name in ("low", "high") if name not in raw]
    if missing:
        detail = f"a range needs both ends, and {missing[0]} is missing"
        problem = Problem(pointer_to(missing[0]), detail, Code.MISSING, f"add {missing[0]}")
        raise SearchSpaceError([problem, *key_problems(raw, _RANGE_KEYS)])
    members = {name: raw[name] for name in _RANGE_KEYS if name in raw}
    implied = {"default": raw["low"], "type": _implied_type(raw)}
    return _built(raw, _RANGE_KEYS, lambda: Range(**(implied | members)))


def _built(raw: Mapping[str, Any], known: tuple[str, ...], build: Callable[[], _D]) -> _D:
    """Return what ``build`` builds; raise all problems of ``raw`` at once."""
    problems = key_problems(raw, known)
    try:
        built = build()
    except SearchSpaceError as error:
        # Of an absent member there is nothing to say: its implied value repeats another's problem.
        problems += (p for p in error.problems if p.pointer.split("/")[1] in raw)
        raise SearchSpaceError(problems) from None
    raise_any(problems)
    return built


def _implied_type(raw: Mapping[str, Any]) -> str:
    numbers = [raw[name] for name in ("low", "high", "step", "default") if name in raw]
    fractional = any(isinstance(number, float) for number in numbers if is_number(number))
    return "float" if fractional else "int"
