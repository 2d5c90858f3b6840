"""Reads the JSON form of parameters: constants, ``{"values"}`` and ``{"low", "high"}``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from search_spaces.domains import Choice, Constant, Domain, Range
from search_spaces.errors import Code, Problem, SearchSpaceError, pointer_to, raise_any
from search_spaces.keys import key_problems
from search_spaces.values import is_number, shown, wrong_type
from search_spaces.when import BOUNDS

_CONSTANT_KEYS = ("value", "when")
_CHOICE_KEYS = ("values", "default", "when")
_RANGE_KEYS = ("low", "high", "log", "step", "type", "default", "when")
_ALL_KEYS = tuple(dict.fromkeys(_CONSTANT_KEYS + _CHOICE_KEYS + _RANGE_KEYS))
_FORMS = 'write a constant, {"values": [...]} or {"low": ..., "high": ...}'


def read_domain(raw: object) -> Domain:
    """Return the domain that ``raw`` declares; raise :class:`SearchSpaceError` if it is none.

    An absent ``default`` is the first of ``values``, or ``low``. An absent ``type`` is "int" where
    all numbers of the range are written as whole ones, else "float".
    """
    if isinstance(raw, list | tuple):
        hint = f'write {{"values": {shown(raw)}}}, or {{"value": ...}} where the list is one value'
        raise SearchSpaceError([Problem("", "a bare list is not a domain", Code.WRONG_TYPE, hint)])
    if not isinstance(raw, Mapping):
        return _read_bare(raw)
    if "values" in raw:
        values = raw["values"]
        first = values[0] if isinstance(values, list | tuple) and values else None
        return _built(Choice, raw, _CHOICE_KEYS, {"default": first})
    if "value" in raw:
        return _built(Constant, raw, _CONSTANT_KEYS, {})
    missing = [end for end in ("low", "high") if end not in raw]
    if not missing:
        return _built(Range, raw, _RANGE_KEYS, {"default": raw["low"], "type": _implied_type(raw)})
    if len(missing) == 2:
        problem, keys = (
            Problem("", "the object declares no domain", Code.MISSING, _FORMS),
            _ALL_KEYS,
        )
    else:
        detail = f"a range needs both ends, and {missing[0]} is missing"
        problem = Problem(pointer_to(missing[0]), detail, Code.MISSING, f"add {missing[0]}")
        keys = _RANGE_KEYS
    raise SearchSpaceError([problem, *key_problems(raw, keys)])


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
    known = {key: value for key, value in raw.items() if key in _ALL_KEYS}
    if isinstance(raw.get("when"), Mapping):
        known["when"] = {
            name: {key: limit for key, limit in wanted.items() if key in BOUNDS}
            if isinstance(wanted, Mapping)
            else wanted
            for name, wanted in raw["when"].items()
        }
    return known


def _read_bare(raw: Any) -> Constant:
    try:
        return Constant(raw)
    except SearchSpaceError as error:
        # A bare constant has no member "value" to point at.
        problems = (Problem("", p.detail, p.code, p.hint) for p in error.problems)
        raise SearchSpaceError(problems) from None


def _built(
    build: Callable[..., Domain], raw: Mapping[str, Any], known: tuple[str, ...], implied: Any
) -> Domain:
    """Return what ``build`` makes of the known members; raise all problems of ``raw`` at once."""
    problems = key_problems(raw, known)
    members = {name: raw[name] for name in known if name in raw}
    try:
        built = build(**(implied | members))
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
