"""Whether a program fits the parameters and the metrics of its space."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from search_spaces import templates
from search_spaces.domains import Choice, Constant, Domain
from search_spaces.errors import Code, Problem, did_you_mean, pointer_to
from search_spaces.objectives import RESERVED_METRICS
from search_spaces.program import Program, flag_key, flags_json
from search_spaces.values import shown

#: Placeholders besides the names of parameters. ``args`` stands for all parameters.
PLACEHOLDERS = ("args", "config", "seed", "epochs", "trial_dir", "checkpoint_dir")
#: Names that the table of curves has for itself.
_COLUMNS = ("trial", "epoch")


def program_problems(members: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong between the program, where there is one, and the space's members."""
    program: Program | None = members.get("program")
    if program is None:
        return
    parameters: Mapping[str, Domain] = members["parameters"]
    used: set[str] = set()
    for pointer, text in _templates(program):
        yield from _placeholder_problems(text, pointer, program, parameters)
        used |= set(templates.names(text))
    if program.command:
        yield from _flag_problems(program, parameters, used)
    yield from _metric_problems(members)
    yield from _pattern_problems(members, program)
    if program.early_end and members.get("epochs") == 1:
        detail = "a program of one epoch cannot end before the last one"
        hint = "give epochs, the most that it reports, or leave early_end out"
        yield Problem("/early_end", detail, Code.NOT_APPLICABLE, hint)


def _templates(program: Program) -> Iterator[tuple[str, str]]:
    for index, argument in enumerate(program.command):
        yield f"/command/{index}", argument
    for name, value in program.environment.items():
        yield pointer_to("environment", name), value


def _placeholder_problems(
    text: str, pointer: str, program: Program, parameters: Mapping[str, Domain]
) -> Iterator[Problem]:
    whole = templates.whole(text)
    for name in templates.names(text):
        if name in PLACEHOLDERS and name in parameters:
            detail = f"{{{name}}} is the service's own, and a parameter has this name"
            hint = f"rename the parameter, or pass it in {{args}} only, without {{{name}}}"
            yield Problem(pointer, detail, Code.DUPLICATE, hint)
        elif name == "args" and (whole is None or pointer.startswith("/environment")):
            detail = "{args} stands for several arguments"
            hint = 'make "{args}" an argument of the command of its own'
            yield Problem(pointer, detail, Code.INVALID_VALUE, hint)
        elif name in PLACEHOLDERS:
            continue
        elif name not in parameters:
            detail = f"{{{name}}} is no parameter"
            close = did_you_mean(name, [*parameters, *PLACEHOLDERS])
            hint = f"{close} ({{{{ and }}}} are braces)"
            yield Problem(pointer, detail, Code.UNKNOWN_PARAMETER, hint)
        elif parameters[name].when:
            detail = f"{{{name}}} has no value where the conditions of {name} do not hold"
            hint = 'pass it in "{args}", or in the file {config}'
            yield Problem(pointer, detail, Code.INVALID_VALUE, hint)
        elif whole is None:
            yield from _part_problems(name, pointer, program)


def _part_problems(name: str, pointer: str, program: Program) -> Iterator[Problem]:
    """Yield where a flag of several arguments is wanted within a single one."""
    for value, arguments in program.flags.get(name, {}).items():
        if len(arguments) > 1:
            detail = f"{name} {value} stands for {len(arguments)} arguments, not a part of one"
            hint = f'make "{{{name}}}" an argument of its own'
            yield Problem(pointer, detail, Code.INVALID_VALUE, hint)


def _flag_problems(
    program: Program, parameters: Mapping[str, Domain], used: set[str]
) -> Iterator[Problem]:
    for name in program.flags:
        if name not in parameters:
            detail = f"flags are for parameters, and none is called {shown(name)}"
            hint = did_you_mean(name, parameters)
            yield Problem(pointer_to("flags", name), detail, Code.UNKNOWN_PARAMETER, hint)
    for name, domain in parameters.items():
        if name in used or "args" in used:
            yield from _missing_flags(name, domain, program.flags.get(name, {}))


def _missing_flags(
    name: str, domain: Domain, flags: Mapping[str, tuple[str, ...]]
) -> Iterator[Problem]:
    """Yield a problem where a value has no spelling that programs agree on: true, false, null."""
    words = [flag_key(v) for v in _values(domain) if v is None or isinstance(v, bool)]
    missing = [word for word in words if word not in flags]
    if missing:
        spelled = {"true": f"--{name}", "false": "", "null": ""}
        written = flags_json(flags) | {word: spelled[word] for word in missing}
        detail = f"{name} can be {' or '.join(missing)}, which programs spell in different ways"
        hint = f'say which arguments stand for it: "flags": {json.dumps({name: written})}'
        yield Problem(pointer_to("flags", name), detail, Code.MISSING, hint)


def _values(domain: Domain) -> tuple[Any, ...]:
    match domain:
        case Constant():
            return (domain.value,)
        case Choice():
            return tuple(domain.values)
    return ()


def _pattern_problems(members: Mapping[str, Any], program: Program) -> Iterator[Problem]:
    """Yield the compared metrics that no pattern finds, where there are patterns."""
    if not program.patterns:
        return
    for pointer, name in _compared(members):
        if name not in program.patterns and name not in RESERVED_METRICS:
            detail = f"no pattern finds the metric {shown(name)}"
            known = [each for each in program.patterns if each != "epoch"]
            yield Problem(pointer, detail, Code.UNKNOWN_METRIC, did_you_mean(str(name), known))


def _compared(members: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the objectives and the limited metrics, each with its pointer."""
    yield "/metric", members.get("metric")
    for index, objective in enumerate(members.get("secondary", ()), start=1):
        yield f"/objectives/{index}/metric", objective.metric
    for index, constraint in enumerate(members.get("constraints", ())):
        yield f"/constraints/{index}/metric", constraint.metric


def _metric_problems(members: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what makes a metric's name unusable in tables, plots and reports."""
    patterns = members["program"].patterns
    found = ((pointer_to("patterns", name), name) for name in patterns if name != "epoch")
    for pointer, name in (*_compared(members), *found):
        if name in _COLUMNS:
            detail = f"curves have a column {name} for something else"
            yield Problem(pointer, detail, Code.BAD_NAME, "let the program print another name")
        elif isinstance(name, str) and not name.isprintable():
            unseen = next(character for character in name if not character.isprintable())
            detail = f"{shown(name)} holds U+{ord(unseen):04X}, which is not seen"
            yield Problem(pointer, detail, Code.BAD_CHARACTER, "use letters, digits and signs")
