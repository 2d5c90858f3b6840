"""How far each trial trains: the scheduler that a space declares, and its parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from search_spaces.errors import Code, Problem, SearchSpaceError, raise_any
from search_spaces.keys import scheduler_hint
from search_spaces.members import read_object, whole_problems
from search_spaces.values import number_problems, shown, wrong_type

MOST_EPOCHS = 1_000_000
MOST_POPULATION = 1000
MOST_FACTOR = 100

#: The parameters of each scheduler; ``auto`` stands for one that a plan chooses.
PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "auto": (),
    "asha": ("reduction_factor", "min_epochs", "stops"),
    "hyperband": ("reduction_factor", "min_epochs", "stops"),
    "median": ("min_epochs", "min_trials"),
    "pbt": (
        "population", "interval", "quantile", "resample_probability", "perturbation", "perturb",
    ),
}  # fmt: skip
SCHEDULERS = tuple(PARAMETERS)


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Which scheduler ends or pauses trials, and its parameters; others' are at their defaults.

    ``reduction_factor``: one of so many trials goes on from a rung. ``min_epochs``: the first epoch
    at which trials are compared. ``min_trials``: the median rule compares with at least so many
    others. ``stops``: a trial ends at a rung where it is not among the best, rather than waiting
    there with a checkpoint for a promotion.

    Of ``pbt``: ``population`` trials train at a time; after every ``interval`` epochs the worst
    ``quantile`` of them is replaced by copies of the best. In a copy each parameter in ``perturb``
    (None: all that may change while the trainable trains) is drawn anew with
    ``resample_probability``, and otherwise multiplied by one of the two factors ``perturbation``.
    """

    name: str
    reduction_factor: int = 3
    min_epochs: int = 1
    min_trials: int = 5
    stops: bool = False
    population: int = 8
    interval: int = 2
    quantile: float = 0.25
    resample_probability: float = 0.25
    perturbation: tuple[float, float] = (0.8, 1.2)
    perturb: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.name not in SCHEDULERS:
            detail = f"{shown(self.name)} is not a scheduler"
            hint = scheduler_hint(self.name, SCHEDULERS)
            raise SearchSpaceError([Problem("/name", detail, Code.UNKNOWN_SCHEDULER, hint)])
        raise_any(self._problems())
        object.__setattr__(self, "perturbation", tuple(sorted(self.perturbation)))
        if self.perturb is not None:
            object.__setattr__(self, "perturb", tuple(self.perturb))

    def _problems(self) -> Iterator[Problem]:
        yield from whole_problems(self.reduction_factor, "/reduction_factor", 2, 100)
        yield from whole_problems(self.min_epochs, "/min_epochs", 1, MOST_EPOCHS)
        yield from whole_problems(self.min_trials, "/min_trials", 1, 1000)
        stops: Any = self.stops
        if not isinstance(stops, bool):
            yield wrong_type("/stops", stops, "either true or false")
        yield from whole_problems(self.population, "/population", 2, MOST_POPULATION)
        yield from whole_problems(self.interval, "/interval", 1, MOST_EPOCHS)
        quantile, probability = self.quantile, self.resample_probability
        hint = "use a number above 0 and up to 0.5"
        yield from _number_problems(quantile, "/quantile", lambda q: 0 < q <= 0.5, hint)
        hint = "use a number from 0 to 1"
        yield from _number_problems(
            probability, "/resample_probability", lambda p: 0 <= p <= 1, hint
        )
        yield from _factor_problems(self.perturbation)
        if self.perturb is not None:
            yield from _name_problems(self.perturb)

    @property
    def first_rung(self) -> int:
        """The first epoch at which trials are compared, 0 for ``none`` and ``auto``."""
        if self.is_population:
            return self.interval
        return self.min_epochs if "min_epochs" in PARAMETERS[self.name] else 0

    @property
    def is_population(self) -> bool:
        """Whether trials are replaced by copies of others, whose parameters then change."""
        return self.name == "pbt"

    @property
    def replaced(self) -> int:
        """How many trials of a population are replaced at a time, never more than half of it."""
        return min(math.ceil(self.population * self.quantile), self.population // 2)

    def most_copies(self, epochs: int) -> int:
        """Return how many trials are copied at most, where each trains so many epochs."""
        return self.replaced * ((epochs - 1) // self.interval) if self.is_population else 0

    @property
    def promotes(self) -> bool:
        """Whether trials wait at rungs and may go on later, which needs their states."""
        return "stops" in PARAMETERS[self.name] and not self.stops

    def for_trainable(self, *, resumes: bool) -> Scheduler:
        """Return the scheduler of a trainable: one that does not resume has no trials promoted."""
        return replace(self, stops=True) if self.promotes and not resumes else self

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
        own = {key: list(v) if isinstance(v, tuple) else v for key, v in own.items()}
        return {"name": self.name, **own} if own else self.name


def rung_epochs(min_epochs: int, reduction_factor: int, epochs: int) -> tuple[int, ...]:
    """Return the epochs of the rungs, ascending: ``min_epochs * reduction_factor**k``, the last.

    All are below ``epochs`` but the last one, which is ``epochs``.

    Raises:
        ValueError: If ``min_epochs`` or ``epochs`` is below 1, or ``reduction_factor`` below 2.
    """
    if min_epochs < 1 or epochs < 1:
        raise ValueError(f"min_epochs and epochs must be at least 1, got {min_epochs} and {epochs}")
    if reduction_factor < 2:
        raise ValueError(f"reduction_factor must be at least 2, got {reduction_factor}")
    found, epoch = [], min_epochs
    while epoch < epochs:
        found.append(epoch)
        epoch *= reduction_factor
    return (*found, epochs)


def _number_problems(
    value: Any, pointer: str, is_in_range: Callable[[float], bool], hint: str
) -> Iterator[Problem]:
    problems = list(number_problems(value, pointer))
    yield from problems
    if not problems and not is_in_range(value):
        yield Problem(pointer, f"{shown(value)} is out of range", Code.OUT_OF_RANGE, hint)


def _factor_problems(factors: Any) -> Iterator[Problem]:
    pointer, wanted = "/perturbation", "a list of two factors, like [0.8, 1.2]"
    if not isinstance(factors, list | tuple) or len(factors) != 2:
        yield wrong_type(pointer, factors, wanted)
        return
    problems = [p for at, f in enumerate(factors) for p in number_problems(f, f"{pointer}/{at}")]
    yield from problems
    if not problems and not 0 < min(factors) < 1 < max(factors) <= MOST_FACTOR:
        detail = f"{shown(list(factors))} are not a factor below 1 and one above it"
        hint = f"use factors above 0 and up to {MOST_FACTOR}, like [0.8, 1.2]"
        yield Problem(pointer, detail, Code.OUT_OF_RANGE, hint)


def _name_problems(names: Any) -> Iterator[Problem]:
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        yield wrong_type("/perturb", names, "a list of the names of parameters")
    elif not names:
        hint = "name at least one parameter, or leave perturb out"
        yield Problem("/perturb", "the list is empty", Code.EMPTY, hint)


#: Every trial trains all its epochs.
NO_SCHEDULER = Scheduler("none")
#: A plan chooses the scheduler.
AUTO_SCHEDULER = Scheduler("auto")
