"""Reads the members of a program, each by itself."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from search_spaces import templates
from search_spaces.errors import Code, Problem, SearchSpaceError, pointer_to, raise_any
from search_spaces.given_schema import read_schema
from search_spaces.members import read_list
from search_spaces.objectives import metric_problems
from search_spaces.patterns import PatternError, compiled
from search_spaces.text import unprintable
from search_spaces.values import shown, text_problems, wrong_type

MOST_ARGUMENTS = 200
LONGEST_ARGUMENT = 10_000
MOST_VARIABLES = 100
MOST_FLAGS = 1000
MOST_PATTERNS = 50

#: An option and its value, unless the text goes on with ``=``: a name with a space in it.
_TWO = re.compile(r"--?[A-Za-z][\w-]* +[^\s=]+\s*\Z")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
#: Variables that the service sets itself: its own, and those that give a trial its GPUs.
RESERVED_VARIABLES = re.compile(
    r"ARGBEST_.*|RAY_.*|(CUDA|NVIDIA|HIP|ROCR)_VISIBLE_DEVICES|LD_PRELOAD|LD_AUDIT"
)


def _command(raw: object, pointer: str) -> tuple[str, ...]:
    if isinstance(raw, str):
        raise SearchSpaceError([_as_text(raw, pointer)])
    found = read_list(_command_argument, raw, pointer, MOST_ARGUMENTS, "a list of arguments")
    if not found or not found[0].strip():
        hint = 'write ["python", "train.py", "{args}"] for instance'
        raise SearchSpaceError([Problem(pointer, "the command is empty", Code.EMPTY, hint)])
    return found


def _as_text(raw: str, pointer: str) -> Problem:
    try:
        arguments = shlex.split(raw)
    except ValueError:
        arguments = raw.split()
    detail = "a command is a list of arguments, not one text"
    written = json.dumps(arguments, ensure_ascii=False)[:LONGEST_ARGUMENT]
    return Problem(pointer, detail, Code.WRONG_TYPE, f"write {written}")


def _one_argument(raw: object, pointer: str) -> str:
    """Read an argument; one that looks like two is refused, as programs understand it so."""
    text = _argument(raw, pointer)
    if _TWO.match(text):
        first, rest = text.split(None, 1)
        detail = f"{shown(text)} is one argument, and looks like two"
        hint = f"write {json.dumps([first, rest], ensure_ascii=False)}"
        raise SearchSpaceError([Problem(pointer, detail, Code.INVALID_VALUE, hint)])
    return text


def _command_argument(raw: object, pointer: str) -> str:
    return _template(_one_argument(raw, pointer), pointer)


def _template(raw: object, pointer: str) -> str:
    text = _argument(raw, pointer)
    try:
        templates.names(text)
    except ValueError as error:
        detail = f"{shown(text)} has {error}"
        hint = "write {{ or }} for a brace, and {name} for a value"
        raise SearchSpaceError([Problem(pointer, detail, Code.INVALID_VALUE, hint)]) from None
    return text


def _argument(raw: object, pointer: str) -> str:
    if not isinstance(raw, str):
        problem = wrong_type(pointer, raw, "text")
        raise SearchSpaceError([problem])
    if len(raw) > LONGEST_ARGUMENT:
        detail = f"text of {len(raw)} characters is too long"
        hint = f"use at most {LONGEST_ARGUMENT} characters"
        raise SearchSpaceError([Problem(pointer, detail, Code.TOO_LONG, hint)])
    if character := unprintable(raw, several_lines=True):
        detail = f"{shown(raw)} holds {character}"
        raise SearchSpaceError([Problem(pointer, detail, Code.BAD_CHARACTER, "remove it")])
    return raw


def _code(raw: object, pointer: str) -> str:
    if not isinstance(raw, str):
        raise SearchSpaceError([wrong_type(pointer, raw, "the path of a folder, or a digest")])
    if not raw.strip():
        raise SearchSpaceError([Problem(pointer, "the text is empty", Code.EMPTY, "name a folder")])
    raise_any(text_problems(raw, pointer))
    return raw


def _environment(raw: object, pointer: str) -> dict[str, str]:
    wanted = "an object of names and texts"
    return _read_each(raw, pointer, MOST_VARIABLES, wanted, _variable_problems, _template)


def _variable_problems(name: str, pointer: str) -> Iterator[Problem]:
    if not _VARIABLE.fullmatch(name):
        hint = "use letters, digits and underscores, no digit first"
        detail = f"{shown(name)} is not the name of a variable"
        yield Problem(pointer, detail, Code.BAD_NAME, hint)
    elif RESERVED_VARIABLES.fullmatch(name):
        detail = f"the service sets the variable {name} itself"
        yield Problem(pointer, detail, Code.BAD_NAME, "use another name")


def _flags(raw: object, pointer: str) -> dict[str, dict[str, tuple[str, ...]]]:
    wanted = "an object of parameter names, each with an object of values and arguments"
    return _read_each(raw, pointer, MOST_FLAGS, wanted, _any_name, _flags_of_one)


def _flags_of_one(raw: object, pointer: str) -> dict[str, tuple[str, ...]]:
    wanted = 'an object of values and arguments: {"true": "--amp", "false": ""}'
    return _read_each(raw, pointer, MOST_FLAGS, wanted, _any_name, _flag)


def _flag(raw: object, pointer: str) -> tuple[str, ...]:
    if isinstance(raw, str):
        text = _one_argument(raw, pointer)
        return (text,) if text else ()
    return read_list(_one_argument, raw, pointer, MOST_ARGUMENTS, "text or a list of texts")


def _any_name(name: str, pointer: str) -> Iterator[Problem]:
    yield from text_problems(name, pointer)


def _patterns(raw: object, pointer: str) -> dict[str, str]:
    wanted = "an object of metrics and regular expressions"
    return _read_each(raw, pointer, MOST_PATTERNS, wanted, _metric_problems, _pattern)


def _metric_problems(name: str, pointer: str) -> Iterator[Problem]:
    yield from (problem.under(pointer) for problem in metric_problems(name))


def _pattern(raw: object, pointer: str) -> str:
    if not isinstance(raw, str):
        raise SearchSpaceError([wrong_type(pointer, raw, "a regular expression, as text")])
    try:
        compiled(raw)
    except PatternError as error:
        problem = Problem(pointer, str(error), Code.INVALID_VALUE, error.hint)
        raise SearchSpaceError([problem]) from None
    return raw


def _is_true(raw: object, pointer: str) -> bool:
    if not isinstance(raw, bool):
        raise SearchSpaceError([wrong_type(pointer, raw, "true or false")])
    return raw


def _schema(raw: object, pointer: str) -> dict[str, Any] | None:
    return None if raw is None else read_schema(raw, pointer)


def _read_each(
    raw: object,
    pointer: str,
    most: int,
    wanted: str,
    name_problems: Callable[[str, str], Iterator[Problem]],
    read: Callable[[object, str], Any],
) -> dict[str, Any]:
    """Return what ``read`` makes of each member of the object ``raw``, by name.

    Raises :class:`SearchSpaceError` with every problem of the names and the members.
    """
    if not isinstance(raw, Mapping):
        raise SearchSpaceError([wrong_type(pointer, raw, wanted)])
    if len(raw) > most:
        detail = f"the object has {len(raw)} members"
        raise SearchSpaceError([Problem(pointer, detail, Code.TOO_MANY, f"use at most {most}")])
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, member in raw.items():
        place = pointer + pointer_to(name)
        problems += name_problems(name, place)
        try:
            found[name] = read(member, place)
        except SearchSpaceError as error:
            problems += error.problems
    raise_any(problems)
    return found


#: Reads each member of a program: ``(raw, pointer)`` to its value.
READERS: Mapping[str, Callable[[object, str], Any]] = {
    "command": _command,
    "code": _code,
    "environment": _environment,
    "flags": _flags,
    "patterns": _patterns,
    "early_end": _is_true,
    "resumes": _is_true,
    "parameters_schema": _schema,
}
