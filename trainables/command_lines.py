"""From a program and its parameters' values to the arguments and the environment that it gets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from search_spaces import Program, flag_key, templates


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Fills the templates of a program.

    ``parameters`` are the values by name, ``places`` the texts of the placeholders besides them,
    such as ``seed`` (:data:`search_spaces.PLACEHOLDERS`).
    """

    program: Program
    parameters: Mapping[str, Any]
    places: Mapping[str, str]

    def arguments(self) -> list[str]:
        """Return the command, as a list of at least one argument."""
        return [part for template in self.program.command for part in self._of(template)]

    def environment(self) -> dict[str, str]:
        """Return the variables that the space sets."""
        return {
            name: templates.filled(template, self._one)
            for name, template in self.program.environment.items()
        }

    def _of(self, template: str) -> Iterator[str]:
        name = templates.whole(template)
        if name == "args":
            for parameter, value in self.parameters.items():
                flags = self._flags(parameter, value)
                yield from [f"--{parameter}={text_of(value)}"] if flags is None else flags
        elif name is not None and name in self.parameters and name not in self.places:
            flags = self._flags(name, self.parameters[name])
            yield from [text_of(self.parameters[name])] if flags is None else flags
        else:
            yield templates.filled(template, self._one)

    def _one(self, name: str) -> str:
        """Return the text of a placeholder inside an argument."""
        if name in self.places:
            return self.places[name]
        value = self.parameters[name]
        flags = self._flags(name, value)
        return text_of(value) if flags is None else "".join(flags)

    def _flags(self, name: str, value: object) -> tuple[str, ...] | None:
        return self.program.flags.get(name, {}).get(flag_key(value))


def text_of(value: object) -> str:
    """Return a parameter's value as an argument has it: text as it is, else its JSON."""
    return value if isinstance(value, str) else json.dumps(value)
