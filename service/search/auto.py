"""The rules by which ``strategy: auto`` chooses a sampler and a scheduler.

They rest on ``benchmarks/search.py`` and are documented in ``docs/search.md``. No foreign library
is needed to choose, so that a plan is quick.
"""

from __future__ import annotations

from dataclasses import dataclass

import search_spaces
from search_spaces import RESERVED_METRICS, Scheduler, SearchSpace

#: Without a scheduler a Gaussian process sees every trial, and its time grows with their cube.
MOST_GP_TRIALS = 250
#: With one it sees those of one rung: from this many trials on, these are too many as well.
MOST_GP_TRIALS_AT_RUNGS = 1000
#: A Gaussian process knows no order among listed values; of more than this it learns too slowly.
MOST_CATEGORIES = 10
#: There are three rungs before the last epoch where there are this many epochs or more.
EPOCHS_PER_FIRST_RUNG = 27
#: With fewer epochs there is hardly anything to save.
LEAST_EPOCHS = 4
#: With fewer trials the rungs hold too few to compare.
LEAST_TRIALS = 6


@dataclass(frozen=True, slots=True)
class Choice:
    """What ``auto`` stands for in a search: a sampler's name, a scheduler, and why, in words."""

    sampler: str
    scheduler: Scheduler
    reason: str


def choose(space: SearchSpace, *, can_resume: bool, scheduler: Scheduler | None = None) -> Choice:
    """Return what ``auto`` stands for in this space.

    ``can_resume`` says whether the trainable goes on from a state; without, trials are stopped
    rather than promoted. ``scheduler`` is the one that the search asks for, None for no wish.
    """
    reason = ""
    if scheduler is None:
        scheduler, reason = _scheduler(space, can_resume=can_resume)
    sampler, why = _sampler(space, has_rungs=not scheduler.is_none)
    return Choice(sampler, scheduler, f"{why}; {reason}" if reason else why)


def _sampler(space: SearchSpace, *, has_rungs: bool) -> tuple[str, str]:
    domains = space.parameters.values()
    if any(domain.when for domain in domains):
        return "tpe", "tpe, because parameters exist under conditions"
    if space.secondary:
        return "tpe", "tpe, because there are several objectives"
    longest = max((d.size for d in domains if isinstance(d, search_spaces.Choice)), default=0)
    if longest > MOST_CATEGORIES:
        return "tpe", f"tpe, because a parameter has {longest} listed values"
    most = MOST_GP_TRIALS_AT_RUNGS if has_rungs else MOST_GP_TRIALS
    if (space.trials or 0) > most:
        return "tpe", f"tpe, because more than {most} trials take a Gaussian process too long"
    return "gp", "gp, a Gaussian process, which needs the fewest trials in spaces like this one"


def _scheduler(space: SearchSpace, *, can_resume: bool) -> tuple[Scheduler, str]:
    none = Scheduler("none")
    if space.secondary:
        return none, "every trial trains to the end, because there are several objectives"
    if space.metric in RESERVED_METRICS:
        reason = f"every trial trains to the end, because {space.metric} says little before it"
        return none, reason
    if space.repeats > 1:
        return none, "every trial trains to the end, because its mean over seeds is compared"
    if space.epochs < LEAST_EPOCHS:
        return none, f"every trial trains to the end: with {space.epochs} epochs little is saved"
    if (space.trials or 0) < LEAST_TRIALS:
        return none, f"every trial trains to the end: {space.trials} trials are few to compare"
    first = max(1, round(space.epochs / EPOCHS_PER_FIRST_RUNG))
    asha = Scheduler("asha", min_epochs=first, stops=not can_resume)
    if can_resume:
        return asha, "asha, which pauses trials and promotes the best of them"
    return asha, "asha, which stops trials that are not among the best: they cannot be resumed"
