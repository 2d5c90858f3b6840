"""How far each trial trains: the scheduler that a space declares, and its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from search_spaces.errors import Code, Problem, SearchSpaceError, raise_any
from search_spaces.keys import scheduler_hint
from search_spaces.members import read_object, whole_problems
from search_spaces.values import shown, wrong_type

MOST_EPOCHS = 1_000_000

#: The parameters of each scheduler; ``auto`` stands for one that a plan chooses.
PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "auto": (),
    "asha": ("reduction_factor", "min_epochs", "stops"),
    "hyperband": ("reduction_factor", "min_epochs", "stops"),
    "median": ("min_epochs", "min_trials"),
}
SCHEDULERS = tuple(PARAMETERS)


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Which scheduler ends or pauses trials, and its parameters; others' are at their defaults.

    ``reduction_factor``: one of so many trials goes on from a rung. ``min_epochs``: the first epoch
    at which trials are compared. ``min_trials``: the median rule compares with at least so many
    others. ``stops``: a trial ends at a rung where it is not among the best, rather than waiting
    there with a checkpoint for a promotion.
    """

    name: str
    reduction_factor: int = 3
    min_epochs: int = 1
    min_trials: int = 5
    stops: bool = False

    def __post_init__(self) -> None:
        if self.name not in SCHEDULERS:
            detail = f"{shown(self.name)} is not a scheduler"
            hint = scheduler_hint(self.name, SCHEDULERS)
            raise SearchSpaceError([Problem("/name", detail, Code.UNKNOWN_SCHEDULER, hint)])
        raise_any(self._problems())

    def _problems(self) -> Iterator[Problem]:
        yield from whole_problems(self.reduction_factor, "/reduction_factor", 2, 100)
        yield from whole_problems(self.min_epochs, "/min_epochs", 1, MOST_EPOCHS)
        yield from whole_problems(self.min_trials, "/min_trials", 1, 1000)
        stops: Any = self.stops
        if not isinstance(stops, bool):
            yield wrong_type("/stops", stops, "either true or false")

    @property
    def first_rung(self) -> int:
        """The first epoch at which trials are compared, 0 for ``none`` and ``auto``."""
        return self.min_epochs if "min_epochs" in PARAMETERS[self.name] else 0

    @property
    def promotes(self) -> bool:
        """Whether trials wait at rungs and may go on later, which needs their states."""
        return "stops" in PARAMETERS[self.name] and not self.stops

    @property
    def ends_trials(self) -> bool:
        """Whether trials may be stopped before their last epoch, for good."""
        return self.stops or self.name == "median"

    @property
    def is_none(self) -> bool:
        """Whether every trial trains all its epochs."""
        return self.name == "none"

    @classmethod
    def from_json(cls, raw: object, pointer: str = "") -> Scheduler:
        """Return the scheduler that ``raw`` declares: its name, or its name and parameters.

        Parameters of other schedulers are unknown keys. Raises :class:`SearchSpaceError` with
        every problem, at pointers under ``pointer``.
        """
        if isinstance(raw, str):
            try:
                return cls(raw)
            except SearchSpaceError as error:
                problems = (Problem("", p.detail, p.code, p.hint) for p in error.problems)
                raise_any(problems, pointer)
        name = raw.get("name") if isinstance(raw, Mapping) else None
        own = PARAMETERS.get(name, ()) if isinstance(name, str) else ()
        known = own if name in SCHEDULERS else tuple(dict.fromkeys(chain(*PARAMETERS.values())))
        return read_object(cls, raw, pointer, ("name", *known))

    def to_json(self) -> Any:
        """Return the name alone, or with the scheduler's own parameters."""
        own = {name: getattr(self, name) for name in PARAMETERS[self.name]}
        return {"name": self.name, **own} if own else self.name


#: Every trial trains all its epochs.
NO_SCHEDULER = Scheduler("none")
#: A plan chooses the scheduler.
AUTO_SCHEDULER = Scheduler("auto")
