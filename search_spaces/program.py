"""What a space runs instead of a registered trainable: a command, or a function of a file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from search_spaces.domains import Domain
from search_spaces.errors import Code, Problem, SearchSpaceError
from search_spaces.program_members import READERS

#: The ``trainable`` of a space that runs a command.
COMMAND = "command"
#: The ``dataset`` of a space whose program brings its own data.
NO_DATASET = "none"

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_FUNCTION = re.compile(r"(?P<file>[^:]+\.py):(?P<function>[A-Za-z_]\w*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program, and how values reach it and metrics come back.

    ``command`` is its list of arguments with placeholders, empty for a function (the space's
    ``trainable`` names it: ``my_model.py:train``). ``code`` is the digest of the folder that is
    sent along (in a file of the user: the folder's path), "" where there is none. ``environment``
    has variables by name, their values with placeholders. ``flags`` has, by parameter and by value
    (:func:`flag_key`), the arguments that stand for it. ``patterns`` has, by metric, the regular
    expression whose one group finds the number in a printed line. With ``early_end`` the program
    may end before the last epoch; with ``resumes`` it goes on from ``ARGBEST_CHECKPOINT_DIR``.
    ``parameters_schema`` is the JSON Schema of a function's parameters, None where any are taken.
    """

    command: tuple[str, ...] = ()
    code: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    patterns: Mapping[str, str] = field(default_factory=dict)
    early_end: bool = False
    resumes: bool = False
    parameters_schema: Mapping[str, Any] | None = None

    @property
    def is_function(self) -> bool:
        """Whether a function of a Python file is trained, rather than a command run."""
        return not self.command

    @property
    def is_packed(self) -> bool:
        """Whether ``code`` is a digest, or there is none, rather than the path of a folder."""
        return not self.code or is_digest(self.code)

    def kept_for(self, parameters: Mapping[str, Domain]) -> Program:
        """Return the program without the flags of parameters that there are no longer."""
        flags = {name: chosen for name, chosen in self.flags.items() if name in parameters}
        return replace(self, flags=flags)

    def to_json(self) -> dict[str, Any]:
        """Return the members that are not at their defaults; they lie at the space's top level."""
        members = {key: getattr(self, key) for key in PROGRAM_KEYS}
        written = {key: value for key, value in members.items() if value}
        if self.command:
            written["command"] = list(self.command)
        if self.flags:
            written["flags"] = {name: flags_json(chosen) for name, chosen in self.flags.items()}
        return written


#: The JSON keys of a program, at the top level of its space.
PROGRAM_KEYS = tuple(member.name for member in fields(Program))


def flag_key(value: object) -> str:
    """Return the key of ``flags`` that a parameter's value has: text as it is, else its JSON."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def is_digest(code: str) -> bool:
    """Whether ``code`` names an archive by its digest, rather than a folder by its path."""
    return _DIGEST.fullmatch(code) is not None


def function_of(trainable: str) -> tuple[str, str] | None:
    """Return the file and the function that ``my_model.py:train`` names, None for other names."""
    found = _FUNCTION.fullmatch(trainable)
    return None if found is None else (found["file"], found["function"])


def read_program(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the members of a space that follow from the keys of a program, and what is wrong.

    They are ``program`` and, where ``raw`` has none, ``trainable``, ``dataset`` and ``epochs``;
    none where ``raw`` declares no program.
    """
    trainable = raw.get("trainable")
    is_function = isinstance(trainable, str) and function_of(trainable) is not None
    given = [key for key in PROGRAM_KEYS if key in raw]
    if not is_function and "command" not in raw and trainable != COMMAND:
        return {}, list(_unwanted(given))
    members: dict[str, Any] = {}
    problems: list[Problem] = []
    for key in given:
        try:
            members[key] = READERS[key](raw[key], f"/{key}")
        except SearchSpaceError as error:
            problems += error.problems
    problems += _kind_problems(raw, is_function=is_function)
    implied = {"trainable": COMMAND, "dataset": NO_DATASET, "epochs": 1}
    found = {key: value for key, value in implied.items() if key not in raw}
    return (found | {"program": Program(**members)}), problems


def _unwanted(given: list[str]) -> Iterator[Problem]:
    for key in given:
        detail = f"{key} is for a program, and the space runs a registered trainable"
        hint = "leave it out, or add a command, or name a function: trainable: my_model.py:train"
        yield Problem(f"/{key}", detail, Code.NOT_APPLICABLE, hint)


def _kind_problems(raw: Mapping[str, Any], *, is_function: bool) -> Iterator[Problem]:
    """Yield what a command or a function must have or cannot have."""
    if is_function:
        for key in ("command", "flags", "patterns"):
            if key in raw:
                detail = f"{key} is for a command, and the trainable is a function"
                hint = "leave out either it or trainable"
                yield Problem(f"/{key}", detail, Code.NOT_APPLICABLE, hint)
        if not raw.get("code"):
            detail = "the function's file must be sent along"
            hint = 'name its folder: "code": "."'
            yield Problem("/code", detail, Code.MISSING, hint)
        return
    if "command" not in raw:
        detail = "the trainable command needs a command"
        yield Problem("/command", detail, Code.MISSING, 'add one: ["python", "train.py", "{args}"]')
    for key, word in (("trainable", COMMAND), ("dataset", NO_DATASET)):
        if raw.get(key, word) != word:
            detail = f"a command has no {key}: it is {word}"
            yield Problem(f"/{key}", detail, Code.NOT_APPLICABLE, "leave it out")
    if "parameters_schema" in raw:
        detail = "only a function has a model of its parameters"
        yield Problem("/parameters_schema", detail, Code.NOT_APPLICABLE, "leave it out")


def flags_json(flags: Mapping[str, tuple[str, ...]]) -> dict[str, str | list[str]]:
    """Return each value's arguments as they are written: "" none, a text one, a list several."""
    return {
        value: "".join(arguments) if len(arguments) < 2 else list(arguments)
        for value, arguments in flags.items()
    }
