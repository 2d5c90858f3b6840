"""What each strategy and scheduler can do: the one table of what a space is refused for.

The samplers are those of Optuna 5; where its documentation says that a sampler falls back to random
draws (for categories, or for parameters under conditions), that counts as being unable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from search_spaces.domains import Choice
from search_spaces.errors import Code, Problem
from search_spaces.objectives import RESERVED_METRICS
from search_spaces.space import SAMPLERS, SearchSpace


@dataclass(frozen=True, slots=True)
class SamplerAbility:
    """What a sampler can draw and heed.

    ``conditions``: parameters that exist under conditions; ``categories``: lists of values, of
    numbers too; ``objectives``: several at a time; ``constraints``: it heeds them, or has no need
    to, as it learns nothing; ``learns``: earlier trials change what it draws; ``varied``: the
    number of parameters that it needs at least.
    """

    conditions: bool
    categories: bool
    objectives: bool
    constraints: bool
    learns: bool
    varied: int = 1


@dataclass(frozen=True, slots=True)
class SchedulerAbility:
    """What a scheduler goes together with.

    ``objectives``: several at a time; ``repeats``: configurations with several seeds; ``confirm``:
    its winner may run again with other seeds; ``patience``: trials end one after another, so that a
    budget may count those without improvement; ``strategies``: those that it needs, () for any.
    """

    objectives: bool = False
    repeats: bool = False
    confirm: bool = True
    patience: bool = True
    strategies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoWinner:
    """Why a search has no winner to run again.

    ``hint`` says what to do about a search that asks to confirm it, ``afterwards`` about a finished
    one.
    """

    detail: str
    hint: str
    afterwards: str


_YES, _NO = True, False
#: What each sampler can do; ``auto`` chooses one that can do what the space needs.
SAMPLER_ABILITIES: Mapping[str, SamplerAbility] = {
    #                       conditions categories objectives constraints learns
    "auto": SamplerAbility(_YES, _YES, _YES, _YES, _YES),
    "random": SamplerAbility(_YES, _YES, _YES, _YES, _NO),
    "sobol": SamplerAbility(_NO, _YES, _YES, _YES, _NO),
    "tpe": SamplerAbility(_YES, _YES, _YES, _YES, _YES),
    "gp": SamplerAbility(_NO, _YES, _YES, _YES, _YES),
    "cmaes": SamplerAbility(_NO, _NO, _NO, _NO, _YES, varied=2),
    "nsga2": SamplerAbility(_NO, _YES, _YES, _YES, _YES, varied=2),
}
#: What each scheduler goes together with.
SCHEDULER_ABILITIES: Mapping[str, SchedulerAbility] = {
    "none": SchedulerAbility(objectives=True, repeats=True),
    "auto": SchedulerAbility(objectives=True, repeats=True),
    "asha": SchedulerAbility(),
    "hyperband": SchedulerAbility(),
    "median": SchedulerAbility(),
    "pbt": SchedulerAbility(confirm=False, patience=False, strategies=("random", "sobol")),
}


def capable(space: SearchSpace) -> tuple[str, ...]:
    """Return the samplers that can do what the space needs, ``auto`` left out."""
    return tuple(n for n in SAMPLERS if n != "auto" and not any(_lacks(n, space)))


def refusals(space: SearchSpace) -> Iterator[Problem]:
    """Yield each thing that the space asks of its strategy or scheduler and that it cannot do.

    The pointers are those of the space's members.
    """
    if space.is_sampled:
        yield from _sampler_refusals(space)
    else:
        yield from _listing_refusals(space)
    yield from _scheduler_refusals(space)
    yield from _repeat_refusals(space)


def _refused(pointer: str, detail: str, hint: str) -> Problem:
    return Problem(pointer, detail, Code.NOT_APPLICABLE, hint)


def _sampler_refusals(space: SearchSpace) -> Iterator[Problem]:
    names = ", ".join(capable(space))
    for reason in _lacks(space.strategy, space):
        yield _refused("/strategy", f"{space.strategy} {reason}", f"use one of: {names}")
    if not SAMPLER_ABILITIES[space.strategy].learns:
        detail = f"{space.strategy} learns nothing from trials of elsewhere"
        for name in _told(space):
            yield _refused(f"/{name}", detail, "leave it out, or use strategy auto")


def _lacks(strategy: str, space: SearchSpace) -> Iterator[str]:
    """Yield what the space needs of its sampler and ``strategy`` cannot do, in words."""
    ability = SAMPLER_ABILITIES[strategy]
    for name, domain in space.parameters.items():
        if domain.when and not ability.conditions:
            yield f"cannot draw {name}, which exists under conditions"
            break
    for name, domain in space.parameters.items():
        if isinstance(domain, Choice) and domain.size > 1 and not ability.categories:
            yield f"draws numbers of ranges only, and {name} is a list of values"
            break
    varied = [domain for domain in space.parameters.values() if domain.size != 1]
    if 0 < len(varied) < ability.varied:
        yield f"varies at least {ability.varied} parameters, and only {len(varied)} is no constant"
    if space.secondary and not ability.objectives:
        yield f"takes one objective, and there are {len(space.objectives)}"
    if space.constraints and not ability.constraints:
        yield "does not heed constraints"


def _listing_refusals(space: SearchSpace) -> Iterator[Problem]:
    detail = f"strategy {space.strategy} lists its configurations beforehand"
    hint = f"leave it out, or use a sampler: {', '.join(SAMPLERS)}"
    if space.enqueue:
        yield _refused("/enqueue", f"{detail}, and runs no others", hint)
    for name in _told(space):
        yield _refused(f"/{name}", f"{detail}, whatever was found elsewhere", hint)


def _told(space: SearchSpace) -> tuple[str, ...]:
    """Return the members of the space that tell its sampler of trials from elsewhere."""
    given = {"warm_start": space.warm_start, "history": space.history}
    return tuple(name for name, trials in given.items() if trials)


def _scheduler_refusals(space: SearchSpace) -> Iterator[Problem]:
    name, ability = space.scheduler.name, SCHEDULER_ABILITIES[space.scheduler.name]
    if name == "auto" and space.strategy != "auto":
        detail = "a scheduler is chosen together with a sampler, by strategy auto"
        yield _refused("/scheduler", detail, "name one, asha for instance, or use strategy auto")
    if space.secondary and not ability.objectives:
        detail = f"{name} compares trials by one objective, and there are {len(space.objectives)}"
        hint = "use scheduler none, or make the other metrics constraints"
        yield _refused("/scheduler", detail, hint)
    if space.metric in RESERVED_METRICS and name not in ("none", "auto"):
        detail = f"{name} compares trials by {space.metric}, which says nothing of how they end"
        yield _refused("/scheduler", detail, "use scheduler none, or another first objective")
    if ability.strategies and space.strategy not in ability.strategies:
        detail = f"{name} draws its first trials at random, and strategy {space.strategy} does not"
        yield _refused("/strategy", detail, f"use one of: {', '.join(ability.strategies)}")
    if space.budget.trials_without_improvement is not None and not ability.patience:
        detail = f"the trials of {name} train side by side and end together"
        hint = "leave it out: seconds, epochs, target and failed_trials end the search too"
        yield _refused("/budget/trials_without_improvement", detail, hint)


def _repeat_refusals(space: SearchSpace) -> Iterator[Problem]:
    scheduler = space.scheduler.name
    if space.repeats > 1 and not SCHEDULER_ABILITIES[scheduler].repeats:
        detail = f"{scheduler} compares single trials, not means over seeds"
        hint = "leave repeats out and confirm the winner, or use scheduler none"
        yield _refused("/repeats", detail, hint)
    if space.confirm is not None:
        for reason in without_winner(space):
            yield _refused("/confirm", reason.detail, reason.hint)


def without_winner(space: SearchSpace) -> Iterator[NoWinner]:
    """Yield each reason why nothing that the search finds can be confirmed."""
    again = "submit the search again with"
    if not SCHEDULER_ABILITIES[space.scheduler.name].confirm:
        yield NoWinner(
            f"{space.scheduler.name} finds a schedule, whose parameters changed during training: "
            "no single configuration can be run again",
            "leave it out",
            f"{again} another scheduler (--scheduler asha), and confirm that",
        )
    if space.repeats > 1:
        yield NoWinner(
            "every configuration has several seeds already",
            "leave out either confirm or repeats",
            f"the best one's mean is over {space.repeats} seeds; for more, {again} more repeats",
        )
    if space.secondary:
        yield NoWinner(
            "several objectives have no single winner",
            "leave it out, or make the other metrics constraints",
            f"{again} one objective and the other metrics as constraints, and confirm that",
        )
    if space.is_single:
        yield NoWinner(
            "there is one configuration: it needs no confirmation",
            'leave it out; "repeats": 5 runs it with five seeds',
            f'{again} "repeats": 5 (--repeats 5), which runs it with five seeds',
        )
