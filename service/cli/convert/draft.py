"""A search space under construction, from another system's file."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from search_spaces import PLACEHOLDERS, flag_key
from service.cli.convert.domains import constants, values_of

#: Epochs of a program of which the file does not say how often it reports.
EPOCHS = 100
#: What stands for the metric where a file names none.
UNNAMED = "objective"
#: A parameter's name: as search_spaces.space declares it.
_NAME = re.compile(r"(?=.{1,64}\Z)[A-Za-z_][A-Za-z0-9_]*([.-][A-Za-z0-9_]+)*")
#: Parameters by which programs are told how long to train.
_EPOCH_NAMES = ("epochs", "num_epochs", "max_epochs", "n_epochs", "num-epochs", "max-epochs")


class NotConvertible(Exception):
    """A file cannot be converted; the message says why and what to do."""


@dataclass
class Draft:
    """The members of a space so far, and what to say of it.

    ``kind`` names the other system. ``lost`` has what has no counterpart here, ``notes`` what was
    changed or is to be done. ``originals`` maps each parameter to its name in the other system.
    """

    kind: str
    members: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    flags: dict[str, dict[str, Any]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    originals: dict[str, str] = field(default_factory=dict)

    def note(self, text: str) -> None:
        """Say once what was changed or is to be done."""
        if text not in self.notes:
            self.notes.append(text)

    def lose(self, text: str) -> None:
        """Say once what has no counterpart."""
        if text not in self.lost:
            self.lost.append(text)

    def lose_others(self, raw: Mapping[str, Any], known: Collection[str], where: str = "") -> None:
        """Say of each key of ``raw`` that is not ``known`` that it has no counterpart."""
        for key in raw:
            if key not in known:
                self.lose(f"{where}{key}")

    def about(self, name: str) -> Callable[[str], None]:
        """Return a function that notes something about the parameter ``name``."""
        return lambda text: self.note(f"parameter {name}: {text}")

    def add(self, original: str, domain: Any) -> str:
        """Declare a parameter and return its name, which is ``original`` where that can be."""
        name = original
        if not _NAME.fullmatch(original):
            name = re.sub(r"[^A-Za-z0-9_.-]+", "_", original).strip("._-")[:60] or "p"
            name = re.sub(r"([.-])[.-]+", r"\1", name)
            name = name if _NAME.fullmatch(name) else f"p_{re.sub(r'[.-]', '_', name)}"
        while name in self.parameters:
            name += "_"
        if name != original:
            self.note(f"parameter {original}: called {name} here")
        self.parameters[name] = domain
        self.originals[name] = original
        return name

    def named(self, original: str) -> str | None:
        """Return the parameter whose name in the other system is ``original``."""
        return next((name for name, other in self.originals.items() if other == original), None)


def arguments(draft: Draft, style: str) -> list[str]:
    """Return a program's arguments for all parameters, one by one where they were renamed.

    ``style`` writes one of them: ``--{name}={value}`` for instance. Values that are true, false or
    null get the draft's ``flags`` in the other system's spelling, unless they have some.
    """
    renamed = any(name != original for name, original in draft.originals.items())
    together = style == "--{name}={value}" and not renamed
    if any(
        isinstance(domain, Mapping) and "when" in domain for domain in draft.parameters.values()
    ):
        if not together:
            draft.note("parameters under conditions are passed as --name=value, by {args}")
        together = True
    if not together:
        _rename_placeholders(draft)
    for name, domain in draft.parameters.items():
        special = [value for value in values_of(domain) if value is None or isinstance(value, bool)]
        words = {flag_key(v): flag_key(v) if style[0] == "{" else str(v) for v in special}
        written = {key: _styled(style, draft.originals[name], word) for key, word in words.items()}
        if own := written | draft.flags.get(name, {}):
            draft.flags[name] = own
    if together:
        return ["{args}"]
    # An argument that is a flag's alone stands as the parameter itself.
    return [
        "{" + name + "}" if name in draft.flags else _styled(style, original, "{" + name + "}")
        for name, original in draft.originals.items()
    ]


def _rename_placeholders(draft: Draft) -> None:
    """Give parameters that are called as a placeholder of the service another name."""
    for name in [name for name in draft.parameters if name in PLACEHOLDERS]:
        draft.note(f"parameter {name}: called {name}_ here, as {{{name}}} is the service's own")
        members = draft.parameters, draft.originals
        for values in members:
            values[f"{name}_"] = values.pop(name)


def _styled(style: str, name: str, value: str) -> str:
    return style.replace("{name}", escaped(name)).replace("{value}", value)


def escaped(text: str) -> str:
    """Return a text that a command takes as it is: braces are doubled."""
    return text.replace("{", "{{").replace("}", "}}")


def objectives(draft: Draft, modes: Iterable[str], names: Iterable[str] = ()) -> None:
    """Declare the metrics, ``min`` or ``max`` each; those without a name get one."""
    modes, names = list(modes) or ["min"], list(names)
    if len(names) != len(modes):
        names = [UNNAMED] if len(modes) == 1 else [f"{UNNAMED}_{i}" for i, _ in enumerate(modes, 1)]
        printed = ", ".join(f'"{name}": ...' for name in names)
        draft.note(
            f"the file names no metric: let the program print a line {{{printed}}} after each "
            "epoch, or write the metric's name as metric and find it by patterns"
        )
    if len(names) == 1:
        draft.members |= {"metric": names[0], "mode": modes[0]}
    else:
        found = zip(names, modes, strict=True)
        draft.members["objectives"] = [{"metric": name, "mode": mode} for name, mode in found]


def take_epochs(draft: Draft, most: int | None = None) -> None:
    """Declare the epochs: ``most``, else those of a constant parameter, else a guess.

    A constant parameter that names them is left out of the space, as ``{epochs}`` stands for it.
    """
    found = constants(draft.parameters)
    name = next((n for n in _EPOCH_NAMES if isinstance(found.get(n), int) and found[n] > 0), None)
    if name is not None:
        draft.members["epochs"] = draft.parameters.pop(name)
        draft.members["epochs_argument"] = draft.originals.pop(name)
        return
    draft.members |= {"epochs": most or EPOCHS, "early_end": True}
    if most is None:
        draft.note(
            f"epochs: the file does not say how often the program reports; {EPOCHS} is the most, "
            "and early_end lets it report less often"
        )
