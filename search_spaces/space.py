"""A declared search space: what to train, on what, over which values, chosen how."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import InitVar, dataclass, fields
from typing import Any, Literal

from search_spaces.conditions import condition_problems, without_impossible
from search_spaces.configuration import enqueue_problems
from search_spaces.declared import (
    SEARCH_KEYS,
    implied_members,
    known_search_members,
    member_problems,
    read_search_members,
    search_members_json,
)
from search_spaces.domains import Choice, Constant, Domain, Range
from search_spaces.errors import Code, Problem, SearchSpaceError, pointer_to, raise_any
from search_spaces.keys import key_problems, strategy_hint
from search_spaces.known import KnownTrial
from search_spaces.limits import MOST_TRIALS, NO_BUDGET, Budget, Confirm
from search_spaces.members import whole_problems
from search_spaces.objectives import Constraint, Objective, metric_problems, mode_problems
from search_spaces.program import PROGRAM_KEYS, Program, read_program
from search_spaces.program_checks import program_problems
from search_spaces.reading import known_members, read_parameters
from search_spaces.scheduling import MOST_EPOCHS, NO_SCHEDULER, Scheduler
from search_spaces.text import unprintable
from search_spaces.values import Value, shown, text_problems, wrong_type

#: Strategies that draw configurations one after another, by the name of Optuna's sampler.
SAMPLERS = ("auto", "random", "sobol", "tpe", "gp", "cmaes", "nsga2")
#: All strategies; those that are no samplers list their configurations beforehand.
STRATEGIES = ("single", "one_at_a_time", "grid", *SAMPLERS)

DEFAULT_TRIALS = 20
MOST_PARAMETERS = 100
LONGEST_DESCRIPTION = 5_000

SPACE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_PARAMETER_NAME = re.compile(r"(?=.{1,64}\Z)[A-Za-z_][A-Za-z0-9_]*([.-][A-Za-z0-9_]+)*")
_PLAIN_KEYS = (
    "name", "title", "trainable", "dataset", "epochs", "metric", "mode", "strategy", "parameters",
    "trials", "description",
)  # fmt: skip
#: All keys of a space's JSON.
KEYS = (*_PLAIN_KEYS, *SEARCH_KEYS, *PROGRAM_KEYS)
_KEPT_WHEN_FIXED = (
    "name", "title", "trainable", "dataset", "epochs", "metric", "mode", "secondary", "constraints",
    "program",
)  # fmt: skip
_REQUIRED = ("name", "trainable", "dataset", "epochs", "metric", "mode", "parameters")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSpace:
    """A complete search: nothing about what it runs is implied.

    ``trials`` is the number of configurations that a sampler draws (where none is given 20, or the
    scheduler's population if it has one), None for the strategies that list theirs. ``mode`` is the
    better direction of ``metric``, the first objective; ``secondary`` are the others. ``enqueue``
    are configurations that run first, ``warm_start`` the ids of jobs whose trials the sampler is
    told, ``history`` trials from elsewhere that it is told, and each configuration runs with
    ``repeats`` seeds. ``confirm`` None is no confirmation of the winner. ``program`` is run where
    it is not None; ``trainable`` then names its function, or is "command". An invalid space raises
    :class:`SearchSpaceError`, unless ``checked`` says that it is valid;
    :func:`search_spaces.check` finds out whether its trainable takes the values.
    """

    name: str
    title: str
    trainable: str
    dataset: str
    epochs: int
    metric: str
    mode: Literal["min", "max"]
    strategy: str
    parameters: Mapping[str, Domain]
    trials: int | None = None
    description: str | None = None
    secondary: tuple[Objective, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    scheduler: Scheduler = NO_SCHEDULER
    budget: Budget = NO_BUDGET
    enqueue: tuple[Mapping[str, Value], ...] = ()
    warm_start: tuple[str, ...] = ()
    history: tuple[KnownTrial, ...] = ()
    repeats: int = 1
    confirm: Confirm | None = None
    program: Program | None = None
    checked: InitVar[bool] = False

    def __post_init__(self, checked: bool) -> None:
        if not checked:
            raise_any(_problems(self._members()))
        object.__setattr__(self, "parameters", dict(self.parameters))
        if self.trials is None and self.is_sampled:
            is_population = self.scheduler.is_population
            number = self.scheduler.population if is_population else DEFAULT_TRIALS
            object.__setattr__(self, "trials", number)

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """All objectives; the first one is ``metric`` and ``mode``."""
        return (Objective(self.metric, self.mode), *self.secondary)

    @property
    def is_sampled(self) -> bool:
        """Whether a sampler draws the configurations, rather than a list naming them."""
        return self.strategy in SAMPLERS

    @property
    def is_single(self) -> bool:
        """Whether the defaults are run alone."""
        return self.strategy == "single"

    @property
    def is_one_at_a_time(self) -> bool:
        """Whether each configuration but the first differs from the defaults in one parameter."""
        return self.strategy == "one_at_a_time"

    @property
    def may_end_early(self) -> bool:
        """Whether a trial may succeed before its last epoch, as its program decides."""
        return self.program is not None and self.program.early_end

    def allows(self, value_of: Callable[[str], float | None]) -> bool:
        """Whether the values by metric keep all constraints; None, for no value, keeps none."""
        values = ((limit, value_of(limit.metric)) for limit in self.constraints)
        return all(value is not None and limit.holds(value) for limit, value in values)

    @classmethod
    def from_json(cls, raw: object, *, pointer: str = "") -> SearchSpace:
        """Return the space that ``raw`` declares; an absent ``title`` is the name.

        Raises :class:`SearchSpaceError` with every problem found, at pointers under ``pointer``.
        """
        if not isinstance(raw, Mapping):
            raise SearchSpaceError([wrong_type(pointer, raw, "an object that declares a space")])
        search, problems = read_search_members(raw)
        program, unreadable_program = read_program(raw)
        problems += unreadable_program
        members = {key: value for key, value in raw.items() if key in _PLAIN_KEYS}
        members |= search | program
        problems += key_problems(raw, KEYS)
        problems += (
            Problem(pointer_to(name), f"a search space needs {name}", Code.MISSING, f"add {name}")
            for name in _REQUIRED
            if name not in members and not (name in ("metric", "mode") and "objectives" in raw)
        )
        members["parameters"], unreadable = read_parameters(raw.get("parameters", {}))
        members.setdefault("strategy", _implied_strategy(members["parameters"]))
        members = implied_members(members) | members
        problems += unreadable
        problems += _problems(members, _names(raw.get("parameters")) - set(members["parameters"]))
        raise_any(problems, pointer)
        return cls(**{"title": members["name"], **members}, checked=True)

    @classmethod
    def from_stored(cls, raw: Mapping[str, Any]) -> SearchSpace:
        """Return a space that a job was accepted with, perhaps by another version.

        Unknown keys are ignored, and so is ``trials`` of a strategy that lists its configurations.
        Raises :class:`SearchSpaceError` for a space that this version cannot read.
        """
        known = [key for key in _PLAIN_KEYS if key != "trials" or raw.get("strategy") in SAMPLERS]
        members = {key: raw[key] for key in (*known, *PROGRAM_KEYS) if key in raw}
        members |= known_search_members(raw)
        declared = members.get("parameters", {})
        members["parameters"] = {name: known_members(domain) for name, domain in declared.items()}
        return cls.from_json(members)

    def to_json(self) -> dict[str, Any]:
        """Return the space as JSON; :meth:`from_json` makes an equal space of it."""
        members = {key: getattr(self, key) for key in _PLAIN_KEYS}
        declared = {name: domain.to_json() for name, domain in self.parameters.items()}
        plain = {key: value for key, value in members.items() if value is not None}
        program = {} if self.program is None else self.program.to_json()
        search = search_members_json(self._members())
        return {**plain, "parameters": declared, **search, **program}

    def with_overrides(
        self,
        parameters: object = None,
        strategy: object = None,
        epochs: object = None,
        trials: object = None,
        search: Mapping[str, Any] | None = None,
        *,
        pointer: str = "",
    ) -> SearchSpace:
        """Return this space with some members replaced by what a job says (None: left alone).

        A constant or a domain in ``parameters`` replaces the space's own wholly, its conditions
        included; new names are added. Conditions of the other parameters lose the values that can
        no longer be taken, and parameters whose conditions can no longer hold are left out.
        ``search`` has the JSON of members by key, those of :data:`SEARCH_KEYS`. A scheduler and a
        confirmation that follow from the strategy alone follow from the new one.
        Raises :class:`SearchSpaceError` with every problem, at pointers under ``pointer``.
        """
        said = {"strategy": strategy, "epochs": epochs, "trials": trials}
        given = {name: value for name, value in said.items() if value is not None}
        if not given and not search and parameters in (None, {}):
            return self
        replaced, problems = read_parameters({} if parameters is None else parameters)
        searched, wrong = read_search_members(search or {})
        problems += wrong
        members = self._members() | given | searched
        unsaid, new = implied_members(self._members()), implied_members(members)
        members |= {
            key: new[key] for key in new if key not in searched and members[key] == unsaid[key]
        }
        members["parameters"] = without_impossible({**self.parameters, **replaced}, replaced)
        if self.program is not None:
            members["program"] = self.program.kept_for(members["parameters"])
        has_population = "scheduler" in searched and searched["scheduler"].is_population
        if trials is None and (members["strategy"] not in SAMPLERS or has_population):
            members["trials"] = None
        problems += _problems(members, _names(parameters) - set(replaced))
        raise_any(problems, pointer)
        return SearchSpace(**members, checked=True)

    def fixed_at(self, configuration: Mapping[str, Value]) -> SearchSpace:
        """Return the space that runs one configuration of this one alone."""
        constants = {name: Constant(value) for name, value in configuration.items()}
        members = {name: getattr(self, name) for name in _KEPT_WHEN_FIXED}
        if self.program is not None:
            members["program"] = self.program.kept_for(constants)
        return SearchSpace(**members, strategy="single", parameters=constants, checked=True)

    def _members(self) -> dict[str, Any]:
        return {member.name: getattr(self, member.name) for member in fields(self)}


def _implied_strategy(parameters: Mapping[str, Domain]) -> str:
    """Return ``grid``, or ``auto`` where a parameter's values cannot be listed."""
    return "grid" if all(domain.is_listable for domain in parameters.values()) else "auto"


def _names(parameters: object) -> set[str]:
    return set(parameters) if isinstance(parameters, Mapping) else set()


def _problems(members: Mapping[str, Any], unreadable: Collection[str] = ()) -> list[Problem]:
    """Return what is wrong with those members of a space that are given."""
    problems = [
        problem.under(pointer_to(name))
        for name, check in _CHECKS.items()
        if name in members
        for problem in check(members[name])
    ]
    if "parameters" in members:
        problems += _parameter_problems(members["parameters"], unreadable)
    problems += member_problems(members)
    if not problems and not unreadable:
        problems += program_problems(members)
    wrong = any(problem.pointer.startswith("/parameters") for problem in problems) or unreadable
    problems += _enqueue_problems(members, can_check=not wrong)
    strategy, trials = members.get("strategy"), members.get("trials")
    if trials is not None and strategy in STRATEGIES and strategy not in SAMPLERS:
        detail = f"strategy {strategy} lists its configurations and takes no number of trials"
        hint = f"leave out trials, or use a sampler: {', '.join(SAMPLERS)}"
        problems.append(Problem("/trials", detail, Code.NOT_APPLICABLE, hint))
    scheduler = members.get("scheduler", NO_SCHEDULER)
    if scheduler.is_population and trials not in (None, scheduler.population):
        detail = f"{scheduler.name} draws as many trials as its population has"
        hint = "leave out trials, and say how many as the scheduler's population"
        problems.append(Problem("/trials", detail, Code.NOT_APPLICABLE, hint))
    return problems


def _parameter_problems(
    parameters: Mapping[Any, Any], unreadable: Collection[str]
) -> Iterator[Problem]:
    if len(parameters) > MOST_PARAMETERS:
        detail = f"{len(parameters)} parameters are too many"
        hint = f"declare at most {MOST_PARAMETERS}"
        yield Problem("/parameters", detail, Code.TOO_MANY, hint)
        return
    for name, domain in parameters.items():
        pointer = pointer_to("parameters", name)
        if not isinstance(name, str) or not _PARAMETER_NAME.fullmatch(name):
            hint = (
                "use up to 64 letters, digits and underscores, no digit first, "
                "in parts with a dot or a hyphen between"
            )
            detail = f"{shown(name)} is not a parameter name"
            yield Problem(pointer, detail, Code.BAD_NAME, hint)
        if not isinstance(domain, Constant | Choice | Range):
            yield wrong_type(pointer, domain, "a Constant, a Choice or a Range")
            return
    yield from condition_problems(parameters, unreadable)


def _enqueue_problems(members: Mapping[str, Any], *, can_check: bool) -> Iterator[Problem]:
    """Yield what is wrong with the enqueued configurations, where all parameters are right."""
    enqueue, trials = members.get("enqueue", ()), members.get("trials")
    if isinstance(trials, int) and len(enqueue) > trials:
        detail = f"{len(enqueue)} configurations are enqueued, and {trials} run"
        yield Problem("/enqueue", detail, Code.TOO_MANY, "enqueue fewer, or raise trials")
    if can_check:
        yield from enqueue_problems(members["parameters"], enqueue)


def _name_problems(value: object) -> Iterator[Problem]:
    if not isinstance(value, str) or not SPACE_NAME.fullmatch(value):
        hint = "use up to 64 lower-case letters, digits, underscores and hyphens"
        yield Problem("", f"{shown(value)} is not a space's name", Code.BAD_NAME, hint)


def _text_problems(value: object) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield wrong_type("", value, "text")
    elif not value.strip():
        yield Problem("", "the text is empty", Code.EMPTY, "write something")
    else:
        yield from text_problems(value, "")


def _description_problems(value: object) -> Iterator[Problem]:
    if value is not None and not isinstance(value, str):
        yield wrong_type("", value, "text")
    elif value and len(value) > LONGEST_DESCRIPTION:
        detail = f"a description of {len(value)} characters is too long"
        yield Problem("", detail, Code.TOO_LONG, f"use at most {LONGEST_DESCRIPTION}")
    elif value and (character := unprintable(value, several_lines=True)):
        yield Problem("", f"the description holds {character}", Code.BAD_CHARACTER, "remove it")


def _strategy_problems(value: object) -> Iterator[Problem]:
    if value not in STRATEGIES:
        hint = strategy_hint(value, STRATEGIES)
        yield Problem("", f"{shown(value)} is not a strategy", Code.UNKNOWN_STRATEGY, hint)


_CHECKS: Mapping[str, Callable[[Any], Iterable[Problem]]] = {
    "name": _name_problems,
    "title": _text_problems,
    "description": _description_problems,
    "trainable": _text_problems,
    "dataset": _text_problems,
    "epochs": lambda value: whole_problems(value, "", 1, MOST_EPOCHS),
    "metric": metric_problems,
    "mode": mode_problems,
    "strategy": _strategy_problems,
    "trials": lambda value: () if value is None else whole_problems(value, "", 1, MOST_TRIALS),
}
