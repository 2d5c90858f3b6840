"""Drafts a search space, with its comments, from what was found in a program."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from results.formatting import count
from search_spaces import PLACEHOLDERS
from service.cli.init.guessing import Guess, guess
from service.cli.init.metrics import are_once, objective
from service.cli.init.program import Program

_NAME = re.compile(r"(?=.{1,64}\Z)[A-Za-z_][A-Za-z0-9_]*([.-][A-Za-z0-9_]+)*")
_TO_FILL = "CHANGE_ME"
_EPOCHS = 10
_MORE = (
    "More of what a search may say (docs/search-spaces.md):",
    "  strategy: grid                    # or random, tpe, gp, ...; auto chooses",
    "  scheduler: asha                   # ends weak trials early; needs several epochs",
    "  budget: {seconds: 3600}           # ends the search",
    "  early_end: true                   # the program may report fewer epochs",
    "  constraints: [{metric: x, at_most: 1}]",
)


@dataclass
class Draft:
    """A space in JSON, its comments, and what to tell the user."""

    space: dict[str, Any]
    header: list[str]
    above: dict[str, Sequence[str]] = field(default_factory=dict)
    beside: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)


def drafted(program: Program) -> Draft:
    """Return the draft for a program."""
    once = are_once(program.printed)
    guesses = [guess(argument, once=once) for argument in program.arguments]
    varied = [one for one in guesses if one.role == "varied" and _usable(one.argument.name)]
    stem = Path(program.name).stem.lower()
    name = re.sub(r"[^a-z0-9_-]+", "_", stem).strip("_-")[:64] or "search"
    space: dict[str, Any] = {"name": name, "command": _command(program, guesses, varied),
                             "code": "."}  # fmt: skip
    draft = Draft(space, [f"A search over {program.name}, drafted by `argbest init`."])
    if flags := {one.argument.name: one.flags for one in varied if one.flags}:
        space["flags"] = flags
    _describe_metrics(draft, program)
    _describe_epochs(draft, guesses, once=once)
    if program.has_checkpoints:
        space["resumes"] = True
    if len(varied) > 0:
        space["trials"] = 20
        draft.beside["trials"] = "configurations to try"
    _describe_parameters(draft, program, guesses, varied)
    draft.told += program.notes
    return draft


def _usable(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and name not in PLACEHOLDERS


def _command(program: Program, guesses: Sequence[Guess], varied: Sequence[Guess]) -> list[str]:
    words = [word.replace("{", "{{").replace("}", "}}") for word in program.words]
    places = {"epochs": "{epochs}", "seed": "{seed}", "checkpoints": "{checkpoint_dir}"}
    for one in guesses:
        value = places.get(one.role, _TO_FILL if one.role == "needed" else None)
        if value is not None:
            words += _written(one, value)
    short = [one for one in varied if not one.argument.flag.startswith("--")]
    if len(varied) > len(short):
        words.append("{args}")
    # {args} has all parameters as --name=value; a short flag cannot be written so.
    if short and len(varied) > len(short):
        words.remove("{args}")
        words += [part for one in varied for part in _written(one, f"{{{one.argument.name}}}")]
    elif short:
        words += [part for one in short for part in _written(one, f"{{{one.argument.name}}}")]
    elif not varied:
        words.append("{args}")
    return words


def _written(one: Guess, value: str) -> list[str]:
    flag = one.argument.flag
    if one.argument.is_positional or one.flags:
        return [value]
    return [f"{flag}={value}"] if flag.startswith("--") else [flag, value]


def _describe_metrics(draft: Draft, program: Program) -> None:
    chosen = objective(program.printed)
    patterns = {one.name: one.pattern for one in program.printed if one.pattern}
    if patterns:
        draft.space["patterns"] = patterns
        lines = {one.name: one.line for one in program.printed}
        draft.above["patterns"] = ["How metrics are found in what the program prints."]
        draft.beside |= {f"patterns/{name}": f"line {lines[name]}" for name in patterns}
    metric, mode = chosen or ("val_loss", "min")
    draft.space |= {"metric": metric, "mode": mode}
    draft.beside["mode"] = "whether less or more is better: min or max"
    if chosen is None:
        draft.above["metric"] = [
            "CHANGE THIS: no metric was found in what the program prints. Let it print a line of",
            'JSON after each epoch, {"epoch": 1, "val_loss": 0.5}, or name a pattern for a text',
            r"that it prints: patterns: {val_loss: 'val loss: ([0-9.]+)'}",
        ]
        draft.told.append(
            "no metric was found in what the program prints: the file says what to do"
        )
    else:
        others = [one.name for one in program.printed if one.name not in (metric, "epoch")]
        also = f"also printed: {', '.join(others)}" if others else "what trials are compared by"
        draft.beside["metric"] = also
        draft.told.append(f"metric: {metric} ({mode}), as the program prints it")


def _describe_epochs(draft: Draft, guesses: Sequence[Guess], *, once: bool) -> None:
    if once:
        draft.space["epochs"] = 1
        draft.beside["epochs"] = "it reports once, at its end"
        return
    own = next((one for one in guesses if one.role == "epochs"), None)
    default = own.argument.default if own else None
    if own is not None:
        draft.space["epochs"] = default if isinstance(default, int) and default > 0 else _EPOCHS
        draft.beside["epochs"] = "how often each trial reports; the program gets it as {epochs}"
    else:
        draft.space |= {"epochs": 1000, "early_end": True}
        draft.beside["epochs"] = "at most so many reports a trial"
        draft.beside["early_end"] = "a program may end after fewer"


def _describe_parameters(
    draft: Draft, program: Program, guesses: Sequence[Guess], varied: Sequence[Guess]
) -> None:
    draft.space["parameters"] = {one.argument.name: one.domain for one in varied}
    where = "its --help" if program.by_help else f"the arguments of {program.name}"
    draft.above["parameters"] = [
        f"Found in {where}. RANGES ARE GUESSES: correct them, or write",
        "values: [a, b]; low and high; log: true for rates; or a constant.",
    ]
    for one in varied:
        said = f"{one.why}; {one.argument.help}" if one.argument.help else one.why
        draft.beside[f"parameters/{one.argument.name}"] = said[:120]
    left = [one for one in guesses if one.role in ("left", "needed") or _is_dropped(one, varied)]
    lines = [f"  {one.argument.flag}: {one.why or 'its name'}" for one in left]
    if not varied:
        draft.space["parameters"] = {"example": 1}
        draft.above["parameters"] = [
            "CHANGE THIS: no argument to vary was found. Name the program's parameters here; it",
            "gets them as --name=value by {args} in the command (or write {name} there), and as",
            "JSON in the file named by ARGBEST_CONFIG.",
            "  learning_rate: {low: 0.0001, high: 0.1, log: true, default: 0.01}",
            "  optimizer: {values: [adam, sgd]}",
        ]
        draft.told.append("no argument to vary was found: name the parameters in the file")
    else:
        draft.told.append(f"{count(len(varied), 'parameter')}; their ranges are guesses")
    needed = [one.argument.flag for one in guesses if one.role == "needed"]
    if needed:
        draft.above["command"] = [f"CHANGE THIS: give {', '.join(needed)} a value."]
        draft.told.append(f"give {', '.join(needed)} a value in command")
    ending = ["", "Not varied, so that the program's default counts:", *lines] if lines else []
    draft.above[""] = [*ending, "", *_MORE]


def _is_dropped(one: Guess, varied: Sequence[Guess]) -> bool:
    return one.role == "varied" and one not in varied
