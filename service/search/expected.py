"""About how many epochs a search trains, from what its scheduler lets go on.

Where rungs decide, one of ``reduction_factor`` trials goes on from each (Li et al. 2018 and 2020;
:mod:`service.search.asha`). How far the median rule lets trials go depends on their values: there,
and where a budget of seconds or the program ends trials, the most that is trained is returned.
"""

from __future__ import annotations

from functools import lru_cache

from results.records import JobRecord
from results.spec import JobSpec
from search_spaces import Scheduler, rung_epochs
from service.search.hyperband import bracket_shares


def expected_epochs(spec: JobSpec, trials: int) -> int:
    """Return about how many epochs so many trials train, those that confirm the best included."""
    space, most = spec.space, spec.most_epochs(trials)
    searched = min(trials, spec.trials)
    found = float(spec.most_epochs(searched))
    confirming = most - found
    if space.scheduler.name in ("asha", "hyperband"):
        found = _by_rungs(space.scheduler, searched, space.epochs)
    if space.budget.epochs is not None:
        found = min(found, space.budget.epochs)
    return min(most, round(found + confirming))


def expected_of(job: JobRecord) -> int:
    """Return about how many epochs a job will have trained, the total of one that has finished.

    Never less than it has trained, with one more epoch for each running trial and those up to the
    first rung for each trial that has not begun.
    """
    spec, progress = job.spec, job.progress
    if job.state.is_finished:
        return progress.epochs_total
    begun = progress.finished + progress.running + progress.paused
    least = progress.epochs_done + progress.running
    if spec.space.budget.epochs is None:
        least += max(0, spec.trials - begun) * spec.space.scheduler.first_rung
    return min(progress.epochs_total, max(least, expected_epochs(spec, progress.trials)))


# A list of jobs asks for the same few again and again.
@lru_cache(maxsize=1024)
def _by_rungs(scheduler: Scheduler, trials: int, epochs: int) -> float:
    """Return the epochs that trials train under ASHA, or in all brackets of Hyperband."""
    factor = scheduler.reduction_factor
    firsts = rung_epochs(scheduler.min_epochs, factor, epochs)
    if scheduler.name == "asha":
        return _in_bracket(scheduler, trials, firsts)
    shares = bracket_shares(len(firsts), factor)
    return sum(
        _in_bracket(scheduler, trials * share, firsts[at:]) for at, share in enumerate(shares)
    )


def _in_bracket(scheduler: Scheduler, trials: float, rungs: tuple[int, ...]) -> float:
    """Return the epochs that trials train which are compared at these rungs; one reaches each."""
    epochs, before = 0.0, 0
    for rung in rungs:
        epochs += trials * (rung - before)
        before = rung
        trials = max(min(trials, 1.0), _going_on(scheduler, trials))
    return epochs


def _going_on(scheduler: Scheduler, trials: float) -> float:
    """Return how many of the trials at a rung go on.

    Where they are stopped, each is compared with those before it only: the first ones go on, the
    i-th one with the chance of being among the best ``i // reduction_factor`` of ``i``.
    """
    factor = scheduler.reduction_factor
    if not scheduler.stops:
        return trials / factor
    n = round(trials)
    return min(factor - 1, n) + sum(i // factor / i for i in range(factor, n + 1))
