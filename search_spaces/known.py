"""Trials from elsewhere that a sampler is told: another tool's study, a table of results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search_spaces.errors import Code, Problem, pointer_to, raise_any
from search_spaces.members import read_object
from search_spaces.objectives import mode_problems
from search_spaces.values import Value, number_problems, value_problems, wrong_type

#: They stand in the job's specification, which is shown with the job.
MOST_KNOWN = 500
_MOST_NUMBERS = 100


@dataclass(frozen=True, slots=True)
class KnownTrial:
    """The parameters of a trial from elsewhere, and what it came to.

    ``values`` are those of the objectives in order; ``metrics`` has values by the metrics' names.
    One of the two is needed. ``modes`` are the better directions of the ``values``, where the
    source says: one that is not the objective's makes the trial unfit.

    Raises:
        SearchSpaceError: With every problem, at pointers like ``/values/0``.
    """

    parameters: Mapping[str, Value]
    values: Sequence[float] = ()
    metrics: Mapping[str, float] | None = None
    modes: Sequence[str] = ()

    def __post_init__(self) -> None:
        raise_any(self._problems())
        object.__setattr__(self, "parameters", dict(self.parameters))
        object.__setattr__(self, "values", tuple(self.values))
        object.__setattr__(self, "metrics", dict(self.metrics or {}))
        object.__setattr__(self, "modes", tuple(self.modes))

    @classmethod
    def from_json(cls, raw: object, pointer: str = "") -> KnownTrial:
        """Return the trial that ``raw`` describes.

        Raises :class:`SearchSpaceError` with every problem, at pointers under ``pointer``.
        """
        return read_object(cls, raw, pointer)

    def to_json(self) -> dict[str, Any]:
        """Return the members that there are."""
        members = {
            "parameters": dict(self.parameters),
            "values": list(self.values),
            "metrics": dict(self.metrics or {}),
            "modes": list(self.modes),
        }
        return {name: member for name, member in members.items() if member or name == "parameters"}

    def _problems(self) -> Iterator[Problem]:
        metrics: Any = {} if self.metrics is None else self.metrics
        objects = {"parameters": self.parameters, "metrics": metrics}
        lists = {"values": self.values, "modes": self.modes}
        wrong = [
            *(wrong_type(f"/{name}", value, "an object of names and values")
              for name, value in objects.items() if not isinstance(value, Mapping)),
            *(wrong_type(f"/{name}", value, "a list")
              for name, value in lists.items() if not isinstance(value, list | tuple)),
        ]  # fmt: skip
        yield from wrong
        if wrong:
            return
        for name, entries in {**objects, **lists}.items():
            if len(entries) > _MOST_NUMBERS:
                detail = f"{len(entries)} entries are too many"
                yield Problem(f"/{name}", detail, Code.TOO_MANY, f"give at most {_MOST_NUMBERS}")
        yield from self._entry_problems(metrics)

    def _entry_problems(self, metrics: Mapping[str, object]) -> Iterator[Problem]:
        for name, value in self.parameters.items():
            yield from value_problems(value, pointer_to("parameters", name))
        for name, number in metrics.items():
            yield from number_problems(number, pointer_to("metrics", name))
        for index, number in enumerate(self.values):
            yield from number_problems(number, pointer_to("values", index))
        for index, mode in enumerate(self.modes):
            yield from (p.under(pointer_to("modes", index)) for p in mode_problems(mode))
        if not self.values and not metrics:
            detail = "the trial has no value"
            hint = 'give "values", those of the objectives in order, or "metrics" by name'
            yield Problem("/parameters", detail, Code.MISSING, hint)
