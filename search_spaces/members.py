"""Builds small declared objects from JSON, and checks the numbers in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from search_spaces.errors import Code, Problem, SearchSpaceError, pointer_to, raise_any
from search_spaces.keys import key_problems
from search_spaces.values import shown, wrong_type

Built = TypeVar("Built")


def read_object(
    build: type[Built], raw: object, pointer: str, known: tuple[str, ...] = ()
) -> Built:
    """Return the dataclass ``build`` of the members of the object ``raw``.

    ``known`` are the keys that it may have, all fields by default. Raises
    :class:`SearchSpaceError` with every problem, at pointers under ``pointer``.
    """
    members: Any = fields(build)  # type: ignore[arg-type]
    known = known or tuple(member.name for member in members)
    if not isinstance(raw, Mapping):
        wanted = f"an object with some of {', '.join(known)}"
        raise SearchSpaceError([wrong_type(pointer, raw, wanted)])
    problems = key_problems(raw, known)
    required = [m.name for m in members if m.default is MISSING]
    problems += (
        Problem(pointer_to(name), f"{name} is missing", Code.MISSING, f"add {name}")
        for name in required
        if name not in raw
    )
    # The members that are there are checked beside a valid value for each that is missing.
    given = {key: raw[key] for key in known if key in raw}
    try:
        built = build(**dict.fromkeys(required) | given)
    except SearchSpaceError as error:
        problems += (p for p in error.problems if p.pointer.split("/")[1] in raw)
    raise_any(problems, pointer)
    return built


def read_list(
    read: Callable[[object, str], Built], raw: object, pointer: str, most: int, wanted: str
) -> tuple[Built, ...]:
    """Return what ``read(entry, pointer)`` makes of each entry of the list ``raw``.

    Raises :class:`SearchSpaceError` with every problem: of the list, ``wanted`` in words, which
    has at most ``most`` entries, and of the entries.
    """
    if not isinstance(raw, list | tuple):
        raise SearchSpaceError([wrong_type(pointer, raw, wanted)])
    if len(raw) > most:
        detail = f"the list has {len(raw)} entries"
        raise SearchSpaceError([Problem(pointer, detail, Code.TOO_MANY, f"list at most {most}")])
    entries: list[Built] = []
    problems: list[Problem] = []
    for index, entry in enumerate(raw):
        try:
            entries.append(read(entry, f"{pointer}/{index}"))
        except SearchSpaceError as error:
            problems += error.problems
    raise_any(problems)
    return tuple(entries)


def whole_problems(value: object, pointer: str, least: int, most: int) -> Iterator[Problem]:
    """Yield what is wrong with ``value`` as a whole number from ``least`` to ``most``."""
    if not isinstance(value, int) or isinstance(value, bool):
        yield wrong_type(pointer, value, "a whole number")
    elif not least <= value <= most:
        hint = f"use {least} to {most}"
        yield Problem(pointer, f"{shown(value)} is out of range", Code.OUT_OF_RANGE, hint)
